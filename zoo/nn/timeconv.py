r"""A convolution along time whose weights get their gradients from matrix products.

.. math::
    y_{n,t,v} = b + \sum_i W_i\, x_{n,\, st + di - p,\, v}, \qquad
    \frac{\partial L}{\partial W_i} = \sum_{n,t,v}
    \frac{\partial L}{\partial y_{n,t,v}}\, x_{n,\, st + di - p,\, v}^\top

On the CPU oneDNN's convolution is the fastest way to y and to the gradient of x. Its gradient of W
takes 1.2 to 1.8 times as long as one matrix product for each sequence n and tap i, unless there are
few channels or only one tap.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from zoo.nn.eager import plain

WIDE = 64
"""Channels from which matrix products are faster."""


class TimeConv(nn.Conv2d):
    """k×1 convolution of the channels_last view (N, C, T, V) of features (N, T, V, C).

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: k, odd.
        stride: s.
        dilation: d.
        bias: learn b.

    Before the first frame and after the last there are p = d(k - 1)/2 frames of zeros.

    Shapes: image (N, C_in, T, V) → (N, C_out, ceil(T / s), V).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            (kernel_size, 1),
            stride=(stride, 1),
            padding=((kernel_size - 1) * dilation // 2, 0),
            dilation=(dilation, 1),
            bias=bias,
        )
        self.products = kernel_size > 1 and min(in_channels, out_channels) >= WIDE

    def forward(self, image: Tensor) -> Tensor:
        """Convolve."""
        if not self.products or plain(image) or not torch.is_grad_enabled():
            return super().forward(image)
        y: Tensor = _TimeConv.apply(
            image, self.weight, self.bias, self.stride[0], self.padding[0], self.dilation[0]
        )
        return y


class _TimeConv(torch.autograd.Function):
    """The convolution of `TimeConv` and its gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        image: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: int,
        dilation: int,
    ) -> Tensor:
        ctx.save_for_backward(image, weight)
        ctx.steps = stride, padding, dilation
        return F.conv2d(image, weight, bias, (stride, 1), (padding, 0), (dilation, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        image, weight = ctx.saved_tensors
        needs_image, needs_weight, needs_bias, *_ = ctx.needs_input_grad
        stride, padding, dilation = ctx.steps
        dimage = None
        if needs_image:
            dimage = torch.ops.aten.convolution_backward(
                dy,
                image,
                weight,
                None,
                [stride, 1],
                [padding, 0],
                [dilation, 1],
                False,
                [0, 0],
                1,
                [True, False, False],
            )[0]
        dweight = dbias = None
        if needs_weight or needs_bias:
            dweight, dbias = _weight_gradients(image, dy, weight.shape[2], *ctx.steps)
        return dimage, dweight, dbias if needs_bias else None, None, None, None


def _weight_gradients(
    image: Tensor, dy: Tensor, kernel_size: int, stride: int, padding: int, dilation: int
) -> tuple[Tensor, Tensor]:
    """The gradients of W (C_out, C_in, k, 1) and b (C_out,)."""
    T, T_out = image.shape[2], dy.shape[2]
    taps = image.new_zeros(kernel_size, dy.shape[1], image.shape[1])
    dbias = image.new_zeros(dy.shape[1])
    for x, upstream in zip(_rows(image), _rows(dy), strict=True):
        dbias += upstream.flatten(0, 1).sum(0)
        for i, tap in enumerate(taps):
            offset = i * dilation - padding  # frame t of y sees frame s·t + offset of x
            first = max(0, -(offset // stride))
            last = min(T_out, (T - 1 - offset) // stride + 1)
            if first < last:
                seen = x[first * stride + offset : (last - 1) * stride + offset + 1 : stride]
                tap.addmm_(upstream[first:last].flatten(0, 1).t(), seen.flatten(0, 1))
    return taps.permute(1, 2, 0).unsqueeze(-1), dbias


def _rows(image: Tensor) -> Tensor:
    """(N, C, T, V) as (N, T, V, C), a view."""
    return image.permute(0, 2, 3, 1)

r"""Convolution along time.

The weights of `TimeConv` get their gradients from matrix products:

.. math::
    y_{n,t,v} = b + \sum_i W_i\, x_{n,\, st + i - p,\, v}, \qquad
    \frac{\partial L}{\partial W_i} = \sum_{n,t,v}
    \frac{\partial L}{\partial y_{n,t,v}}\, x_{n,\, st + i - p,\, v}^\top

On the CPU oneDNN's convolution is the fastest way to y and to the gradient of x. Its gradient of W
takes 1.2 to 1.8 times as long as one matrix product for each sequence n and tap i, unless there are
few channels or only one tap.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from zoo.nn.masking import zero_padding
from zoo.nn.norm import BatchNorm
from zoo.nn.pointwise import PointConv, plain

WIDE = 64
"""Channels from which matrix products are faster."""


class TemporalConv(nn.Module):
    r"""k×1 convolution along the frames of each joint, then batch normalisation.

    .. math::
        y_{n,t,v} = \mathrm{BN}\Bigl(b + \sum_{i} W_i\, x_{n,\,st + i - (k-1)/2,\, v}\Bigr)

    Frames beyond either end count as zero. The data stays where it is: (N, T, V, C) is what
    PyTorch calls channels_last, so the views to and from Conv2d are free.

    Args:
        kernel_size: k, odd.
        stride: s.

    Shapes: x (N, T, V, C_in) → (N, ceil(T / s), V, C_out).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 9, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv: nn.Module
        self.kernel_size = kernel_size
        if kernel_size == 1:
            self.conv = PointConv(in_channels, out_channels, stride)
        else:
            padding = ((kernel_size - 1) // 2, 0)
            self.conv = TimeConv(in_channels, out_channels, (kernel_size, 1), (stride, 1), padding)
        self.norm = BatchNorm(out_channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask (N, T), padded frames count as zero."""
        if self.kernel_size == 1:
            return self.norm(self.conv(x))
        image = zero_padding(x, mask).permute(0, 3, 1, 2)
        return self.norm(self.conv(image).permute(0, 2, 3, 1))


class AlongTime(nn.Conv2d):
    """The convolution of the channels_last view (N, C_in, T, V) → (N, C_out, ceil(T / s), V).

    Constructed like its base, with kernel (k, 1), stride (s, 1), dilation (d, 1), padding
    (d (k - 1) / 2, 0) and a bias.
    """

    lead = 0

    def look_back(self) -> None:
        """From now on frame t sees those before it alone: all zeros are put before the first."""
        self.lead = int(self.padding[0])

    def forward(self, image: Tensor) -> Tensor:
        """Convolve."""
        return led(self.convolve, image, self.lead, self.stride[0])

    def convolve(self, image: Tensor) -> Tensor:
        """Convolve, with as many zeros at both ends."""
        return super().forward(image)


class TimeConv(AlongTime):
    """`AlongTime` without dilation, whose weights get their gradients from matrix products."""

    def convolve(self, image: Tensor) -> Tensor:
        """Convolve, with as many zeros at both ends."""
        products = self.kernel_size[0] > 1 and min(self.in_channels, self.out_channels) >= WIDE
        if not products or plain(image) or not torch.is_grad_enabled():
            return super().convolve(image)
        return _TimeConv.apply(image, self.weight, self.bias, self.stride[0])


def led(along: Callable[[Tensor], Tensor], image: Tensor, lead: int, stride: int = 1) -> Tensor:
    """What goes along an image (N, C, T, V) with its middle on each frame, `lead` frames sooner."""
    if not lead:
        return along(image)
    return along(F.pad(image, (0, 0, lead, 0)))[:, :, : -(-image.shape[2] // stride)]


class _TimeConv(torch.autograd.Function):
    """The convolution of `TimeConv` and its gradients."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(image, weight)
        ctx.stride, ctx.padding = stride, (weight.shape[2] - 1) // 2
        return F.conv2d(image, weight, bias, (stride, 1), (ctx.padding, 0))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        image, weight = ctx.saved_tensors
        needs_image, needs_weight, needs_bias, _ = ctx.needs_input_grad
        dimage = dweight = dbias = None
        if needs_image:
            window = [ctx.stride, 1], [ctx.padding, 0], [1, 1]
            dimage, _, _ = torch.ops.aten.convolution_backward(
                dy, image, weight, None, *window, False, [0, 0], 1, [True, False, False]
            )
        if needs_weight or needs_bias:
            dweight, dbias = _weight_gradients(image, dy, weight.shape[2], ctx.stride)
        return dimage, dweight, dbias if needs_bias else None, None


def _weight_gradients(
    image: Tensor, dy: Tensor, kernel_size: int, stride: int
) -> tuple[Tensor, Tensor]:
    """The gradients of W (C_out, C_in, k, 1) and b (C_out,)."""
    T, T_out = image.shape[2], dy.shape[2]
    taps = image.new_zeros(kernel_size, dy.shape[1], image.shape[1])
    dbias = image.new_zeros(dy.shape[1])
    for x, upstream in zip(image.permute(0, 2, 3, 1), dy.permute(0, 2, 3, 1), strict=True):
        dbias += upstream.flatten(0, 1).sum(0)
        for i, tap in enumerate(taps):
            offset = i - (kernel_size - 1) // 2  # frame t of y sees frame s·t + offset of x
            first = max(0, -(offset // stride))
            last = min(T_out, (T - 1 - offset) // stride + 1)
            if first < last:
                seen = x[first * stride + offset : (last - 1) * stride + offset + 1 : stride]
                tap.addmm_(upstream[first:last].flatten(0, 1).t(), seen.flatten(0, 1))
    return taps.permute(1, 2, 0).unsqueeze(-1), dbias


class FrameConv(nn.Conv2d):
    r"""k×1 convolution along the frames of each joint that keeps the length, without a norm.

    .. math:: y_{n,t,v} = b + \sum_{i=0}^{k-1} W_i\, x_{n,\, t + i - p,\, v}

    with p = (k-1)/2, rounded down as Keras' "same" padding does. Frames beyond either end count
    as zero.

    Args:
        kernel_size: k, of either parity.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1) -> None:
        super().__init__(in_channels, out_channels, (kernel_size, 1))
        self.past = (kernel_size - 1) // 2
        self.future = kernel_size - 1 - self.past

    def look_back(self) -> None:
        """From now on p = k-1: frame t sees those before it alone."""
        self.past, self.future = self.past + self.future, 0

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask, padded frames count as zero."""
        x = F.pad(zero_padding(x, mask), (0, 0, 0, 0, self.past, self.future))
        return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

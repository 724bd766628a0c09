"""The same linear map at every joint of every frame, and when to leave work to PyTorch."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_ONEDNN = torch.backends.mkldnn.is_available()  # asked once: torch.compile cannot look inside


FEW_ROWS = 1 << 10
"""Rows up to which a matrix product is faster: a convolution first puts the weight in order."""


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x·weightᵀ + bias over the last axis, as a 1×1 convolution where that is faster.

    In single precision on the CPU, PyTorch gives convolutions to oneDNN and matrix products to
    MKL; for many rows, on processors that MKL does not favour, oneDNN is more than twice as fast.

    Args:
        x: (..., V, C_in).
        weight: (C_out, C_in).
        bias: (C_out,) or None.

    Returns:
        (..., V, C_out).
    """
    if not takes_convolution(x):
        return F.linear(x, weight, bias)
    y = F.conv2d(as_image(x), weight[:, :, None, None], bias)
    return y.permute(0, 2, 3, 1).reshape(*x.shape[:-1], weight.shape[0])


class PointConv(nn.Conv2d):
    """A linear map at every joint of every s-th frame, with the weight of a 1×1 convolution.

    `torch.nn.Conv2d` leaves fewer than 16 sequences on one thread to a form without oneDNN, whose
    gradients take twice as long; and oneDNN's gradient of a strided 1×1 convolution of fewer than
    16 channels writes beyond its memory, so frames are taken first (uxlfoundation/oneDNN, issue
    6035).

    Args:
        stride: s.

    Shapes: x (N, T, V, C_in) → (N, ceil(T / s), V, C_out).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, 1, stride=(stride, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map every joint."""
        x = x[:, :: self.stride[0]]
        if torch.is_grad_enabled():
            return pointwise(x, self.weight.flatten(1), self.bias)
        # A tenth faster for a single sequence, where no gradient is needed.
        return F.conv2d(x.permute(0, 3, 1, 2), self.weight, self.bias).permute(0, 2, 3, 1)


def pointwise_weight_grad(x: Tensor, dy: Tensor) -> Tensor:
    """The gradient of `pointwise` for its weight, Σ dyᵀ·x: (C_out, C_in).

    Here the matrix product is the faster one, by a fifth and more.
    """
    return dy.reshape(-1, dy.shape[-1]).t() @ x.reshape(-1, x.shape[-1])


def takes_convolution(x: Tensor) -> bool:
    """Whether `pointwise` is a convolution for `x`."""
    if not _ONEDNN or x.device.type != "cpu" or x.dtype != torch.float32:
        return False
    # What is compiled or exported for any number of rows must not depend on it.
    return seen_by_torch() or x.numel() > FEW_ROWS * x.shape[-1]


def as_image(x: Tensor) -> Tensor:
    """(..., V, C) as the channels_last view (B, C, 1, V).

    Frames become the batch: with fewer than 16 images PyTorch would not call oneDNN on one thread.
    """
    return x.reshape(-1, 1, x.shape[-2], x.shape[-1]).permute(0, 3, 1, 2)


def plain(x: Tensor) -> bool:
    """Whether to leave what is done with `x` to PyTorch and its autograd.

    What is written out by hand is faster on the CPU only; `torch.compile` and `torch.export` could
    not look into it, and it knows nothing of autocast.
    """
    return seen_by_torch() or x.device.type != "cpu" or torch.is_autocast_enabled("cpu")


def seen_by_torch() -> bool:
    """Whether torch writes down what is computed, to compile or to export it."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()

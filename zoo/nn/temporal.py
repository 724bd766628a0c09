"""Convolution along time."""

from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.masking import zero_padding
from zoo.nn.norm import BatchNorm
from zoo.nn.timeconv import TimeConv


class TemporalConv(nn.Module):
    r"""k×1 convolution along the frames of each joint, then batch normalisation.

    .. math::
        y_{n,t,v} = \mathrm{BN}\Bigl(b + \sum_{i} W_i\, x_{n,\,st + d(i - (k-1)/2),\, v}\Bigr)

    Frames beyond either end count as zero. The data stays where it is: (N, T, V, C) is what
    PyTorch calls channels_last, so the views to and from Conv2d are free.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: k, odd.
        stride: s.
        dilation: d.
        bias: learn b.

    Shapes: x (N, T, V, C_in) → (N, ceil(T / s), V, C_out).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 9,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = TimeConv(
            in_channels, out_channels, kernel_size, stride=stride, dilation=dilation, bias=bias
        )
        self.norm = BatchNorm(out_channels)
        self.stride = stride

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask (N, T), padded frames count as zero."""
        if self.conv.kernel_size[0] > 1:
            x = zero_padding(x, mask)
        y = self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.norm(y)


class FrameConv(nn.Conv2d):
    r"""k×1 convolution along the frames of each joint that keeps the length, without a norm.

    .. math:: y_{n,t,v} = b + \sum_{i=0}^{k-1} W_i\, x_{n,\, t + i - p,\, v}

    with p = (k-1)/2, rounded down as Keras' "same" padding does. Frames beyond either end count
    as zero.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: k, of either parity.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1) -> None:
        super().__init__(in_channels, out_channels, (kernel_size, 1))
        self.past = (kernel_size - 1) // 2
        self.future = kernel_size - 1 - self.past

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask, padded frames count as zero."""
        x = F.pad(zero_padding(x, mask), (0, 0, 0, 0, self.past, self.future))
        return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

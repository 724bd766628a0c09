"""Sequences of vectors (N, T, C): all joints of a frame side by side, without the skeleton's graph.

A mask is that of `zoo.nn.masking`; padded frames stand at the end of their sequence.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.masking import frame_counts, mean_pool, zero_padding

POOLINGS = ("last", "mean")


def last_frame(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Each sequence's last real frame, (N, T, C) → (N, C)."""
    if mask is None:
        return x[:, -1]
    index = (frame_counts(mask) - 1)[:, None, None].expand(-1, 1, x.shape[2])
    return x.gather(1, index).squeeze(1)


def reverse_frames(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """The real frames of each sequence backwards, (N, T, C) → (N, T, C); its own inverse.

    Padded frames stay behind the real ones.
    """
    if mask is None:
        return x.flip(1)
    T = x.shape[1]
    index = (frame_counts(mask)[:, None] - 1 - torch.arange(T, device=x.device)) % T
    return x.gather(1, index.unsqueeze(2).expand_as(x))


def resample_frames(x: Tensor, mask: Tensor | None, frames: int) -> Tensor:
    """Each sequence at so many evenly spaced times from its first to its last real frame.

    In between two frames, the line between them; one frame is repeated.

    Args:
        x: (N, T, ...).
        mask: (N, T) bool, or None.
        frames: number of times S.

    Returns:
        (N, S, ...), without padding.
    """
    N, T = x.shape[:2]
    last = x.new_full((N,), T - 1) if mask is None else (frame_counts(mask) - 1).to(x.dtype)
    times = torch.linspace(0, 1, frames, dtype=x.dtype, device=x.device) * last.unsqueeze(1)
    before = times.floor()
    after = torch.minimum(before + 1, last.unsqueeze(1))
    rest = (..., *[None] * (x.dim() - 2))

    def at(index: Tensor) -> Tensor:
        index = index.long()[rest].expand(-1, -1, *x.shape[2:])
        return x.gather(1, index)

    return torch.lerp(at(before), at(after), (times - before)[rest])


def pool_frames(x: Tensor, mask: Tensor | None, pooling: str) -> Tensor:
    """One vector a sequence, (N, T, C) → (N, C).

    Args:
        x: features.
        mask: (N, T) bool, or None.
        pooling: ``last``, each sequence's last real frame, or ``mean`` of its real frames.
    """
    return last_frame(x, mask) if pooling == "last" else mean_pool(x, mask)


def check_pooling(pooling: str) -> str:
    """`pooling`, where `pool_frames` knows it.

    Raises:
        ConfigError: it does not.
    """
    if pooling not in POOLINGS:
        raise ConfigError(f"pooling is {pooling!r}: choose one of {', '.join(POOLINGS)}")
    return pooling


class SequenceConv(nn.Module):
    r"""Convolution along time that keeps the length.

    .. math:: y_{n,t} = b + \sum_{i=0}^{k-1} W_i\, x_{n,\, t + d i - p}

    with p = d(k-1) for a causal convolution (frame t sees nothing after it), else half of that,
    rounded down as TensorFlow's "same" padding does. Frames beyond either end count as zero.

    Args:
        kernel_size: k, of either parity.
        dilation: d.
        groups: of channels; C_in of them make the convolution depthwise.
        bias: learn b.
        causal: pad the past only.

    Shapes: x (N, T, C_in), mask (N, T) or None → (N, T, C_out).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        *,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, (kernel_size, 1), groups=groups, bias=bias)
        self.dilation = dilation
        span = dilation * (kernel_size - 1)
        self.past = span if causal else span // 2
        self.future = span - self.past

    def look_back(self) -> None:
        """From now on as with `causal`."""
        self.past, self.future = self.past + self.future, 0

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask, padded frames count as zero."""
        N, T, C = x.shape
        d = self.dilation
        x = F.pad(zero_padding(x, mask), (0, 0, self.past, self.future - T % -d))
        # Every d-th frame side by side as an image d wide: an undilated convolution along its
        # height is the dilated one along time, and oneDNN is several times faster at it.
        image = x.reshape(N, -1, d, C).permute(0, 3, 1, 2)
        return self.conv(image).permute(0, 2, 3, 1).flatten(1, 2)[:, :T]


class SeparableConv(nn.Module):
    """A depthwise convolution along time, then a pointwise one between the channels, no biases.

    Args: see `SequenceConv`.

    Shapes: x (N, T, C_in), mask (N, T) or None → (N, T, C_out).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, dilation: int = 1
    ) -> None:
        super().__init__()
        self.depthwise = SequenceConv(
            in_channels,
            in_channels,
            kernel_size,
            dilation=dilation,
            groups=in_channels,
            bias=False,
        )
        self.pointwise = nn.Linear(in_channels, out_channels, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask, padded frames count as zero."""
        return self.pointwise(self.depthwise(x, mask))


class SequenceNorm(nn.BatchNorm1d):
    """Batch normalisation over the real frames of all sequences, one mean and variance a channel.

    Shapes: x (N, T, C), mask (N, T) or None → (N, T, C).
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise the last axis; padded frames hold nothing of use afterwards."""
        if mask is None or not self.training:
            return super().forward(x.flatten(0, 1)).view_as(x)
        y = torch.zeros_like(x)
        y[mask] = super().forward(x[mask])
        return y

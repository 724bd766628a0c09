"""Frames that are padding: how they are kept out of everything that mixes frames.

A mask is (N, T) bool, True for real frames, or None when every frame is real; None costs nothing.
"""

from torch import Tensor


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """`x` (N, T, ...) with zeros in padded frames, whatever they held (NaN too)."""
    if mask is None:
        return x
    return x.masked_fill(~mask[(..., *[None] * (x.dim() - 2))], 0.0)


def stride_mask(mask: Tensor | None, stride: int) -> Tensor | None:
    """The mask after an operation that keeps every `stride`-th frame: (N, ceil(T / stride))."""
    return mask if mask is None or stride == 1 else mask[:, ::stride]


def frame_counts(mask: Tensor) -> Tensor:
    """Number of real frames of each sequence, (N,) long, at least one."""
    return mask.sum(1).clamp(min=1)


def mean_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over real frames and joints of features (N, T, V, C) or (N, T, C), (N, C)."""
    x = x.unsqueeze(2) if x.dim() == 3 else x
    if mask is None:
        return x.mean((1, 2))
    total = zero_padding(x, mask).sum((1, 2))
    return total / (frame_counts(mask) * x.shape[2]).unsqueeze(1)


def frame_mean(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over real frames, (N, T, ...) → (N, ...)."""
    if mask is None:
        return x.mean(1)
    count = frame_counts(mask).reshape(-1, *[1] * (x.dim() - 2))
    return zero_padding(x, mask).sum(1) / count

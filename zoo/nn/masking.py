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

"""Sequences of unequal length, padded behind: what their real frames alone say.

A mask is (N, T) bool, True for real frames, which come first; None when every frame is real.
Padded frames may hold anything, NaN too.
"""

import torch
from torch import Tensor

from zoo.nn.masking import frame_counts, zero_padding


def frame_mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over time (N, V, C) of `x` (N, T, V, C)."""
    if mask is None:
        return x.mean(1)
    return zero_padding(x, mask).sum(1) / frame_counts(mask)[:, None, None]


def frame_median(x: Tensor, mask: Tensor | None) -> Tensor:
    """Median over time (N, V) of `x` (N, T, V); of an even number of frames the lower middle one.

    Args:
        x: finite in real frames.
        mask: (N, T).
    """
    if mask is None:
        return x.median(1).values
    return x.masked_fill(~mask[:, :, None], torch.nan).nanmedian(1).values


def resample_frames(x: Tensor, mask: Tensor | None, frames: int) -> Tensor:
    """`x` (N, T, V, C) at `frames` equally spaced times from each first to each last real frame.

    Linear interpolation between the two frames around each time.

    Returns:
        (N, frames, V, C).
    """
    last = (x.new_full(x.shape[:1], x.shape[1]) if mask is None else frame_counts(mask).to(x)) - 1
    at = last[:, None] * torch.linspace(0, 1, frames, device=x.device, dtype=x.dtype)
    before = at.floor()
    after = torch.minimum(before + 1, last[:, None])
    share = (at - before)[:, :, None, None]
    return torch.lerp(_frames_at(x, before), _frames_at(x, after), share)


def _frames_at(x: Tensor, index: Tensor) -> Tensor:
    return x.gather(1, index.long()[:, :, None, None].expand(-1, -1, *x.shape[2:]))

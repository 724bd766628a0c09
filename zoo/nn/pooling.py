"""Means over a sequence's real frames.

A mask is (N, T) bool, True for real frames; None when all are.
"""

from torch import Tensor

from zoo.nn.masking import frame_counts, zero_padding


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

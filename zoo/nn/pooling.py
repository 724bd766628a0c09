"""From a sequence of joints to one vector."""

from torch import Tensor

from zoo.nn.masking import frame_counts, zero_padding


def mean_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over real frames and joints.

    Args:
        x: (N, T, V, C) features.
        mask: (N, T) bool, True for real frames; None when all are.

    Returns:
        (N, C).
    """
    if mask is None:
        return x.mean((1, 2))
    total = zero_padding(x, mask).sum((1, 2))
    return total / (frame_counts(mask) * x.shape[2]).unsqueeze(1)

"""Dynamic time warping: how far apart two movements are when their tempo does not count."""

import math

import torch
from torch import Tensor


def warped_distances(query: Tensor, known: Tensor, window: float = 1.0) -> Tensor:
    r"""Distance (M,) of one sequence from each of M others under the best alignment in time.

    .. math:: \sqrt{\min_\pi \sum_{(s, t) \in \pi} \lVert q_s - k_t \rVert^2}

    over all paths π from both first to both last frames that never go back (Sakoe, Chiba 1978).
    All M tables are filled at once, one anti-diagonal after the other.

    Args:
        query: (T, D).
        known: (M, T, D).
        window: how far apart in time aligned frames may be, as a share of T.
    """
    frames = len(query)
    band = math.ceil(window * frames)
    flat = known.flatten(0, 1)
    product = query @ flat.T
    apart = query.square().sum(1)[:, None] + flat.square().sum(1) - 2 * product
    # (T², M): a step of T - 1 leads along an anti-diagonal, where all pairs lie side by side.
    cost = apart.clamp(min=0).unflatten(1, known.shape[:2]).transpose(1, 2).flatten(0, 1)
    shape = (frames + 1, len(known))
    before = cost.new_full(shape, torch.inf)  # best sums of the diagonal before, by s + 1
    twice = cost.new_full(shape, torch.inf)  # and of the one before that
    twice[0] = 0.0
    for diagonal in range(2 * frames - 1):
        first = max(0, diagonal - frames + 1, math.ceil((diagonal - band) / 2))
        last = min(frames - 1, diagonal, (diagonal + band) // 2)
        now = cost.new_full(shape, torch.inf)
        if first <= last:
            start = first * frames + diagonal - first
            stop = last * frames + diagonal - last + 1
            best = torch.minimum(before[first + 1 : last + 2], before[first : last + 1])
            best = torch.minimum(best, twice[first : last + 1])
            now[first + 1 : last + 2] = best + cost[start : stop : max(1, frames - 1)]
        before, twice = now, before
    return before[-1].sqrt()

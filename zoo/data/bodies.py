"""How far a body reaches, and which of several bodies does the exercise."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import TRACKED

_AS_LONG = 0.5
"""Bodies seen at least this share as long as the one seen longest are compared by movement."""

_OUTER = 0.9


def reach(away: NDArray[np.float64]) -> float:
    """How far the outer joints usually are from the middle of the body, about the ankles: a metre.

    Args:
        away: (T, V) distance of each joint from the median joint of its frame; NaN where unknown.
    """
    known = away[:, ~np.isnan(away).all(axis=0)]
    usual = np.nanmedian(known, axis=0) if np.isnan(known).any() else np.median(known, axis=0)
    return float(np.quantile(usual, _OUTER, method="lower"))


def performer(bodies: Sequence[tuple[NDArray[np.float32], NDArray[np.uint8] | None]]) -> int:
    """Which body counts: of those that were tracked long enough the one that moves most.

    How far joints move is measured against the body's own middle, so that somebody who is pushed
    or jumps through the picture does not win by that. Of equals it is the first.

    Args:
        bodies: positions (T, V, 3) and tracking states (T, V) or None of each; T may differ.
    """
    times = [_seen(x, states) for x, states in bodies]
    longest = max(int(seen.sum()) for seen in times)
    best, most = 0, -1.0
    for i, ((x, _), seen) in enumerate(zip(bodies, times, strict=True)):
        if longest and seen.sum() >= _AS_LONG * longest:
            moved = _movement(x[seen])
            if moved > most:
                best, most = i, moved
    return best


def _seen(x: NDArray[np.float32], states: NDArray[np.uint8] | None) -> NDArray[np.bool_]:
    """Frames (T,) with a tracked joint and joints at different places."""
    apart = np.asarray((x != x[:, :1]).any(axis=(1, 2)))
    return apart if states is None else apart & (states == TRACKED).any(axis=1)


def _movement(x: NDArray[np.float32]) -> float:
    """Metres by which the joints of a body move about their mean place in it."""
    within = x.astype(np.float64) - np.median(x, axis=1, keepdims=True)
    return float(np.linalg.norm(within.std(axis=0), axis=-1).mean())

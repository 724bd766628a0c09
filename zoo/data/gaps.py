"""Closing gaps in time, and reading values at other times than those of the frames."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.rotation import continuous_sign

Array = NDArray[Any]


def bridged(values: Array, missing: NDArray[np.bool_]) -> Array:
    """Closes gaps by a straight line in time; at the ends the nearest seen value is held.

    A joint that is missing in every frame stays as it is.

    Args:
        values: (T, V, C).
        missing: (T, V).
    """
    result = values.copy()
    frames = np.arange(len(values))
    for joint in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)):
        gap = missing[:, joint]
        for channel in range(values.shape[2]):
            result[gap, joint, channel] = np.interp(
                frames[gap], frames[~gap], values[~gap, joint, channel]
            )
    return result


def at_times(values: Array, before: NDArray[np.int64], share: Array) -> Array:
    """Values (N, ...) on the straight lines between neighbouring frames.

    Args:
        values: (T, ...), T at least 2.
        before: (N,) the frame before each time.
        share: (N,) how far on the way to the next frame, 0 to 1.
    """
    weight = share.reshape(-1, *[1] * (values.ndim - 1))
    first, last = values[before].astype(np.float64), values[before + 1].astype(np.float64)
    return first + weight * (last - first)


def quaternions_at_times(values: Array, before: NDArray[np.int64], share: Array) -> Array:
    """Unit quaternions (N, V, 4) between those of neighbouring frames (T, V, 4)."""
    mixed = at_times(continuous_sign(values.astype(np.float64)), before, share)
    length = np.linalg.norm(mixed, axis=-1, keepdims=True)
    return mixed / np.where(length > 0, length, 1.0)

"""From predictions of samples to predictions of recordings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import ConfigError

_HOW: Mapping[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}

AGGREGATES = (*_HOW, "none")
"""What can be done with the predictions of one recording's samples."""


def rows_by_recording(recording: Sequence[str]) -> dict[str, list[int]]:
    """The samples of each recording, in the order in which recordings first appear.

    Args:
        recording: id of the recording each sample was cut from (N,).
    """
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(recording):
        rows.setdefault(name, []).append(i)
    return rows


def aggregate(
    recording: Sequence[str], predicted: ArrayLike, how: str = "mean"
) -> NDArray[np.float64]:
    """One prediction for each of R recordings (R,), in the order of `rows_by_recording`.

    Args:
        recording: id of the recording each sample was cut from (N,).
        predicted: predicted scores (N,).
        how: ``mean`` or ``median`` over a recording's samples, or ``none``: every sample stands
            for itself (N,).

    Raises:
        ConfigError: another `how`.
    """
    if how not in AGGREGATES:
        raise ConfigError(f"aggregate is {how!r}, expected one of {', '.join(AGGREGATES)}")
    p = np.asarray(predicted, dtype=np.float64)
    if how == "none":
        return p
    return np.array([float(_HOW[how](p[at])) for at in rows_by_recording(recording).values()])

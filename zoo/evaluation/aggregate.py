"""From predictions of samples to predictions of recordings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import ConfigError, DataError

_HOW: Mapping[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}

AGGREGATES = (*_HOW, "none")
"""What can be done with the predictions of one recording's samples."""


@dataclass(frozen=True, eq=False)
class Aggregated:
    """One prediction a recording, in the order in which recordings first appear.

    Where nothing is aggregated (``none``) every sample stands for itself, and a recording's id
    comes as often as it has samples.

    Attributes:
        recording: R recording ids.
        true: true scores (R,).
        predicted: predicted scores (R,).
        first: index of each recording's first sample (R,), to look up its person and group.
        samples: number of samples of each recording (R,).
    """

    recording: list[str]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    first: NDArray[np.int64]
    samples: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.recording)


def aggregate(
    recording: Sequence[str], true: ArrayLike, predicted: ArrayLike, how: str = "mean"
) -> Aggregated:
    """Predictions of samples as one prediction a recording.

    Args:
        recording: id of the recording each sample was cut from (N,).
        true: true scores (N,), equal for all samples of a recording.
        predicted: predicted scores (N,).
        how: ``mean`` or ``median`` over a recording's samples, or ``none``.

    Raises:
        ConfigError: another `how`.
        DataError: lengths differ, or a recording has two true scores.
    """
    if how not in AGGREGATES:
        raise ConfigError(f"aggregate is {how!r}, expected one of {', '.join(AGGREGATES)}")
    y = np.asarray(true, dtype=np.float64)
    p = np.asarray(predicted, dtype=np.float64)
    if y.shape != (len(recording),) or p.shape != y.shape:
        raise DataError(
            f"{len(recording)} recording ids, true scores of shape {y.shape} and predictions of "
            f"shape {p.shape} do not belong together"
        )
    members: dict[str, list[int]] = {}
    for i, name in enumerate(recording):
        members.setdefault(name, []).append(i)
    for name, at in members.items():
        if np.ptp(y[at]) > 0:
            raise DataError(
                f"the samples of recording {name} have different true scores: {y[at].min():g} "
                f"and {y[at].max():g}"
            )
    if how == "none":
        every = np.arange(len(recording))
        return Aggregated(list(recording), y, p, every, np.ones_like(every))
    groups = list(members.values())
    return Aggregated(
        recording=list(members),
        true=np.array([y[at[0]] for at in groups]),
        predicted=np.array([float(_HOW[how](p[at])) for at in groups]),
        first=np.array([at[0] for at in groups], dtype=np.int64),
        samples=np.array([len(at) for at in groups], dtype=np.int64),
    )

"""Split conformal intervals around predicted scores (Vovk et al. 2005; Lei et al., JASA 2018).

Calibrated on people the model was not trained on, an interval holds the true scores of a new
person with at least the probability asked for, whatever the model and however wrong it is, as long
as that person could as well have been one of them (exchangeability). People, not recordings, are
exchangeable: a person counts once, with the largest error among their recordings, so that an
interval holds all of a new person's recordings at once.

Pure functions on float64 arrays, in score units.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import ConfigError

Array = NDArray[np.float64]

_ROUNDING = 1e-9  # 0.9 · 10 is 9, whatever floats make of it


@dataclass(frozen=True)
class Calibration:
    """How wide intervals are.

    Attributes:
        level: probability with which an interval holds, such as 0.9.
        people: n, the number of people calibrated on.
        factor: half the width of every interval, or what each predicted deviation is multiplied
            with to give it; infinite where n is too small for the level.
        scaled: whether it multiplies a deviation.
    """

    level: float
    people: int
    factor: float
    scaled: bool = False

    @property
    def finite(self) -> bool:
        """Whether there are enough people for an interval of finite width."""
        return math.isfinite(self.factor)

    def radius(self, deviation: ArrayLike | None, count: int) -> Array:
        """Half the width of `count` intervals, given the predicted deviations (count,)."""
        if not self.scaled:
            return np.full(count, self.factor)
        return self.factor * np.asarray(deviation, dtype=np.float64)


def calibrate(
    person: Sequence[str],
    true: ArrayLike,
    predicted: ArrayLike,
    level: float,
    deviation: ArrayLike | None = None,
) -> Calibration:
    """Intervals from the errors made for people the model was not trained on.

    Args:
        person: who performed each recording (N,).
        true: true scores (N,).
        predicted: predicted scores (N,).
        level: see `Calibration`.
        deviation: predicted deviations (N,); errors are then counted in these.

    Raises:
        ConfigError: a level that is not between 0 and 1.
    """
    errors = np.abs(np.asarray(true, dtype=np.float64) - np.asarray(predicted, dtype=np.float64))
    if deviation is not None:
        errors = errors / np.asarray(deviation, dtype=np.float64)
    largest: dict[str, float] = {}
    for name, error in zip(person, errors.tolist(), strict=True):
        largest[name] = max(error, largest.get(name, 0.0))
    factor = conformal_quantile(list(largest.values()), level)
    return Calibration(level, len(largest), factor, deviation is not None)


def conformal_quantile(errors: Sequence[float], level: float) -> float:
    """The ⌈(n + 1)·level⌉-th smallest of n errors; infinite where n is smaller than that.

    A further error, exchangeable with these, is at most that large with probability `level` or
    more, and less than level + 1/(n + 1) where no two are equal.

    Raises:
        ConfigError: a level that is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ConfigError(f"the level of an interval is {level:g}, expected one between 0 and 1")
    rank = max(1, math.ceil((len(errors) + 1) * level - _ROUNDING))
    return math.inf if rank > len(errors) else sorted(errors)[rank - 1]


def people_needed(level: float) -> int:
    """The smallest number of people that gives a finite interval of this level."""
    return max(1, math.ceil((level - _ROUNDING) / (1 - level)))  # (n + 1)·level is at most n

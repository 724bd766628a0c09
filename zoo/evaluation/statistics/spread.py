"""How much a model varies with the seed of its training, apart from how much with the test part."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.errors import DataError


class Spread(NamedTuple):
    """Standard deviations of a metric; NaN where there is only one seed or fold.

    Attributes:
        seeds: between seeds, of the mean over folds and exercises: luck of the training.
        folds: between folds, of the mean over seeds and exercises: who happened to be tested.
    """

    seeds: float
    folds: float


def spread(values: ArrayLike) -> Spread:
    """Spread of a metric between seeds and between folds (sample standard deviations).

    Args:
        values: the metric by seed and fold (S, F), or by seed, fold and exercise (S, F, E).

    Raises:
        DataError: another shape, or a value that is missing.
    """
    v = np.asarray(values, dtype=np.float64)
    if v.ndim not in (2, 3) or not v.size:
        raise DataError(f"spread needs values by seed and fold, got shape {v.shape}")
    if not np.isfinite(v).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(v))[0])
        raise DataError(
            f"spread needs a value for every seed and fold, but that of {at} is {v[at]}"
        )
    if v.ndim == 3:
        v = v.mean(axis=2)
    return Spread(_deviation(v.mean(axis=1)), _deviation(v.mean(axis=0)))


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")

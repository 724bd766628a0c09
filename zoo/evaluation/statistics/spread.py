"""How much a model varies with the seed of its training, apart from how much with the test part."""

from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


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
    """
    v = np.asarray(values, dtype=np.float64)
    v = v.reshape(*v.shape[:2], -1).mean(axis=2)
    return Spread(_deviation(v.mean(axis=1)), _deviation(v.mean(axis=0)))


def spread_of(values: Mapping[tuple[str, int, int], float]) -> Spread:
    """Spread of a metric of some runs, by exercise, fold and seed.

    Of seeds alone where exercises differ in folds, as under leave-one-person-out: not everybody
    does every exercise.
    """
    exercises = sorted({exercise for exercise, _, _ in values})
    folds = sorted({fold for _, fold, _ in values})
    seeds = sorted({seed for _, _, seed in values})
    parts = [[fold] for fold in folds]
    if len(values) < len(exercises) * len(folds) * len(seeds):
        parts = [folds]
    return spread(
        [
            [
                [
                    fmean(values[e, f, seed] for f in part if (e, f, seed) in values)
                    for e in exercises
                ]
                for part in parts
            ]
            for seed in seeds
        ]
    )


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")

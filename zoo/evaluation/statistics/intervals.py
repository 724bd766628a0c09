"""Draws of persons, and the confidence interval that is read off them."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from zoo.evaluation.metrics import Array

RESAMPLES = 2000
"""Draws of persons behind every interval."""


class Interval(NamedTuple):
    """A value and its confidence interval; NaN where undefined."""

    value: float
    low: float
    high: float


class Replicates(NamedTuple):
    """A figure of one model, or figures of several along the leading axes.

    Attributes:
        value: on all persons (...).
        draws: on each of R draws of persons (..., R); NaN where undefined.
        jackknife: without each of P persons (..., P).
    """

    value: Array
    draws: Array
    jackknife: Array


@lru_cache(maxsize=4)
def person_weights(persons: int, resamples: int, seed: int) -> Array:
    """How often each of P persons is in each of R draws of P with replacement (P, R).

    Made from the raw output of PCG64, which NumPy promises never to change.
    """
    raw = np.random.PCG64(seed).random_raw(persons * resamples)
    drawn = ((raw >> np.uint64(11)) * 2.0**-53 * persons).astype(np.int64)
    cell = drawn * resamples + np.tile(np.arange(resamples), persons)
    counts = np.bincount(cell, minlength=persons * resamples)
    weights = counts.reshape(persons, resamples).astype(np.float64)
    weights.flags.writeable = False  # the same array is given to everybody who asks
    return weights


def bca(figure: Replicates, confidence: float) -> Interval:
    """Bias-corrected and accelerated percentile interval (Efron & Tibshirani 1993, §14.3), widened.

    Percentiles are too narrow for few persons. As Hesterberg proposes (The American Statistician
    69, 2015, doi 10.1080/00031305.2015.1089789), the normal quantiles behind them are replaced by
    those of Student's t with P − 1 degrees of freedom, times √(P / (P − 1)). docs/statistics.md has
    the coverage with and without.

    Draws in which the figure is undefined are left out; where they are half of all or more, or
    there are fewer than two persons, there is no interval.
    """
    value = float(figure.value)
    draws = figure.draws[np.isfinite(figure.draws)]
    if len(figure.jackknife) < 2 or np.isnan(value) or 2 * len(draws) <= len(figure.draws):
        return Interval(value, float("nan"), float("nan"))
    rounding = 1e-9 * max(1.0, abs(value))  # sums differ by it from processor to processor
    if np.ptp(draws) <= rounding:
        return Interval(value, value, value)
    above = draws - value
    share = ((above < -rounding).sum() + 0.5 * (abs(above) <= rounding).sum()) / len(draws)
    bias = ndtri(np.clip(share, 1 / len(draws), 1 - 1 / len(draws)))
    without = figure.jackknife[np.isfinite(figure.jackknife)]
    pull = without.mean() - without if len(without) else np.zeros(1)
    spread = (pull**2).sum()
    acceleration = (pull**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
    persons = len(figure.jackknife)
    quantile = stdtrit(persons - 1, (1 + confidence) / 2) * np.sqrt(persons / (persons - 1))
    tails = bias + np.array([-quantile, quantile])
    low, high = np.quantile(draws, ndtr(bias + tails / (1 - acceleration * tails)))
    return Interval(value, float(low), float(high))

"""Correlations and R²: how well the order and the spread of the true scores are met. 1 is best.

They are NaN where they are undefined: for fewer than two rows and where the truth or, for
correlations, the prediction is `constant`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from registry import register_metric
from zoo.evaluation.metrics.metric import Array, Metric, Rows, constant

_CHUNK = 1 << 18
"""Rows times draws that are ranked at a time: a few megabytes."""


@register_metric("pearson")
class Pearson(Metric):
    """Pearson's correlation, −1 to 1."""

    title = "Pearson"
    unit = "r"
    decimals = 3
    higher_is_better = True
    place = 50
    shown = False
    targets = "score"
    ranks = True

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        if constant(true) or constant(predicted):
            return float("nan")
        y, p = true - true.mean(), predicted - predicted.mean()
        y, p = y / np.abs(y).max(), p / np.abs(p).max()
        return float(np.clip((y @ p) / np.sqrt((y @ y) * (p @ p)), -1.0, 1.0))


@register_metric("spearman")
class Spearman(Pearson):
    """Spearman's rank correlation, −1 to 1, ties sharing their mean rank."""

    title = "Spearman"
    unit = "ρ"
    place = 40
    shown = True

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        if constant(true) or constant(predicted):
            return float("nan")
        return super().value(*rankdata([true, predicted], axis=1))

    def weighted(self, tables: Sequence[Rows], weights: Array) -> Array:
        """See `Metric.weighted`.

        Once rows are in the order of their values, a weighting needs no sorting: a rank is a
        running sum of weights. Twice the ranks are whole numbers, so all sums of them here are
        exact; those of their squares are (T³ − Σ w³) / 3, T rows of which w have each value. What
        persons and true scores decide is computed once for all tables that share them.
        """
        out = np.empty((len(tables), weights.shape[1]))
        alike: dict[bytes, list[int]] = defaultdict(list)
        for i, table in enumerate(tables):
            alike[table.person.tobytes() + table.true.tobytes()].append(i)
        for same in alike.values():
            person, true, _ = tables[same[0]]
            step = max(1, _CHUNK // len(person))
            for start in range(0, weights.shape[1], step):
                weight = weights[person, start : start + step]
                total, cubes = weight.sum(axis=0), _cube(weight).sum(axis=0)
                by_row, yy = np.empty_like(weight), _cube(total) - cubes
                for rows, there, rank in _ranked(true, weight):
                    by_row[rows] = (rank - total) * weight[rows]
                    if len(rows) > 1:
                        yy -= _cube(there) - _cube(weight[rows]).sum(axis=0)
                centre = total * by_row.sum(axis=0)
                for i in same:
                    xy, xx = -centre, _cube(total) - cubes
                    for rows, there, rank in _ranked(tables[i].predicted, weight):
                        rank *= _sum(by_row, rows)
                        xy += rank
                        if len(rows) > 1:
                            xx -= _cube(there) - _cube(weight[rows]).sum(axis=0)
                    with np.errstate(divide="ignore", invalid="ignore"):
                        out[i, start : start + step] = xy / np.sqrt((xx / 3) * (yy / 3))
        return out


@register_metric("r2")
class R2(Metric):
    """Coefficient of determination, 1 − Σ(y − ŷ)² / Σ(y − ȳ)².

    0 is as good as the mean of the true scores.
    """

    title = "R²"
    unit = ""
    decimals = 3
    higher_is_better = True
    place = 60
    shown = False

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        if constant(true):
            return float("nan")
        return float(1 - ((true - predicted) ** 2).sum() / ((true - true.mean()) ** 2).sum())


def _ranked(values: Array, weight: Array) -> Iterator[tuple[NDArray[np.int64], Array, Array]]:
    """The values from the smallest on: the rows of each, how often it is there, twice its mid-rank.

    Args:
        values: (N,).
        weight: how often each row is there in each of R draws (N, R).
    """
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order], append=np.inf)) + 1
    below = np.zeros(weight.shape[1])
    for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        rows = order[start:end]
        there = _sum(weight, rows)
        upto = below + there
        yield rows, there, below + upto
        below = upto


def _sum(values: Array, rows: NDArray[np.int64]) -> Array:
    """The sum of some rows (N, R) → (R,)."""
    return values[rows[0]] if len(rows) == 1 else values[rows].sum(axis=0)


def _cube(values: Array) -> Array:
    return values * values * values

"""Correlations and R²: how well the order and the spread of the true scores are met. 1 is best.

They are NaN where they are undefined: for fewer than two rows and where the truth or, for
correlations, the prediction is `constant`.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from registry import register_metric
from zoo.evaluation.metrics.metric import Array, Metric, Rows, constant

_CHUNK = 1 << 16
"""Rows times draws that are ranked at a time, so that they stay in a core's cache."""


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
        return super().value(rankdata(true), rankdata(predicted))

    def weighted(self, tables: Sequence[Rows], weights: Array) -> Array:
        """See `Metric.weighted`.

        Once rows are in the order of their values, a weighting needs no sorting: a rank is a
        running sum of weights. Twice the ranks are whole numbers, so all sums of them here are
        exact. What persons and true scores decide is computed once for all tables that share them.
        """
        out = np.empty((len(tables), weights.shape[1]))
        alike: dict[bytes, list[int]] = defaultdict(list)
        for i, rows in enumerate(tables):
            alike[rows.person.tobytes() + rows.true.tobytes()].append(i)
        for same in alike.values():
            person, true, _ = tables[same[0]]
            truth = _Ties.of(true)
            ties = [_Ties.of(tables[i].predicted) for i in same]
            step = max(1, _CHUNK // len(person))
            for start in range(0, weights.shape[1], step):
                weight = weights[person, start : start + step]
                total = weight.sum(axis=0)
                y, yy = truth.ranks(truth.sum(weight), total)
                by_row = np.empty_like(weight)
                by_row[truth.order] = np.repeat(y, truth.sizes, axis=0)
                by_row *= weight
                for i, tie in zip(same, ties, strict=True):
                    x, xx = tie.ranks(tie.sum(weight), total)
                    x *= tie.sum(by_row)
                    with np.errstate(divide="ignore", invalid="ignore"):
                        out[i, start : start + step] = x.sum(axis=0) / np.sqrt(xx * yy)
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


class _Ties(NamedTuple):
    """Rows in the order of their values, those of equal value together.

    Attributes:
        order: the rows (N,).
        starts: where each of the G values begins in `order` (G,).
        sizes: number of rows of each value (G,).
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, values: Array) -> "_Ties":
        order = np.argsort(values, kind="stable")
        starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
        return cls(order, starts, np.diff(starts, append=len(values)))

    def sum(self, rows: Array) -> Array:
        """Sums over the rows of each value (N, R) → (G, R)."""
        ordered = rows[self.order]
        return np.add.reduceat(ordered, self.starts) if len(self.starts) < len(rows) else ordered

    @staticmethod
    def ranks(weight: Array, total: Array) -> tuple[Array, Array]:
        """Twice the mid-rank of each value (G, R), less the mean, and the sum of its squares (R,).

        Args:
            weight: how often each value is there (G, R).
            total: the sum of that over all values (R,).
        """
        ranks = np.empty_like(weight)
        ranks[0] = weight[0]
        for before, own, ranked in zip(ranks, weight[1:], ranks[1:]):
            np.add(before, own, out=ranked)  # NumPy's cumsum along rows takes three times as long
        ranks *= 2
        ranks -= weight
        ranks -= total
        return ranks, (total * total * total - (weight * weight * weight).sum(axis=0)) / 3

"""Metrics of a binary target: 1 (right) or 0 (wrong), predicted as a number by the same regression.

They go from 0 to 1; 1 is best. What needs a decision says right from `THRESHOLD` on.
"""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from registry import register_metric
from zoo.evaluation.metrics.metric import Array, Metric, Rows

THRESHOLD = 0.5
"""A prediction of at least this much says right."""


class _Binary(Metric):
    unit = ""
    decimals = 3
    higher_is_better = True
    targets = "binary"


@register_metric("auc")
class AUC(_Binary):
    """Area under the ROC curve: how often a right one is predicted higher.

    The share of pairs of a right and a wrong row in which the right one has the higher prediction,
    ties counting half (Mann–Whitney); 0.5 is chance. NaN unless both occur.
    """

    title = "AUC"
    place = 70
    ranks = True
    unordered = 0.5

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        y = true == 1
        right, wrong = int(y.sum()), int((~y).sum())
        if not right or not wrong:
            return float("nan")
        ranks = rankdata(predicted)[y].sum()
        return float((ranks - right * (right + 1) / 2) / (right * wrong))

    def weighted(self, tables: Sequence[Rows], weights: Array) -> Array:
        """See `Metric.weighted`: below a right row lies a running sum of wrong ones' weights."""
        out = np.empty((len(tables), weights.shape[1]))
        for t, rows in enumerate(tables):
            order = np.argsort(rows.predicted, kind="stable")
            predicted, y = rows.predicted[order], rows.true[order] == 1
            first = np.searchsorted(predicted, predicted[y], side="left")
            last = np.searchsorted(predicted, predicted[y], side="right")
            weight = weights[rows.person[order]]
            below = np.zeros((len(y) + 1, weights.shape[1]))
            np.cumsum(np.where(y[:, None], 0.0, weight), axis=0, out=below[1:])
            won = (weight[y] * (below[first] + below[last])).sum(axis=0) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                out[t] = won / (weight[y].sum(axis=0) * below[-1])
        return out


class _Decision(_Binary):
    """A function of how many rows are right and wrong, and said to be."""

    @abstractmethod
    def of_counts(self, tp: Array, fn: Array, fp: Array, tn: Array) -> Array:
        """The metric, given true positives, false negatives, false positives, true negatives."""

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        counts = [np.array(cell.sum(), dtype=np.float64) for cell in _cells(true, predicted)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(self.of_counts(*counts))

    def weighted(self, tables: Sequence[Rows], weights: Array) -> Array:
        """See `Metric.weighted`: the counts of each person are weighted."""
        out = np.empty((len(tables), weights.shape[1]))
        for t, rows in enumerate(tables):
            counts = [
                np.bincount(rows.person, cell, minlength=len(weights)) @ weights
                for cell in _cells(rows.true, rows.predicted)
            ]
            with np.errstate(divide="ignore", invalid="ignore"):
                out[t] = self.of_counts(*counts)
        return out


def _cells(true: Array, predicted: Array) -> tuple[Array, Array, Array, Array]:
    """Which rows are true positives, false negatives, false positives and true negatives (N,)."""
    y, said = true == 1, predicted >= THRESHOLD
    return y & said, y & ~said, ~y & said, ~y & ~said


@register_metric("balanced-accuracy")
class BalancedAccuracy(_Decision):
    """Mean of the shares of right and of wrong rows that are recognised; 0.5 is chance.

    NaN unless both occur.
    """

    title = "balanced acc."
    place = 80

    def of_counts(self, tp: Array, fn: Array, fp: Array, tn: Array) -> Array:
        """(TP / (TP + FN) + TN / (TN + FP)) / 2."""
        return (tp / (tp + fn) + tn / (tn + fp)) / 2


@register_metric("f1")
class F1(_Decision):
    """Harmonic mean of precision and recall of the right ones, 2 TP / (2 TP + FP + FN).

    NaN where no row is right and none is said to be.
    """

    title = "F1"
    place = 90

    def of_counts(self, tp: Array, fn: Array, fp: Array, tn: Array) -> Array:
        """2 TP / (2 TP + FP + FN)."""
        return 2 * tp / (2 * tp + fp + fn)

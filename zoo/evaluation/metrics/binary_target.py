"""Metrics of a binary target: 1 (right) or 0 (wrong), predicted as a number by the same regression.

They go from 0 to 1; 1 is best. What needs a decision says right from `THRESHOLD` on.
"""

import numpy as np
from scipy.stats import rankdata

from registry import register_metric
from zoo.evaluation.metrics.metric import Array, Metric

THRESHOLD = 0.5
"""A prediction of at least this much says right."""


class _Binary(Metric):
    unit = ""
    decimals = 3
    higher_is_better = True
    binary = True


@register_metric("auc")
class AUC(_Binary):
    """Area under the ROC curve: how often a right one is predicted higher.

    The share of pairs of a right and a wrong row in which the right one has the higher prediction,
    ties counting half (Mann–Whitney); 0.5 is chance. NaN unless both occur.
    """

    title = "AUC"
    place = 70

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        y = true == 1
        right, wrong = int(y.sum()), int((~y).sum())
        if not right or not wrong:
            return float("nan")
        ranks = rankdata(predicted)[y].sum()
        return float((ranks - right * (right + 1) / 2) / (right * wrong))


@register_metric("balanced-accuracy")
class BalancedAccuracy(_Binary):
    """Mean of the shares of right and of wrong rows that are recognised; 0.5 is chance.

    NaN unless both occur.
    """

    title = "balanced acc."
    place = 80

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        y, said = true == 1, predicted >= THRESHOLD
        if y.all() or not y.any():
            return float("nan")
        return float((said[y].mean() + (~said[~y]).mean()) / 2)


@register_metric("f1")
class F1(_Binary):
    """Harmonic mean of precision and recall of the right ones, 2 TP / (2 TP + FP + FN).

    NaN where no row is right and none is said to be.
    """

    title = "F1"
    place = 90

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`."""
        y, said = true == 1, predicted >= THRESHOLD
        either = int(y.sum()) + int(said.sum())
        return 2 * int((y & said).sum()) / either if either else float(np.nan)

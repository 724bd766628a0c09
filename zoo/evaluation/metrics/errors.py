"""Errors: what is averaged over the rows. 0 is best."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from registry import register_metric
from zoo.evaluation.metrics.metric import Array, Metric, Rows


class RowMean(Metric):
    """A mean over rows, or a function of one; weighted values follow from it."""

    @abstractmethod
    def of_rows(self, true: Array, predicted: Array) -> Array:
        """What is averaged (N,); NaN for a row that does not count."""

    def of_mean(self, mean: Array) -> Array:
        """The metric, given the mean."""
        return mean

    def value(self, true: Array, predicted: Array) -> float:
        """See `Metric.value`; NaN where no row counts."""
        errors = self.of_rows(true, predicted)
        known = errors[~np.isnan(errors)]
        return float(self.of_mean(known.mean())) if known.size else float("nan")

    def weighted(self, tables: Sequence[Rows], weights: Array) -> Array:
        """See `Metric.weighted`: sums over each person's rows are weighted, not the rows."""
        total = np.empty((len(tables), len(weights)))
        count = np.empty_like(total)
        for t, rows in enumerate(tables):
            errors = self.of_rows(rows.true, rows.predicted)
            known = ~np.isnan(errors)
            total[t] = np.bincount(rows.person[known], errors[known], minlength=len(weights))
            count[t] = np.bincount(rows.person[known], minlength=len(weights))
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.of_mean((total @ weights) / (count @ weights))


@register_metric("mad")
class MAD(RowMean):
    """Mean absolute deviation, mean(|y − ŷ|), in score units."""

    title = "MAD"
    place = 10

    def of_rows(self, true: Array, predicted: Array) -> Array:
        """|y − ŷ| (N,)."""
        return np.abs(true - predicted)


@register_metric("rmse")
class RMSE(RowMean):
    """Root mean squared error, √mean((y − ŷ)²), in score units."""

    title = "RMSE"
    place = 20

    def of_rows(self, true: Array, predicted: Array) -> Array:
        """(y − ŷ)² (N,)."""
        return np.square(true - predicted)

    def of_mean(self, mean: Array) -> Array:
        """Its root."""
        return np.sqrt(mean)


@register_metric("mape")
class MAPE(RowMean):
    """Mean absolute percentage error, 100 · mean(|y − ŷ| / |y|).

    Rows whose true score is 0 have no percentage and are left out; NaN when none is left.
    """

    title = "MAPE"
    unit = "%"
    decimals = 2
    place = 30
    targets = "score"

    def of_rows(self, true: Array, predicted: Array) -> Array:
        """|y − ŷ| / |y| (N,)."""
        none = np.full(true.shape, np.nan)
        return np.divide(np.abs(true - predicted), np.abs(true), out=none, where=true != 0)

    def of_mean(self, mean: Array) -> Array:
        """In percent."""
        return 100 * mean


mad = MAD("mad")
"""What models are chosen by on validation people, and what scores are ranked by."""

"""How far predicted scores are from true ones, in score units (0–50 for KIMORE).

Pure functions on float64 arrays (N,). For all of them: an empty input gives NaN, and a value that
is not finite is an error, because a model that predicts NaN has failed and no average should hide
it. Correlations and R² are NaN where they are undefined: for fewer than two samples and where the
truth or, for correlations, the prediction is constant. Constant means a spread of at most one
millionth of the largest value, so that rounding in float32 does not pass for an order.

A binary target is 1 (right) or 0 (wrong) and is predicted as a number by the same regression;
1 is the positive class. What needs a decision says right from `THRESHOLD` on. The measures of
`BINARY_METRICS` go from 0 to 1, 1 is best.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from zoo.errors import DataError

Array = NDArray[np.float64]

METRICS = ("mad", "rmse", "mape", "spearman", "pearson", "r2")
"""Names of the metrics, in the order in which tables show them."""

BINARY_METRICS = ("auc", "balanced_accuracy", "f1")
"""Names of those that a binary target has beside `METRICS`."""

THRESHOLD = 0.5
"""A prediction of at least this much says right."""


def mad(true: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute deviation, mean(|y − ŷ|), in score units; 0 is best."""
    y, p = _pair(true, predicted)
    return float(np.abs(y - p).mean()) if y.size else float("nan")


def rmse(true: ArrayLike, predicted: ArrayLike) -> float:
    """Root mean squared error, √mean((y − ŷ)²), in score units; 0 is best."""
    y, p = _pair(true, predicted)
    return float(np.sqrt(((y - p) ** 2).mean())) if y.size else float("nan")


def mape(true: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute percentage error, 100 · mean(|y − ŷ| / |y|); 0 is best.

    Samples whose true score is 0 have no percentage and are left out; NaN when none is left.
    """
    y, p = _pair(true, predicted)
    known = y != 0
    if not known.any():
        return float("nan")
    return float(100 * (np.abs(y[known] - p[known]) / np.abs(y[known])).mean())


def pearson(true: ArrayLike, predicted: ArrayLike) -> float:
    """Pearson's correlation, −1 to 1; 1 is best, NaN where undefined."""
    y, p = _pair(true, predicted)
    return _correlation(y, p)


def spearman(true: ArrayLike, predicted: ArrayLike) -> float:
    """Spearman's rank correlation, −1 to 1, ties sharing their mean rank; NaN where undefined."""
    y, p = _pair(true, predicted)
    if constant(y) or constant(p):
        return float("nan")
    return _correlation(rankdata(y), rankdata(p))


def r2(true: ArrayLike, predicted: ArrayLike) -> float:
    """Coefficient of determination, 1 − Σ(y − ŷ)² / Σ(y − ȳ)².

    1 is best, 0 is as good as the mean of the true scores; NaN for constant true scores.
    """
    y, p = _pair(true, predicted)
    if constant(y):
        return float("nan")
    return float(1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def score_metrics(true: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Every metric of `METRICS` by name.

    Args:
        true: true scores (N,).
        predicted: predicted scores (N,), in the same units.

    Raises:
        DataError: lengths differ, or a value is not finite.
    """
    functions = {
        "mad": mad,
        "rmse": rmse,
        "mape": mape,
        "spearman": spearman,
        "pearson": pearson,
        "r2": r2,
    }
    return {name: functions[name](true, predicted) for name in METRICS}


def auc(true: ArrayLike, predicted: ArrayLike) -> float:
    """Area under the ROC curve of a binary target: how often a right one is predicted higher.

    The share of pairs of a right and a wrong sample in which the right one has the higher
    prediction, ties counting half (Mann–Whitney); 0.5 is chance. NaN unless both occur.
    """
    y, p = _binary_pair(true, predicted)
    right, wrong = int(y.sum()), int((~y).sum())
    if not right or not wrong:
        return float("nan")
    return float((rankdata(p)[y].sum() - right * (right + 1) / 2) / (right * wrong))


def balanced_accuracy(true: ArrayLike, predicted: ArrayLike) -> float:
    """Mean of the shares of right and of wrong samples that are recognised; 0.5 is chance.

    NaN unless both occur.
    """
    y, p = _binary_pair(true, predicted)
    if y.all() or not y.any():
        return float("nan")
    said = p >= THRESHOLD
    return float((said[y].mean() + (~said[~y]).mean()) / 2)


def f1(true: ArrayLike, predicted: ArrayLike) -> float:
    """Harmonic mean of precision and recall of the right ones, 2 TP / (2 TP + FP + FN).

    NaN where no sample is right and none is said to be.
    """
    y, p = _binary_pair(true, predicted)
    said = p >= THRESHOLD
    either = int(y.sum()) + int(said.sum())
    return 2 * int((y & said).sum()) / either if either else float("nan")


def binary_metrics(true: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Every metric of `BINARY_METRICS` by name.

    Args:
        true: 1 for right, 0 for wrong (N,).
        predicted: any numbers (N,), more for right.

    Raises:
        DataError: lengths differ, a value is not finite, or a true one is neither 0 nor 1.
    """
    functions = {"auc": auc, "balanced_accuracy": balanced_accuracy, "f1": f1}
    return {name: functions[name](true, predicted) for name in BINARY_METRICS}


def constant(values: Array) -> bool:
    """Whether there is no order among `values` (N,): fewer than two, or all alike."""
    if values.size < 2:
        return True
    return bool(np.ptp(values) <= 1e-6 * np.abs(values).max())


def _pair(true: ArrayLike, predicted: ArrayLike) -> tuple[Array, Array]:
    y = np.asarray(true, dtype=np.float64)
    p = np.asarray(predicted, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape:
        raise DataError(
            f"metrics need as many predictions as true scores: got shapes {y.shape} and {p.shape}"
        )
    for what, values in (("true", y), ("predicted", p)):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise DataError(
                f"the {what} score of sample {bad[0]} is {values[bad[0]]}, and {bad.size} of "
                f"{values.size} are not finite: no metric can be computed"
            )
    return y, p


def _binary_pair(true: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.bool_], Array]:
    y, p = _pair(true, predicted)
    bad = np.flatnonzero((y != 0) & (y != 1))
    if bad.size:
        raise DataError(
            f"the true score of sample {bad[0]} is {y[bad[0]]:g}: a binary target is 0 or 1"
        )
    return y == 1, p


def _correlation(y: Array, p: Array) -> float:
    if constant(y) or constant(p):
        return float("nan")
    y, p = y - y.mean(), p - p.mean()
    y, p = y / np.abs(y).max(), p / np.abs(p).max()
    return float(np.clip((y @ p) / np.sqrt((y @ y) * (p @ p)), -1.0, 1.0))

"""What a metric is: how far predicted scores are from true ones, and how that is shown.

A metric is one class. Its `value` is a pure function of float64 arrays (N,) that are checked
before: calling the metric, as ``load_metric("mad")(true, predicted)``, refuses values that are not
finite, because a model that predicts NaN has failed and no average should hide it, and gives NaN
for an empty input.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import DataError
from zoo.words import score_digits

Array = NDArray[np.float64]

POINTS = "points"
"""Unit of a metric that is a number of points of the score."""


class Rows(NamedTuple):
    """True and predicted scores, and whose they are.

    Attributes:
        person: number of the person of each row, 0 … P − 1 (N,).
        true: true scores (N,).
        predicted: predicted scores (N,).
    """

    person: NDArray[np.int64]
    true: Array
    predicted: Array


class Metric(ABC):
    """A measure of predicted scores; registered with ``@register_metric("name")``.

    Attributes:
        name: as registered.
        title: at the head of a column; the name if not given.
        unit: ``points`` for a number of points of the score, ``%``, or a symbol.
        decimals: decimals that are shown; None for those of the scores.
        higher_is_better: whether more is better.
        place: columns stand in ascending order of it, then of the names.
        shown: whether it has a column in tables and boards; others stand in ``run.json`` alone.
        targets: ``any``; ``score`` where it means nothing of right (1) and wrong (0), as a
            percentage of the true score does; ``binary`` for right and wrong alone, 1 being the
            positive class.
        ranks: whether it looks at the order of the predictions alone. Predictions that are constant
            within every fold have none: it is then `unordered`.
        unordered: what it is where there is no order: NaN for undefined.
    """

    title: str = ""
    unit: str = POINTS
    decimals: int | None = None
    higher_is_better: bool = False
    place: int = 100
    shown: bool = True
    targets: Literal["any", "score", "binary"] = "any"
    ranks: bool = False
    unordered: float = float("nan")

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = self.title or name

    @abstractmethod
    def value(self, true: Array, predicted: Array) -> float:
        """The metric of N ≥ 1 finite scores; NaN where it is undefined.

        Args:
            true: (N,) float64 in score units; 0 or 1 for a binary metric.
            predicted: (N,) float64 in the same units.
        """

    def weighted(self, tables: Sequence[Rows], weights: Array) -> Array:
        """The metric of each table when each person is there several times or not at all.

        Here it is `value` of the repeated rows, one draw after the other, which takes a while: a
        metric with a formula for weights should give it.

        Args:
            tables: rows of persons 0 … P − 1.
            weights: whole numbers of times each person is there in each of R draws (P, R).

        Returns:
            (tables, R), NaN where undefined.
        """
        out = np.full((len(tables), weights.shape[1]), np.nan)
        for t, rows in enumerate(tables):
            times = weights[rows.person].astype(np.int64)
            for r in np.flatnonzero(times.any(axis=0)):
                again = np.repeat(np.arange(len(times)), times[:, r])
                out[t, r] = self.value(rows.true[again], rows.predicted[again])
        return out

    def __call__(self, true: ArrayLike, predicted: ArrayLike) -> float:
        """The metric of scores (N,); NaN where it is undefined or there are none.

        Raises:
            DataError: lengths differ, a value is not finite, or a true score of a binary metric is
                neither 0 nor 1.
        """
        y = np.asarray(true, dtype=np.float64)
        p = np.asarray(predicted, dtype=np.float64)
        if y.ndim != 1 or y.shape != p.shape:
            raise DataError(
                f"metrics need as many predictions as true scores: got shapes {y.shape} and "
                f"{p.shape}"
            )
        for what, values in (("true", y), ("predicted", p)):
            if not np.isfinite(values).all():
                bad = np.flatnonzero(~np.isfinite(values))
                raise DataError(
                    f"the {what} score of sample {bad[0]} is {values[bad[0]]}, and {bad.size} of "
                    f"{values.size} are not finite: no metric can be computed"
                )
        if self.targets == "binary" and (bad := np.flatnonzero((y != 0) & (y != 1))).size:
            raise DataError(
                f"the true score of sample {bad[0]} is {y[bad[0]]:g}: a binary target is 0 or 1"
            )
        return float(self.value(y, p)) if y.size else float("nan")

    def fits(self, binary: bool) -> bool:
        """Whether it is for targets that are right or wrong, or else for scores."""
        return self.targets in ("any", "binary" if binary else "score")

    @property
    def heading(self) -> str:
        """Title of a column without room for the unit: ``MAD``, ``MAPE %``."""
        return f"{self.title} %" if self.unit == "%" else self.title

    def digits(self, score_range: Sequence[float] | None) -> int:
        """Decimals that are shown where scores run over this range; None where it is unknown."""
        return score_digits(score_range) if self.decimals is None else self.decimals


def constant(values: Array) -> bool:
    """Whether there is no order among `values` (N,): fewer than two, or all alike.

    Alike means a spread of at most one millionth of the largest value, so that rounding in float32
    does not pass for an order.
    """
    if values.size < 2:
        return True
    return bool(np.ptp(values) <= 1e-6 * np.abs(values).max())

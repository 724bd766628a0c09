"""Whether one model is better than another, person by person.

Each person is one pair: the mean absolute error of the first model and that of the second
(`person_errors`). What makes a person easy or hard to score for both, far more than what sets
models apart, cancels in their difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import wilcoxon

from zoo.errors import DataError
from zoo.evaluation.statistics.bootstrap import RESAMPLES, Replicates, bca, person_weights
from zoo.evaluation.statistics.tables import Array, PersonErrors, Table, compare_persons

SIGNIFICANCE = 0.05
"""Level of a family of tests, after Holm's correction."""

EXACT_PERSONS = 16
"""With so many persons who differ or fewer, all 2ⁿ sign flips are counted; else `FLIPS` drawn."""

FLIPS = 19_999
"""Sign flips drawn; the smallest p value they can give is 1 / (`FLIPS` + 1)."""


@dataclass(frozen=True)
class Paired:
    """Two models compared person by person.

    Attributes:
        difference: mean over persons of the first model's error minus the second's, in score
            units; negative where the first is better.
        low: lower end of its interval, by bootstrap over persons.
        high: upper end.
        wilcoxon_p: two-sided p value of Wilcoxon's signed-rank test.
        permutation_p: two-sided p value of the sign-flip permutation test of the mean difference.
    """

    difference: float
    low: float
    high: float
    wilcoxon_p: float
    permutation_p: float

    @property
    def clear(self) -> bool:
        """Whether the difference is beyond noise: by the permutation test, and by its interval."""
        return self.permutation_p <= SIGNIFICANCE and (self.low > 0 or self.high < 0)

    @property
    def word(self) -> str:
        """``better``, ``worse`` or ``no clear difference``, of the first model."""
        if not self.clear:
            return "no clear difference"
        return "better" if self.difference < 0 else "worse"


@dataclass(frozen=True)
class Comparison(Paired):
    """A model against a reference, as one of a family of comparisons with it.

    Attributes:
        wilcoxon_holm: `wilcoxon_p`, corrected for the size of the family.
        permutation_holm: `permutation_p`, corrected.
    """

    wilcoxon_holm: float
    permutation_holm: float

    @property
    def significant(self) -> bool:
        """Whether the mean difference is beyond noise, by the corrected permutation test."""
        return self.permutation_holm <= SIGNIFICANCE

    @property
    def worse(self) -> bool:
        """Whether the model is beyond noise worse than the reference."""
        return self.significant and self.difference > 0


def paired(
    errors_a: ArrayLike,
    errors_b: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Paired:
    """Two models compared over the same persons.

    Args:
        errors_a: mean absolute error of each person by the first model (P,).
        errors_b: the same by the second, in the same order.
        confidence: probability of the interval.
        resamples: draws of persons behind the interval.
        seed: seed of the draws and sign flips.

    Raises:
        DataError: shapes differ, fewer than two persons, or a value is not finite.
    """
    a, b = np.asarray(errors_a, dtype=np.float64), np.asarray(errors_b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise DataError(
            f"a paired comparison needs one error a person and model: got shapes {a.shape} and "
            f"{b.shape}"
        )
    if len(a) < 2:
        raise DataError(f"a paired comparison needs at least two persons, not {len(a)}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        at = int(np.flatnonzero(~(np.isfinite(a) & np.isfinite(b)))[0])
        raise DataError(f"the errors of person {at} are {a[at]} and {b[at]}: both must be finite")
    # Rounding is no difference; sorted, the result does not depend on the order of persons.
    difference = np.sort(np.round(a - b, 9))
    persons = len(difference)
    figure = Replicates(
        value=difference.mean(),
        draws=difference @ person_weights(persons, resamples, seed) / persons,
        jackknife=(difference.sum() - difference) / (persons - 1),
    )
    interval = bca(figure, confidence)
    differing = difference[difference != 0]
    return Paired(
        difference=interval.value,
        low=interval.low,
        high=interval.high,
        wilcoxon_p=float(wilcoxon(differing).pvalue) if len(differing) else 1.0,
        permutation_p=_sign_flip_p(differing, seed),
    )


def paired_tables(a: Sequence[Table], b: Sequence[Table]) -> Paired:
    """Two models compared over the persons in their tables, as of one run, a few, or a whole board.

    Args:
        a: tables of the first model (`zoo.runs.run.pooled_tables` makes them of runs).
        b: tables of the second, of the same persons and exercises.

    Raises:
        DataError: fewer than two persons, or not the same ones.
    """
    pairs = compare_persons(a, b)
    return paired([p.error_a for p in pairs], [p.error_b for p in pairs])


def versus(
    models: Mapping[str, PersonErrors],
    reference: str,
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Comparison]:
    """Every other model compared with one of them, p values corrected by Holm's method.

    With the best model as reference, those that are not `Comparison.worse` are tied with it.

    Args:
        models: errors of the persons by model.
        reference: name of the model the others are compared with.
        resamples: draws of persons behind the intervals, each for itself at 95 %.

    Raises:
        DataError: no such reference, or models tested on different persons.
    """
    if reference not in models:
        raise DataError(f"there is no model {reference!r} to compare the others with")
    against = models[reference]
    pairs: dict[str, Paired] = {}
    for name, errors in models.items():
        if errors.person != against.person:
            raise DataError(
                f"{name} and {reference} were not tested on the same persons, so they cannot be "
                "compared person by person"
            )
        if name != reference:
            pairs[name] = paired(errors.error, against.error, resamples=resamples)
    wilcoxon_holm = holm([pair.wilcoxon_p for pair in pairs.values()])
    permutation_holm = holm([pair.permutation_p for pair in pairs.values()])
    return {
        name: Comparison(
            **vars(pair),
            wilcoxon_holm=float(wilcoxon_holm[i]),
            permutation_holm=float(permutation_holm[i]),
        )
        for i, (name, pair) in enumerate(pairs.items())
    }


def holm(p: ArrayLike) -> Array:
    """P values corrected for their number by Holm's step-down method (1979), in the same order.

    The smallest of m is multiplied by m, the next by m − 1 and so on, none falling below the one
    before it nor rising above 1. Rejecting those of at most α keeps the probability of any false
    rejection at α, however the tests depend on each other.

    Args:
        p: p values (m,).

    Raises:
        DataError: a p value outside 0 to 1.
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise DataError(f"p values lie between 0 and 1, got {values.tolist()}")
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


def _sign_flip_p(differing: Array, seed: int) -> float:
    """Two-sided p value of the mean under every, or many random, flips of the signs.

    Were the models equal, each difference could as well have the other sign. Of all 2ⁿ flips, the
    p value is the share whose mean is at least as far from 0 as the one observed; of B random ones,
    the observed counts among them: (b + 1) / (B + 1), which keeps the level (Phipson & Smyth 2010,
    doi 10.2202/1544-6115.1585).
    """
    sizes = np.sort(np.abs(differing))
    # Sums in another order differ by rounding, and a tie with the observed one must count.
    observed = np.abs(differing.sum()) - 1e-9 * sizes.sum()
    if len(sizes) <= EXACT_PERSONS:
        sums = np.zeros(1)
        for size in sizes:
            sums = np.concatenate([sums + size, sums - size])
        return float((np.abs(sums) >= observed).mean())
    beyond = (np.abs(_random_signs(len(sizes), seed) @ sizes) >= observed).sum()
    return float((beyond + 1) / (FLIPS + 1))


@cache
def _random_signs(persons: int, seed: int) -> Array:
    """Signs −1 and 1 (`FLIPS`, persons), from the raw output of PCG64; see `person_weights`."""
    raw = np.random.PCG64(seed).random_raw(FLIPS * persons)
    return np.where(raw >> np.uint64(63), -1.0, 1.0).reshape(FLIPS, persons)

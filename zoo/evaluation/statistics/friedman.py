"""Whether models differ over blocks, and which are too close to tell apart.

Demšar, Statistical comparisons of classifiers over multiple data sets, JMLR 7 (2006), 1–30.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, f, rankdata, studentized_range

from zoo.errors import DataError


@dataclass(frozen=True)
class Friedman:
    """Outcome of Friedman's test, with what a critical-difference diagram shows.

    Attributes:
        statistic: Friedman's χ², corrected for ties; M − 1 degrees of freedom.
        p: its p value.
        f_statistic: Iman and Davenport's F, which keeps the level better; infinite where all
            blocks rank the models alike.
        f_p: its p value, with M − 1 and (M − 1)(B − 1) degrees of freedom.
        blocks: number of blocks B.
        mean_ranks: name and mean rank of each model, best first; 1 is best.
        critical_difference: mean ranks further apart than this differ (Nemenyi).
        cliques: the largest groups of two or more neighbours whose mean ranks do not, best first.
    """

    statistic: float
    p: float
    f_statistic: float
    f_p: float
    blocks: int
    mean_ranks: tuple[tuple[str, float], ...]
    critical_difference: float
    cliques: tuple[tuple[str, ...], ...]


def friedman(blocks: ArrayLike, names: Sequence[str], *, alpha: float = 0.05) -> Friedman:
    """Friedman's test with Nemenyi's critical difference.

    With ranks r within the B blocks, ties sharing their mean, and mean ranks R of the M models::

        χ² = (M − 1) B² Σ (R − (M + 1) / 2)² / Σ (r − (M + 1) / 2)²
        F  = (B − 1) χ² / (B (M − 1) − χ²)
        CD = q √(M (M + 1) / (6 B))

    with q the 1 − `alpha` quantile of the studentised range of M means, divided by √2.

    Args:
        blocks: error of each model in each block (B, M), lower is better; here a block is the test
            part of one exercise and fold.
        names: the M models.
        alpha: level of the critical difference.

    Raises:
        DataError: fewer than three models or two blocks, names that do not fit, or a value that is
            not finite.
    """
    errors = np.asarray(blocks, dtype=np.float64)
    if errors.ndim != 2 or errors.shape[1] != len(names):
        raise DataError(
            f"Friedman's test needs a row for each block and a column for each of {len(names)} "
            f"models, got shape {errors.shape}"
        )
    b, m = errors.shape
    if m < 3 or b < 2:
        raise DataError(
            f"Friedman's test needs at least three models and two blocks, got {m} and {b}"
        )
    if not np.isfinite(errors).all():
        block, model = np.argwhere(~np.isfinite(errors))[0]
        raise DataError(f"{names[model]} has no finite error in block {block}")
    ranks = rankdata(np.round(errors, 9), axis=1)
    mean = ranks.mean(axis=0)
    spread = ((ranks - (m + 1) / 2) ** 2).sum()
    between = b**2 * ((mean - (m + 1) / 2) ** 2).sum()
    statistic = float((m - 1) * between / spread) if spread else 0.0
    rest = b * (m - 1) - statistic
    f_statistic = (b - 1) * statistic / rest if rest > 1e-9 else float("inf")
    difference = float(studentized_range.ppf(1 - alpha, m, np.inf)) * np.sqrt(
        m * (m + 1) / (12 * b)
    )
    order = np.argsort(mean, kind="stable")
    return Friedman(
        statistic=statistic,
        p=float(chi2.sf(statistic, m - 1)),
        f_statistic=float(f_statistic),
        f_p=float(f.sf(f_statistic, m - 1, (m - 1) * (b - 1))),
        blocks=b,
        mean_ranks=tuple((names[i], float(mean[i])) for i in order),
        critical_difference=float(difference),
        cliques=_cliques([names[i] for i in order], mean[order].tolist(), difference),
    )


def _cliques(
    names: Sequence[str], ranks: Sequence[float], difference: float
) -> tuple[tuple[str, ...], ...]:
    """Runs of sorted mean ranks no wider than `difference` that are not part of a larger one."""
    found: list[tuple[str, ...]] = []
    end = 0
    for start, rank in enumerate(ranks):
        reach = sum(other <= rank + difference for other in ranks)
        if reach > max(end, start + 1):
            found.append(tuple(names[start:reach]))
            end = reach
    return tuple(found)

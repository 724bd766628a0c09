"""Whether several trainings say the same of the same things, held against chance.

Both measures look at pairs of things, here of joints: whether two trainings put them together, or
in the same order. Chance is what they would come to if each training's things were shuffled.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import DataError
from zoo.evaluation.metrics import Array

SHUFFLES = 1000
"""Shuffles behind every range of chance."""


class Agreement(NamedTuple):
    """How far pairs of trainings agree on average.

    Attributes:
        value: mean of the measure over the pairs; 1 is the same, 0 what chance gives on average.
        low: lower end of the range that holds 95 % of what shuffled things give.
        high: upper end of it.
        p: share of shuffles that agree at least as much, the real order counted as one.
        pairs: how many there are.
    """

    value: float
    low: float
    high: float
    p: float
    pairs: int


def adjusted_rand(groups: ArrayLike) -> Array:
    """Adjusted Rand index of every two of R groupings of N things (R, N) → (R, R).

    With n and m pairs of things that are together in the one and the other grouping, k in both, of
    t in all::

        (k − n m / t) / ((n + m) / 2 − n m / t)

    The names of the groups do not matter. Two groupings that are both one single group, or N, are
    the same: 1. Hubert, Arabie, Comparing partitions, Journal of Classification 2 (1985), 193–218.

    Args:
        groups: the group of each thing, by number.
    """
    rows, first, second = _pairs(groups)
    together = (rows[:, first] == rows[:, second]).astype(float)
    count = together.sum(axis=1)
    by_chance = np.outer(count, count) / len(first)
    most = (count[:, None] + count) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        index = (together @ together.T - by_chance) / (most - by_chance)
    return np.where(np.isclose(most, by_chance), 1.0, index)


def kendall(values: ArrayLike) -> Array:
    """Kendall's τ-b of every two of R orders of N things (R, N) → (R, R).

    An order in which all things stand level agrees with none: 0.

    Args:
        values: what each thing is ranked by.
    """
    rows, first, second = _pairs(values)
    order = np.sign(rows[:, first] - rows[:, second])
    length = np.sqrt((order**2).sum(axis=1))
    return order @ order.T / np.maximum(np.outer(length, length), 1.0)


def agreement(
    rows: ArrayLike,
    kinds: Mapping[str, Sequence[tuple[int, int]]],
    measure: Callable[[Array], Array],
) -> dict[str, Agreement]:
    """Mean agreement of several kinds of pairs of trainings, and what chance would give.

    In each of `SHUFFLES` shuffles the things of every training are put in an order of its own; all
    kinds are computed on the same shuffles.

    Args:
        rows: what each of R trainings says of N things (R, N).
        kinds: pairs of rows by what they are called.
        measure: `adjusted_rand` or `kendall`.

    Raises:
        DataError: a kind has no pairs.
    """
    table = np.asarray(rows, dtype=np.float64)
    at = {}
    for kind, pairs in kinds.items():
        if not pairs:
            raise DataError(f"there are no pairs of trainings of the kind {kind!r} to compare")
        at[kind] = tuple(np.array(pairs).T)
    real = measure(table)
    draw = np.random.default_rng(0)
    shuffled: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(SHUFFLES):
        found = measure(draw.permuted(table, axis=1))
        for kind, where in at.items():
            shuffled[kind].append(found[where].mean())
    made = {}
    for kind, where in at.items():
        value, chance = float(real[where].mean()), np.array(shuffled[kind])
        low, high = np.quantile(chance, [0.025, 0.975])
        as_much = int((chance >= value - 1e-12).sum())
        p = (1 + as_much) / (1 + SHUFFLES)
        made[kind] = Agreement(value, float(low), float(high), p, len(kinds[kind]))
    return made


def _pairs(rows: ArrayLike) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """The rows, and the first and the second thing of every pair of things."""
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataError(f"agreement is of at least two things, given is {table.shape}")
    first, second = np.triu_indices(table.shape[1], 1)
    return table, first.astype(np.int64), second.astype(np.int64)

"""Predictions of one model as tables, and the errors of the persons in them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from zoo.errors import DataError
from zoo.evaluation.metrics import Array, constant, load_metric


@dataclass(frozen=True, eq=False)
class Table:
    """Test predictions of one model on one exercise with one seed, those of all folds together.

    A row is a recording or, under a protocol that scores every sample by itself, a sample.

    Attributes:
        exercise: name of the exercise.
        seed: seed of the training.
        person: whose row it is (N,); the rows of a person are never drawn apart.
        true: true scores (N,).
        predicted: predicted scores (N,).
        fold: fold in which the row was tested (N,), or None where there is only one.
        group: clinical group of the row's person (N,), or None where unknown.

    Raises:
        DataError: no rows, lengths that differ, or a score that is not finite.
    """

    exercise: str
    seed: int
    person: Sequence[str]
    true: Array
    predicted: Array
    fold: Sequence[int] | None = field(default=None, repr=False)
    group: Sequence[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        n = len(self.person)
        where = f"exercise {self.exercise}, seed {self.seed}"
        if not n:
            raise DataError(f"{where}: there are no predictions")
        for what in ("true", "predicted"):
            values = np.asarray(getattr(self, what), dtype=np.float64)
            object.__setattr__(self, what, values)
            if values.shape != (n,):
                raise DataError(
                    f"{where}: {n} persons, but the {what} scores are of shape {values.shape}"
                )
            bad = np.flatnonzero(~np.isfinite(values))
            if bad.size:
                raise DataError(
                    f"{where}: the {what} score of person {self.person[bad[0]]} (row {bad[0]}) is "
                    f"{values[bad[0]]}, and no statistic can be computed from it"
                )
        for what in ("fold", "group"):
            column = getattr(self, what)
            if column is not None and len(column) != n:
                raise DataError(f"{where}: {n} persons, but {len(column)} values of {what}")

    def __len__(self) -> int:
        return len(self.person)

    def value(self, metric: str) -> float:
        """A metric over all rows, by name.

        One that ranks (Spearman's correlation, the AUC) is `Metric.unordered` also where the
        predictions are constant within every fold: the order of the folds' training means among
        each other says nothing about persons, and is opposite to that of the test scores. Folds of
        a single row cannot show that.
        """
        measure = load_metric(metric)
        if measure.ranks and self.unordered:
            return measure.unordered
        return measure(self.true, self.predicted)

    @cached_property
    def unordered(self) -> bool:
        """Whether the predictions are constant within every fold."""
        if self.fold is None:
            return False
        folds = np.asarray(self.fold)
        parts = [self.predicted[folds == f] for f in np.unique(folds)]
        large = [part for part in parts if len(part) > 1]
        return bool(large) and all(map(constant, large))


@dataclass(frozen=True, eq=False)
class PersonErrors:
    """How far off a model is for each person.

    Attributes:
        person: ids, sorted (P,).
        group: clinical group of each person (P,), None where unknown.
        error: mean absolute error of each person in score units (P,): over the person's rows, then
            over seeds, then over the exercises the person did.
    """

    person: tuple[str, ...]
    group: tuple[str | None, ...]
    error: Array


class PersonPair(NamedTuple):
    """The errors of two models for one person, side by side; see `PersonErrors`.

    Attributes:
        person: id.
        group: clinical group, or None where unknown.
        error_a: mean absolute error of the first model.
        error_b: mean absolute error of the second.
        difference: `error_a` − `error_b`, negative where the first model is better.
    """

    person: str
    group: str | None
    error_a: float
    error_b: float
    difference: float


def person_errors(tables: Sequence[Table]) -> PersonErrors:
    """Mean absolute error of every person.

    Every exercise counts the same for a person, and every person the same in a mean over them. In
    the MAD of a board rows count the same; where every person has one row in every exercise, the
    two are equal.

    Args:
        tables: a model's tables, of all its exercises and seeds.

    Raises:
        DataError: no tables, two of one exercise and seed, or a person in two groups.
    """
    check_tables({"the model": tables})
    groups: dict[str, str] = {}
    for table in tables:
        for person, group in zip(table.person, table.group or (), strict=table.group is not None):
            if groups.setdefault(person, group) != group:
                raise DataError(f"person {person} is in group {groups[person]} and in {group}")
    ids = sorted({person for table in tables for person in table.person})
    index = {person: i for i, person in enumerate(ids)}
    totals: dict[str, Array] = defaultdict(lambda: np.zeros(len(ids)))
    seeds: dict[str, Array] = defaultdict(lambda: np.zeros(len(ids)))
    for table in tables:
        at = np.array([index[person] for person in table.person])
        rows = np.bincount(at, minlength=len(ids))
        errors = np.bincount(at, np.abs(table.true - table.predicted), minlength=len(ids))
        totals[table.exercise] += errors / np.maximum(rows, 1)
        seeds[table.exercise] += rows > 0
    by_exercise = [totals[e] / np.maximum(seeds[e], 1) for e in sorted(totals)]
    done = sum((seeds[e] > 0).astype(np.float64) for e in sorted(totals))
    return PersonErrors(
        person=tuple(ids),
        group=tuple(groups.get(person) for person in ids),
        error=np.sum(by_exercise, axis=0) / done,
    )


def compare_persons(a: Sequence[Table], b: Sequence[Table]) -> list[PersonPair]:
    """The errors of two models for every person, in the order of their ids.

    Args:
        a: tables of the first model.
        b: tables of the second, of the same persons and exercises.

    Raises:
        DataError: the models were not tested on the same persons in the same exercises.
    """
    check_tables({"the first model": a, "the second model": b})
    first, second = person_errors(a), person_errors(b)
    return [
        PersonPair(person, first.group[i] or second.group[i], float(x), float(y), float(x - y))
        for i, (person, x, y) in enumerate(
            zip(first.person, first.error, second.error, strict=True)
        )
    ]


def check_tables(models: Mapping[str, Sequence[Table]]) -> None:
    """Refuse models that cannot be compared.

    Raises:
        DataError: a model without tables or with two of one exercise and seed, or models not
            tested on the same persons in the same exercises.
    """
    expected: dict[str, set[str]] | None = None
    for name, tables in models.items():
        if not tables:
            raise DataError(f"{name} has no predictions, so there is nothing to compare")
        seen: set[tuple[str, int]] = set()
        tested: dict[str, set[str]] = defaultdict(set)
        for table in tables:
            if (table.exercise, table.seed) in seen:
                raise DataError(
                    f"{name} has two tables of exercise {table.exercise}, seed {table.seed}: the "
                    "predictions of its folds belong into one"
                )
            seen.add((table.exercise, table.seed))
            tested[table.exercise].update(table.person)
        if expected is None:
            first, expected = name, dict(tested)
        for exercise in sorted(expected.keys() | tested.keys()):
            here, there = tested.get(exercise, set()), expected.get(exercise, set())
            if here != there:
                person = min(here ^ there)
                has, lacks = (name, first) if person in here else (first, name)
                raise DataError(
                    f"{has} was tested on person {person} in exercise {exercise}, {lacks} was not: "
                    "models are compared only over the same persons"
                )

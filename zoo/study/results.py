"""What a study's runs came to: every row's metrics with intervals, compared with one of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from zoo.errors import DataError
from zoo.evaluation.statistics import (
    BOARD_METRICS,
    Comparison,
    Interval,
    Table,
    bootstrap,
    person_errors,
    versus,
)
from zoo.runs.folder import RECORD
from zoo.runs.pooled import pooled_table
from zoo.runs.record import RunProtocol, read_record
from zoo.runs.run import Run, load_run
from zoo.study.plan import Row
from zoo.sweep.failure import read_failure
from zoo.sweep.job import Job
from zoo.sweep.state import State, look
from zoo.words import metric_digits

METRICS = tuple(BOARD_METRICS)

MEAN = "mean"
"""In place of an exercise: the mean over all of them."""


@dataclass(frozen=True, eq=False)
class RowResult:
    """A row whose runs are all there.

    Attributes:
        label: what it is called.
        model: name of the registered model.
        runs: all of them, by exercise, seed and fold.
        tables: test predictions, a table for every exercise and seed.
        metrics: by exercise or `MEAN`, then by metric, with 95 % intervals over persons.
        versus: against the reference, by the MAD of each person; None for the reference itself
            and where there is none.
        parameters: trained weights of the model; None where unknown.
    """

    label: str
    model: str
    runs: list[Run] = field(repr=False)
    tables: list[Table] = field(repr=False)
    metrics: Mapping[str, Mapping[str, Interval]]
    versus: Comparison | None = None
    parameters: float | None = None


@dataclass(frozen=True)
class Unfinished:
    """A row that lacks runs, and is not compared with the others.

    Attributes:
        label: what it is called.
        model: name of the registered model.
        have: finished runs.
        expected: runs of the whole row.
        failures: one line of each failure, and how often it occurred.
    """

    label: str
    model: str
    have: int
    expected: int
    failures: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class ProtocolResult:
    """All rows of a study on one dataset under one protocol.

    Attributes:
        dataset: its name.
        title: of the dataset.
        score_range: lowest and highest possible score; None where unknown.
        protocol: name.
        identity: the protocol as the runs name it; None where there are no runs.
        exercises: ids, in the order they were asked for.
        persons: in the test parts of all complete rows.
        seeds: of all complete rows.
        rows: complete ones, in the study's order.
        unfinished: the others.
        old_code: complete runs computed by another version of the code than the present one.
    """

    dataset: str
    title: str
    score_range: tuple[float, float] | None
    protocol: str
    identity: RunProtocol | None
    exercises: list[str]
    persons: int
    seeds: list[int]
    rows: list[RowResult]
    unfinished: list[Unfinished]
    old_code: int

    @property
    def leaky(self) -> bool:
        """Whether a person may stand on both sides."""
        return self.identity is not None and self.identity.leaky

    @property
    def digits(self) -> Mapping[str, int]:
        """Decimals of each metric."""
        return metric_digits(self.score_range)


def study_results(rows: Iterable[Row], reference: str = "") -> list[ProtocolResult]:
    """What is there of a study's runs, each dataset and protocol for itself.

    Args:
        rows: of the study.
        reference: label of the row that the others are compared with; empty for none.

    Raises:
        DataError: a finished run is damaged, or rows were not tested on the same persons.
    """
    return [
        _under_one(list(own), dataset, protocol, reference)
        for (dataset, protocol), own in groupby(rows, lambda row: (row.dataset, row.protocol))
    ]


def _under_one(rows: Sequence[Row], dataset: str, protocol: str, reference: str) -> ProtocolResult:
    known = rows[0].groups[0].session.dataset
    found: dict[str, tuple[Row, list[Run]]] = {}
    unfinished = []
    old = 0
    for row in rows:
        there = [job for job in row.jobs if _stands(job)]
        if len(there) == len(row.jobs):
            found[row.label] = (row, [load_run(job.path) for job in there])
            old += sum(look(job) is not State.FINISHED for job in there)
        else:
            unfinished.append(
                Unfinished(row.label, row.model, len(there), len(row.jobs), _failures(row.jobs))
            )
    complete = _compared(found, reference)
    exercises = list(dict.fromkeys(job.exercise for row in rows for job in row.jobs))
    return ProtocolResult(
        dataset=dataset,
        title=known.title,
        score_range=known.score_range,
        protocol=protocol,
        identity=complete[0].runs[0].record.protocol if complete else None,
        exercises=exercises,
        persons=len({p for row in complete for table in row.tables for p in table.person}),
        seeds=sorted({run.seed for row in complete for run in row.runs}),
        rows=complete,
        unfinished=unfinished,
        old_code=old,
    )


def _compared(found: Mapping[str, tuple[Row, list[Run]]], reference: str) -> list[RowResult]:
    if not found:
        return []
    tables = {label: _tables(runs) for label, (_, runs) in found.items()}
    drawn = bootstrap(tables)
    places = {MEAN: None, **{exercise: exercise for exercise in drawn.exercises}}
    against: Mapping[str, Comparison] = {}
    if reference in found and len(found) > 1 and drawn.persons > 1:
        against = versus({name: person_errors(own) for name, own in tables.items()}, reference)
    return [
        RowResult(
            label,
            row.model,
            runs,
            tables[label],
            {
                where: {metric: drawn.interval(label, metric, at) for metric in METRICS}
                for where, at in places.items()
            },
            against.get(label),
            runs[0].record.model.parameters,
        )
        for label, (row, runs) in found.items()
    ]


def _tables(runs: Sequence[Run]) -> list[Table]:
    """Out-of-fold test predictions by exercise and seed."""
    parts: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        parts.setdefault((run.exercise, run.seed), []).append(run)
    return [pooled_table(part) for part in parts.values()]


def _stands(job: Job) -> bool:
    """Whether a finished run of these settings is there, by whatever version of the code."""
    file = job.path / RECORD
    try:
        return file.is_file() and read_record(job.path).key_hash == job.key_hash
    except DataError:
        return False


def _failures(jobs: Sequence[Job]) -> Mapping[str, int]:
    kept = (read_failure(job) for job in jobs if not _stands(job))
    return Counter(str(failure["error"]) for failure in kept if failure is not None)

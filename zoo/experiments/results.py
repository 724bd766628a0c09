"""What an experiment's runs came to: every row's metrics with intervals, one row compared."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from zoo.errors import DataError
from zoo.evaluation.metrics import Metric, board_metrics
from zoo.evaluation.statistics import (
    Comparison,
    Interval,
    Spread,
    Table,
    bootstrap,
    person_errors,
    spread_of,
    versus,
)
from zoo.experiments.job import Code, Job
from zoo.experiments.plan import Plan, PlannedRow
from zoo.runs.record import RunProtocol
from zoo.runs.run import Run, load_run, pooled_table

MEAN = "mean"
"""In place of an exercise: the mean over all of them."""


@dataclass(frozen=True, eq=False)
class RowResult:
    """A row, and what is there of its runs.

    Attributes:
        label: what it is called.
        model: name of the registered model.
        expected: runs of the whole row.
        runs: those that are finished, by exercise, seed and fold.
        tables: test predictions, a table for every seed and every exercise that has all its runs.
        failures: one line of each failure, and how often it occurred.
        old_code: runs computed by another version of the code than the present one.
        metrics: by exercise or `MEAN`, then by metric, with 95 % intervals over persons; empty
            unless the row is complete.
        versus: against the reference, by the MAD of each person; None for the reference itself
            and where there is none.
        differences: by metric, minus the reference's, with 95 % intervals on the same draws of
            persons, mean over exercises; empty as `versus` is None.
    """

    label: str
    model: str
    expected: int
    runs: list[Run] = field(repr=False)
    tables: list[Table] = field(repr=False)
    failures: Mapping[str, int] = field(default_factory=dict)
    old_code: int = 0
    metrics: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    versus: Comparison | None = None
    differences: Mapping[str, Interval] = field(default_factory=dict)

    @cached_property
    def spread(self) -> Spread:
        """Standard deviation of the MAD between its seeds, and between its folds."""
        return spread_of({run.place: run.mad for run in self.runs})

    @property
    def complete(self) -> bool:
        """Whether all runs are there; only such rows are compared with each other."""
        return len(self.runs) == self.expected


@dataclass(frozen=True, eq=False)
class ProtocolResult:
    """All rows of an experiment under one protocol.

    Attributes:
        dataset: its name.
        title: of the dataset.
        score_range: lowest and highest possible score.
        binary: whether the target is right (1) or wrong (0).
        protocol: name.
        identity: the protocol as the runs name it; None where there are no runs.
        exercises: ids, in the order they were asked for.
        rows: complete ones, in the experiment's order.
        unfinished: the others.
        old_code: runs of complete rows computed by another version of the code.
    """

    dataset: str
    title: str
    score_range: tuple[float, float]
    binary: bool
    protocol: str
    identity: RunProtocol | None
    exercises: list[str]
    rows: list[RowResult]
    unfinished: list[RowResult] = field(default_factory=list)
    old_code: int = 0

    @property
    def persons(self) -> int:
        """How many people are in the test parts of the complete rows."""
        return len({p for row in self.rows for table in row.tables for p in table.person})

    @property
    def seeds(self) -> list[int]:
        """Of the complete rows."""
        return sorted({run.seed for row in self.rows for run in row.runs})

    @property
    def leaky(self) -> bool:
        """Whether a person may stand on both sides."""
        return self.identity is not None and self.identity.leaky

    @property
    def metrics(self) -> dict[str, Metric]:
        """Those that stand in tables, by name; the one that models are ranked by first."""
        return board_metrics(self.binary)

    @property
    def digits(self) -> Mapping[str, int]:
        """Decimals of each metric."""
        return {m.name: m.digits(self.score_range) for m in self.metrics.values()}


def experiment_results(plan: Plan, reference: str = "") -> list[ProtocolResult]:
    """What is there of an experiment's runs, each protocol for itself.

    Args:
        plan: of the experiment.
        reference: label of the row that the others are compared with; empty for none.

    Raises:
        DataError: a finished run is damaged, or rows were not tested on the same persons.
    """
    planned = [row for row in plan.rows if row.jobs]
    return [
        _under_one(list(rows), plan.dataset, protocol, reference)
        for protocol, rows in groupby(planned, lambda row: row.protocol)
    ]


def _under_one(
    planned: Sequence[PlannedRow], dataset: str, protocol: str, reference: str
) -> ProtocolResult:
    rows = [_read(row) for row in planned]
    data = planned[0].groups[0].session.dataset
    complete = with_metrics([row for row in rows if row.complete], reference, data.binary)
    return ProtocolResult(
        dataset=dataset,
        title=data.title,
        score_range=data.score_range,
        binary=data.binary,
        protocol=protocol,
        identity=complete[0].runs[0].record.protocol if complete else None,
        exercises=list(dict.fromkeys(job.exercise for row in planned for job in row.jobs)),
        rows=complete,
        unfinished=[row for row in rows if not row.complete],
        old_code=sum(row.old_code for row in complete),
    )


def _read(row: PlannedRow) -> RowResult:
    parts: dict[tuple[str, int], list[Run]] = {}
    missing, failures, old_code = set(), [], 0
    for job in row.jobs:
        run = _finished(job)
        if run is None:
            missing.add(job.exercise)
            failures.append(job.failure())
        else:
            parts.setdefault((job.exercise, run.seed), []).append(run)
            old_code += Code.of(run.record.model.source, run.record.versions) != job.code
    return RowResult(
        label=row.label,
        model=row.model,
        expected=len(row.jobs),
        runs=[run for part in parts.values() for run in part],
        tables=[pooled_table(part) for (where, _), part in parts.items() if where not in missing],
        failures=Counter(str(failure["error"]) for failure in failures if failure is not None),
        old_code=old_code,
    )


def with_metrics(
    rows: Sequence[RowResult], reference: str = "", binary: bool = False
) -> list[RowResult]:
    """Complete rows with their metrics, compared with the reference.

    Raises:
        DataError: they were not tested on the same persons.
    """
    if not rows:
        return []
    tables = {row.label: row.tables for row in rows}
    drawn = bootstrap(tables, list(board_metrics(binary)))
    places = {MEAN: None, **{exercise: exercise for exercise in drawn.exercises}}
    against: Mapping[str, Comparison] = {}
    if reference in tables and len(rows) > 1 and drawn.persons > 1:
        against = versus({name: person_errors(own) for name, own in tables.items()}, reference)
    return [
        replace(
            row,
            metrics={
                where: {m: drawn.interval(row.label, m, at) for m in drawn.replicates}
                for where, at in places.items()
            },
            versus=against.get(row.label),
            differences={m: drawn.difference(row.label, reference, m) for m in drawn.replicates}
            if row.label in against
            else {},
        )
        for row in rows
    ]


def _finished(job: Job) -> Run | None:
    """The finished run of these settings, by whatever version of the code."""
    try:
        run = load_run(job.path)
    except DataError:
        return None
    return run if run.record.key_hash == job.key_hash else None

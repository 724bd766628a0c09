"""From entries to a ranked section of the board: metrics, intervals, tests, ties."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from zoo.board.board import (
    BoardMetric,
    BoardProtocol,
    Exercise,
    Incomplete,
    Ranked,
    RankedRun,
    Section,
)
from zoo.board.completing import commands
from zoo.board.entries import Entry, Group, places
from zoo.board.notes import meaning, notes
from zoo.board.published import MEAN, published_for
from zoo.evaluation.metrics import Metric, board_metrics, load_metric, ranking_metric
from zoo.evaluation.statistics import (
    Bootstrap,
    Comparison,
    Friedman,
    Interval,
    PersonErrors,
    RankInterval,
    Table,
    bootstrap,
    friedman,
    person_errors,
    spread_of,
    versus,
)
from zoo.runs.find import failures
from zoo.runs.run import Run, pooled_metrics

SMALLEST_GROUP = 5
"""On a public board, a group of fewer people has no error of its own."""

_NO_INTERVAL = Interval(math.nan, math.nan, math.nan)

_MEAN_SCORE = "\0mean score"  # no entry can have this name: names are shown, this is not


def section(group: Group, root: Path, *, public: bool = False) -> Section:
    """The entries of one dataset and protocol, ranked by `ranking_metric`.

    Args:
        group: the entries.
        root: folder of all runs, for the runs' relative paths.
        public: leave out whatever belongs to a single person.
    """
    complete = [entry for entry in group.entries if entry.complete]
    first = (complete or group.entries)[0]  # incomplete ones may say what the others do not
    data, protocol = first.runs[0].record.dataset, first.protocol
    titles = {
        run.exercise: run.record.dataset.exercises.get(run.exercise, "")
        for entry in group.entries
        for run in entry.runs
    }
    ranked = _Ranking(complete, root, public).rows() if complete else []
    return Section(
        dataset=group.key.dataset,
        dataset_title=data.title,
        fingerprint=group.key.fingerprint,
        score_range=data.score_range,
        protocol=BoardProtocol(
            name=protocol.name,
            title=protocol.title,
            summary=protocol.summary,
            hash=protocol.hash,
            leaky=protocol.leaky,
            leak_reason=protocol.leak_reason,
            aggregate=protocol.aggregate,
            folds=sorted({fold for folds in group.folds.values() for fold in folds}),
            seeds=sorted({seed for entry in group.entries for seed in entry.seeds}),
            sees=group.key.sees,
        ),
        meaning=meaning(ranked, protocol.leak_reason, data.digits) if protocol.leaky else "",
        exercises=[Exercise(e, titles[e]) for e in group.folds],
        persons=len({p for entry in group.entries for t in entry.tables for p in t.person}),
        metrics=[
            BoardMetric(m.name, m.title, m.unit, m.digits(data.score_range), m.higher_is_better)
            for m in board_metrics(data.binary).values()
        ],
        ranked=ranked,
        incomplete=_incomplete(group, public),
        completing=commands(group, root, public=public),
        published=published_for(group.key.dataset) if group.key.sees == "recording" else [],
        friedman=_friedman(complete),
        notes=notes(group),
    )


class _Ranking:
    """Complete entries of one board, and what is computed for all of them at once."""

    def __init__(self, entries: Sequence[Entry], root: Path, public: bool) -> None:
        self.entries = {entry.name: entry for entry in entries}
        self.root, self.public = root, public
        tables: dict[str, Sequence[Table]] = {e.name: e.tables for e in entries}
        first = entries[0]
        reference = [t for t in first.baseline_tables() if t.seed == first.seeds[0]]
        self.binary = first.runs[0].record.dataset.binary
        metric = ranking_metric(self.binary)
        self.boot = bootstrap({**tables, _MEAN_SCORE: reference}, list(board_metrics(self.binary)))
        self.ranks = self.boot.ranks(metric.name, among=tables)
        self.order = sorted(
            tables, key=lambda n: (_placed(self.boot.interval(n, metric.name).value, metric), n)
        )
        self.metric = metric.name
        self.versus_best: Mapping[str, Comparison] = {}
        self.versus_mean: Mapping[str, Comparison] = {}
        if not self.binary:
            self._compare_persons(tables, reference)

    def _compare_persons(
        self, tables: Mapping[str, Sequence[Table]], reference: Sequence[Table]
    ) -> None:
        errors = {name: person_errors(own) for name, own in tables.items()}
        self.versus_best = _versus(errors, self.order[0])
        rivals = {name: e for name, e in errors.items() if not self.entries[name].mean_score}
        mean_errors = person_errors(reference)
        self.versus_mean = _versus({**rivals, _MEAN_SCORE: mean_errors}, _MEAN_SCORE)

    def rows(self) -> list[Ranked]:
        """The entries, best first."""
        return [self._row(self.entries[name]) for name in self.order]

    def _row(self, entry: Entry) -> Ranked:
        name, runs = entry.name, entry.runs
        model = runs[0].record.model
        last = RankInterval(self.order.index(name) + 1, 1, len(self.order))  # nothing to rank by
        place = self.ranks.get(name, last)
        return Ranked(
            name=name,
            model=entry.model,
            title=model.title,
            family=model.family,
            paper=model.paper,
            doi=model.doi,
            mean_score=entry.mean_score,
            leak_reference=entry.leak_reference,
            settings=entry.settings,
            source="built in" if entry.builtin else _sources(runs, self.public),
            builtin=entry.builtin,
            streams=list(model.streams),
            parameters=_rounded(_mean(run.record.model.parameters for run in runs)),
            flops=_rounded(_mean(run.record.model.flops for run in runs)),
            train_seconds=_mean(run.record.durations.get("train") for run in runs),
            latency_ms=_mean(run.record.model.latency_ms for run in runs),
            seeds=entry.seeds,
            folds=entry.folds,
            rank=place.rank,
            rank_low=min(place.low, place.rank),
            rank_high=max(place.high, place.rank),
            tied_with_best=not self._worse_than_best(name),
            metrics=_metrics(self.boot, name, entry.exercises),
            better_than_mean=_NO_INTERVAL
            if self.binary
            else self.boot.improvement(name, _MEAN_SCORE),
            spread=spread_of({run.place: run.mad for run in runs}),
            versus_mean=self.versus_mean.get(name),
            versus_best=self.versus_best.get(name),
            by_group=_by_group(entry.tables, SMALLEST_GROUP if self.public else 1),
            points=None if self.public else _points(entry),
            runs=[self._run(run) for run in runs],
        )

    def _worse_than_best(self, name: str) -> bool:
        """Whether it is, beyond noise: a person has an error of their own, but no AUC."""
        if self.binary:
            return self.boot.difference(name, self.order[0], self.metric).high < 0
        against = self.versus_best.get(name)
        return against is not None and against.worse

    def _run(self, run: Run) -> RankedRun:
        return RankedRun(
            path=run.path.relative_to(self.root).as_posix(),
            exercise=run.exercise,
            fold=run.fold,
            seed=run.seed,
            mad=run.mad,
            epochs=run.record.epochs.trained,
            train_seconds=run.record.durations.get("train"),
            key_hash=run.record.key_hash,
            versions=run.record.versions,
        )


def _metrics(
    boot: Bootstrap, name: str, exercises: Sequence[str]
) -> dict[str, dict[str, Interval]]:
    places: dict[str, str | None] = {MEAN: None, **{e: e for e in exercises}}
    return {
        where: {metric: boot.interval(name, metric, exercise) for metric in boot.replicates}
        for where, exercise in places.items()
    }


def _placed(value: float, metric: Metric) -> float:
    """What to sort by, the smallest first; what is undefined comes last."""
    if math.isnan(value):
        return math.inf
    return -value if metric.higher_is_better else value


def _versus(errors: Mapping[str, PersonErrors], reference: str) -> dict[str, Comparison]:
    """Everybody against the reference; nothing where there are too few people for a test."""
    if len(errors) < 2 or len(errors[reference].person) < 2:
        return {}
    return versus(errors, reference)


def _friedman(entries: Sequence[Entry]) -> Friedman | None:
    """Friedman's test over the entries' MAD in each exercise and fold, averaged over seeds.

    None where the target is right or wrong: the test part of a fold may hold one of the two alone.
    """
    if len(entries) < 3 or entries[0].runs[0].record.dataset.binary:
        return None
    columns = []
    for entry in entries:
        blocks: dict[tuple[str, int], list[float]] = defaultdict(list)
        for run in entry.runs:
            blocks[run.exercise, run.fold].append(run.mad)
        columns.append([fmean(blocks[place]) for place in sorted(blocks)])
    if len(columns[0]) < 2:
        return None
    return friedman(np.array(columns).T, [entry.name for entry in entries])


def _by_group(tables: Sequence[Table], smallest: int) -> dict[str, float]:
    """MAD of each clinical group, averaged over seeds, then over the exercises it did."""
    errors: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    persons: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        group = np.array(table.group)
        off = np.abs(table.true - table.predicted)
        for name in sorted(set(group.tolist())):
            errors[name][table.exercise].append(float(off[group == name].mean()))
        for name, person in zip(group.tolist(), table.person, strict=True):
            persons[name].add(person)
    return {
        name: fmean(map(fmean, exercises.values()))
        for name, exercises in sorted(errors.items())
        if len(persons[name]) >= smallest
    }


def _points(entry: Entry) -> dict[str, list[tuple[str, float, float]]]:
    """Group, true and predicted score of every row of the first seed, by exercise."""
    return {
        table.exercise: list(
            zip(table.group or (), table.true.tolist(), table.predicted.tolist(), strict=True)
        )
        for table in entry.tables
        if table.seed == entry.seeds[0]
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _sources(runs: Sequence[Run], public: bool) -> str:
    """Distributions with versions or files the runs' model came from; no folders where public."""
    sources = [run.record.model.source for run in runs]
    owners = {
        source.provider if public and (source.owner or "").endswith(".py") else source.owner
        for source in sources
    }
    return ", ".join(sorted(owner or "unknown" for owner in owners))


def _incomplete(group: Group, public: bool) -> list[Incomplete]:
    """Entries that are not ranked, the best first of those that were tested on the same people."""
    found = []
    for entry in group.entries:
        if entry.complete:
            continue
        metrics = {} if entry.objection else pooled_metrics(entry.runs)
        first = next(iter(metrics), None)
        mean = pooled_metrics(entry.runs, baseline=True)[first] if first else math.nan
        apart = Incomplete(
            name=entry.name,
            model=entry.model,
            have=len(entry.runs),
            expected=entry.expected,
            missing=entry.missing,
            reason=entry.objection or _why_missing(entry, public),
            tested_on=places((run.exercise, run.fold) for run in entry.runs),
            persons=len({person for table in entry.tables for person in table.person}),
            metrics=metrics,
            mean_score=mean,
        )
        order = _placed(metrics[first], load_metric(first)) if first else math.inf
        found.append(((apart.tested_on, order, apart.name), apart))
    return [apart for _, apart in sorted(found, key=lambda pair: pair[0])]


def _why_missing(entry: Entry, public: bool) -> str:
    """How many runs failed and, where nothing may name the machine, not with which error."""
    failed = failures(entry.runs, entry.seeds)
    if not failed:
        return "runs are missing"
    if public:
        return f"{failed.total()} failed"
    return "; ".join(f"{count} failed: {error}" for error, count in failed.most_common())

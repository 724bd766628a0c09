"""From a definition and a folder of runs to ours beside theirs, with verdicts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zoo.board.entries import Group, read_groups
from zoo.board.published import MEAN, PublishedResult
from zoo.build import to_plain
from zoo.data.dataset import create_adapter
from zoo.evaluation.statistics import Bootstrap, Interval, bootstrap
from zoo.replication.definition import Definition, PaperTable, Relation
from zoo.replication.match import Found, Matcher, group_of
from zoo.replication.readings import READINGS, UNITLESS, agreed, in_unit, judge, read_as

RULE = (
    "Reproduced: the published value lies within our 95 % interval by bootstrap over persons. "
    "Better, worse: it lies outside, and ours is. Larger, smaller, of a change between two rows: "
    "so is ours. Not comparable: something besides the value differs, or the unit decides. "
    "Unknown: we do not know the published value. Not run: our value is not there."
)

VERDICTS = (
    "reproduced", "better", "worse", "larger", "smaller", "not comparable", "not run", "unknown",
)  # fmt: skip


@dataclass(frozen=True)
class Read:
    """Our value in one unit.

    Attributes:
        reading: the unit, of `READINGS`.
        value: with its 95 % interval.
        verdict: in this unit alone; empty where there is none.
    """

    reading: str
    value: Interval
    verdict: str = ""


@dataclass(frozen=True)
class Cell:
    """One number of the paper and ours.

    Attributes:
        row: label of our row.
        of: name of the published row; empty where nothing is known of it.
        exercise: id, or ``mean``.
        metric: of `BOARD_METRICS`.
        published: as printed; None where unknown.
        ours: in every reading, points first; empty where we have no value.
        verdict: of `VERDICTS`.
        reasons: why, where it is none of reproduced, better, worse.
        beside: ours in points under the honest protocol, never judged; None where there is none.
    """

    row: str
    of: str
    exercise: str
    metric: str
    published: float | None
    ours: tuple[Read, ...]
    verdict: str
    reasons: tuple[str, ...] = ()
    beside: Interval | None = None


@dataclass(frozen=True)
class Change:
    """A change in percent from one row to another, theirs and ours.

    Attributes:
        relation: theirs.
        ours: the change of the mean in every reading.
        verdict: of `VERDICTS`.
        reasons: why it is not comparable or not run; or which of the stated values it is held
            against.
    """

    relation: Relation
    ours: tuple[Read, ...]
    verdict: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Which runs stand for a row.

    Attributes:
        row: label of the row.
        protocol: its name.
        entry: what the leaderboard calls it; empty where there is none.
        seeds: of its runs.
        exercises: those that have all folds.
        differences: from what the study asks for, in words.
    """

    row: str
    protocol: str
    entry: str
    seeds: list[int]
    exercises: list[str]
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """One table of the paper beside ours."""

    title: str
    study: str
    cells: list[Cell]
    changes: list[Change]
    origins: list[Origin]


@dataclass(frozen=True)
class Replication:
    """A paper beside ours.

    Attributes:
        definition: what was compared.
        tables: cell by cell.
        notes: the definition's, and what was left out of the folder of runs.
    """

    definition: Definition
    tables: list[Compared]
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many cells and changes have each verdict; those that occur."""
        found: Counter[str] = Counter()
        for table in self.tables:
            found.update(cell.verdict for cell in table.cells)
            found.update(change.verdict for change in table.changes)
        return {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}

    def to_dict(self) -> dict[str, Any]:
        """Plain containers for the renderers and for JSON; NaN is None."""
        whole = self.definition
        return dict(
            to_plain(
                {
                    "name": whole.name,
                    "title": whole.title,
                    "summary": whole.summary,
                    "dataset": whole.dataset,
                    "score_range": create_adapter(whole.dataset).score_range,
                    "protocol": whole.protocol,
                    "beside": whole.beside,
                    "readings": {name: READINGS[name] for name in whole.readings},
                    "ambiguity": whole.ambiguity,
                    "rule": RULE,
                    "counts": self.counts,
                    "tables": [_plain(table) for table in self.tables],
                    "missing": dict(whole.missing),
                    "notes": self.notes,
                }
            )
        )


def replicate(name: str, runs: Path) -> Replication:
    """Compare what a paper printed with the runs of a folder, as far as they are there.

    Args:
        name: of a replication, see `zoo.replication.definition`.
        runs: folder of all runs.

    Raises:
        ConfigError: no such replication, or it is malformed.
        DataError: no such folder.
    """
    whole = Definition.load(name)
    groups, unreadable = read_groups(runs, whole.dataset)
    group, others = group_of(groups, whole.protocol)
    honest, _ = group_of(groups, whole.beside)
    comparer = _Comparer(whole, group, honest)
    notes = list(whole.notes)
    if others:
        notes.append(
            f"{others} runs of {whole.dataset} under other settings of {whole.protocol}, or on "
            "otherwise prepared data, are left out."
        )
    if unreadable:
        notes.append(f"{len(unreadable)} run folders cannot be read; zoo leaderboard names them.")
    return Replication(whole, [comparer.table(table) for table in whole.tables], notes)


class _Comparer:
    """Compares table after table with the same runs."""

    def __init__(self, whole: Definition, group: Group | None, honest: Group | None) -> None:
        self.whole = whole
        self.runs, self.honest = Matcher(group), Matcher(honest)
        known = create_adapter(whole.dataset)
        self.exercises = list(known.exercises)
        self.highest = known.score_range[1]

    def table(self, table: PaperTable) -> Compared:
        found = self._found(table, self.whole.protocol, self.runs)
        beside = self._found(table, self.whole.beside, self.honest)
        cells = [
            cell
            for label, published in table.rows.items()
            for cell in self._cells(table, label, published, found[label], beside.get(label))
        ]
        changes = [self._change(r, found[r.row], found[r.to]) for r in table.relations]
        origins = [
            _origin(label, protocol, some)
            for protocol, rows in ((self.whole.protocol, found), (self.whole.beside, beside))
            for label, some in rows.items()
        ]
        return Compared(table.title, table.study.name, cells, changes, origins)

    def _found(self, table: PaperTable, protocol: str, runs: Matcher) -> dict[str, Found]:
        return {
            label: runs.find(request)
            for label, request in table.study.rows(protocol)
            if label in table.labels
        }

    def _cells(
        self,
        table: PaperTable,
        label: str,
        published: PublishedResult | None,
        found: Found,
        beside: Found | None,
    ) -> Iterator[Cell]:
        printed = published.metrics if published else {}
        by_exercise = set(printed) - {MEAN}
        places = [MEAN, *(self._all(found) if by_exercise else [])]
        ours = self._readings(found, table.metrics)
        honest = bootstrap({"": beside.tables}, table.metrics) if beside and beside.tables else None
        for metric in table.metrics:
            for place in places:
                value = printed.get(place, {}).get(metric)
                read = self._read(ours, found, metric, place, value)
                verdict, reasons = self._verdict(read, value, found, place)
                yield Cell(
                    row=label,
                    of=published.name if published else "",
                    exercise=place,
                    metric=metric,
                    published=value,
                    ours=read,
                    verdict=verdict,
                    reasons=reasons,
                    beside=self._value(honest, beside, metric, place) if beside else None,
                )

    def _all(self, found: Found) -> list[str]:
        """The dataset's exercises; those that were found, where it is not registered here."""
        return self.exercises or found.exercises

    def _readings(self, found: Found, metrics: Sequence[str]) -> dict[str, Bootstrap]:
        if not found.tables:
            return {}
        return {
            reading: bootstrap(
                {"": [read_as(t, reading, self.highest) for t in found.tables]},
                [m for m in metrics if m not in UNITLESS or reading == "points"],
            )
            for reading in dict.fromkeys(("points", *self.whole.readings))
        }

    def _read(
        self,
        ours: Mapping[str, Bootstrap],
        found: Found,
        metric: str,
        place: str,
        published: float | None,
    ) -> tuple[Read, ...]:
        read = []
        for reading, boot in ours.items():
            if metric in UNITLESS and reading != "points":
                continue
            value = self._value(boot, found, metric, place)
            if value is not None:
                value = in_unit(value, metric, reading)
                judged = "" if published is None else judge(value, published, metric)
                read.append(Read(reading, value, judged))
        return tuple(read)

    def _value(
        self, boot: Bootstrap | None, found: Found, metric: str, place: str
    ) -> Interval | None:
        """A metric of an exercise, or its mean where every exercise is there."""
        if boot is None or (place != MEAN and place not in found.exercises):
            return None
        if place == MEAN and set(found.exercises) != set(self._all(found)):
            return None
        return boot.interval("", metric, None if place == MEAN else place)

    def _verdict(
        self, read: Sequence[Read], published: float | None, found: Found, place: str
    ) -> tuple[str, tuple[str, ...]]:
        if published is None:
            return "unknown", ()
        if not read:
            return "not run", (self._absent(found, place),)
        return self._comparable(read, found.differences)

    def _comparable(
        self, read: Sequence[Read], differences: Sequence[str]
    ) -> tuple[str, tuple[str, ...]]:
        """The verdict where nothing differs and all readings agree; else why there is none."""
        judged = [r for r in read if len(read) == 1 or r.reading in self.whole.readings]
        if differences:
            return "not comparable", tuple(differences)
        if not all(r.verdict for r in judged):
            return "not comparable", ("there are too few people for an interval",)
        verdict = agreed([r.verdict for r in judged])
        if verdict:
            return verdict, ()
        said = ", ".join(f"{r.verdict} in {r.reading}" for r in judged)
        return "not comparable", (f"the unit decides ({said}): {self.whole.ambiguity}",)

    def _absent(self, found: Found, place: str) -> str:
        if found.entry is None:
            return f"there is no run of it under {self.whole.protocol}"
        have = ", ".join(found.exercises) or "none"
        what = "not every exercise is whole" if place == MEAN else f"exercise {place} is not whole"
        return f"{what} (whole: {have})"

    def _change(self, relation: Relation, row: Found, to: Found) -> Change:
        absent = [
            f"{label}: {self._absent(found, MEAN)}"
            for label, found in ((relation.row, row), (relation.to, to))
            if set(found.exercises) != set(self._all(found)) or not found.tables
        ]
        if absent:
            return Change(relation, (), "not run", tuple(absent))
        read, held = [], ""
        for reading in dict.fromkeys(("points", *self.whole.readings)):
            boot = bootstrap(
                {
                    label: [read_as(t, reading, self.highest) for t in found.tables]
                    for label, found in (("row", row), ("to", to))
                },
                [relation.metric],
            )
            less = boot.improvement("row", "to", relation.metric)
            change = Interval(0 - less.value, 0 - less.high, 0 - less.low)
            verdict, where = _held_against(change, relation.percent)
            read.append(Read(reading, change, verdict))
            held = held or where
        differences = [
            f"{label}: {words}"
            for label, found in ((relation.row, row), (relation.to, to))
            for words in found.differences
        ]
        verdict, reasons = self._comparable(read, differences)
        if not reasons and len(relation.percent) > 1:
            reasons = (f"held against the {held}",)
        return Change(relation, tuple(read), verdict, reasons)


def _held_against(change: Interval, stated: Mapping[str, float]) -> tuple[str, str]:
    """The verdict on a change, and which of the stated ones it was held against: the nearest."""
    where = min(stated, key=lambda place: abs(stated[place] - change.value))
    if not change.low <= change.high:
        return "", where
    if change.low <= stated[where] <= change.high:
        return "reproduced", where
    return ("larger" if change.value > stated[where] else "smaller"), where


def _origin(row: str, protocol: str, found: Found) -> Origin:
    return Origin(
        row=row,
        protocol=protocol,
        entry=found.entry.name if found.entry else "",
        seeds=sorted({table.seed for table in found.tables}),
        exercises=found.exercises,
        differences=found.differences,
    )


def _plain(table: Compared) -> dict[str, Any]:
    return {
        "title": table.title,
        "study": table.study,
        "cells": [
            {
                **{k: v for k, v in vars(cell).items() if k not in ("ours", "beside")},
                "ours": [_read_plain(read) for read in cell.ours],
                "beside": cell.beside._asdict() if cell.beside else None,
            }
            for cell in table.cells
        ],
        "changes": [
            {
                **asdict(change.relation),
                "ours": [_read_plain(read) for read in change.ours],
                "verdict": change.verdict,
                "reasons": change.reasons,
            }
            for change in table.changes
        ],
        "origins": [asdict(origin) for origin in table.origins],
    }


def _read_plain(read: Read) -> dict[str, Any]:
    return {"reading": read.reading, **read.value._asdict(), "verdict": read.verdict}

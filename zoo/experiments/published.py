"""A paper's numbers beside an experiment's, each with a verdict and its reason."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from registry.yaml_files import Config
from zoo.board.published import published_for
from zoo.evaluation.statistics import Bootstrap, Interval, bootstrap
from zoo.experiments.definition import Experiment
from zoo.experiments.results import MEAN, ProtocolResult, RowResult
from zoo.experiments.schema import Change, Published, Row, UnderProtocol
from zoo.experiments.units import UNITLESS, as_printed, convert, judge
from zoo.runs.key import MACHINE_KEYS
from zoo.words import natural

RULE = (
    "Reproduced: the published value lies within our 95 % interval by bootstrap over persons. "
    "Better, worse: it lies outside, and ours is. Larger, smaller, of a change between two rows: "
    "so is ours. Not comparable: something besides the value differs, or the unit decides. "
    "Unknown: we do not know the published value. Not run: our value is not there."
)

VERDICTS = (
    "reproduced", "better", "worse", "larger", "smaller", "not comparable", "not run", "unknown",
)  # fmt: skip

_SHOWN = 4


@dataclass(frozen=True)
class Ours:
    """Our value in one unit.

    Attributes:
        unit: of `zoo.experiments.units.UNITS`.
        value: with its 95 % interval.
        verdict: in this unit alone; empty where there is none.
    """

    unit: str
    value: Interval
    verdict: str = ""


@dataclass(frozen=True)
class Cell:
    """One number of the paper and ours.

    Attributes:
        row: label of our row.
        of: name of the published row; empty where nothing is known of it.
        exercise: id, or ``mean``.
        metric: of `board_metrics`.
        published: as printed; None where unknown.
        ours: in every unit, points first; empty where we have no value.
        verdict: of `VERDICTS`.
        reasons: why, where it is none of reproduced, better, worse.
        beside: ours in points under the honest protocol, never judged; None where there is none.
    """

    row: str
    of: str
    exercise: str
    metric: str
    published: float | None
    ours: tuple[Ours, ...]
    verdict: str
    reasons: tuple[str, ...] = ()
    beside: Interval | None = None


@dataclass(frozen=True)
class ComparedChange:
    """A change in percent from one row to another, theirs and ours.

    Attributes:
        theirs: what the paper states.
        ours: the change of the mean in every unit.
        verdict: of `VERDICTS`.
        reasons: why it is not comparable or not run; or which of the stated values it is held
            against.
    """

    theirs: Change
    ours: tuple[Ours, ...]
    verdict: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """A table of a paper beside ours.

    Attributes:
        published: what was compared.
        digits: decimals of each metric in points.
        cells: one a number.
        changes: those that the paper states.
    """

    published: Published
    digits: Mapping[str, int]
    cells: list[Cell]
    changes: list[ComparedChange]

    @property
    def counts(self) -> dict[str, int]:
        """How many cells and changes have each verdict; those that occur."""
        found = Counter([c.verdict for c in self.cells] + [c.verdict for c in self.changes])
        return {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}


def compare(
    whole: Experiment, done: Experiment, results: Sequence[ProtocolResult]
) -> Compared | None:
    """Set the published numbers of an experiment beside its runs, as far as they are there.

    Args:
        whole: as its file describes it.
        done: the same, or cut short; how it differs makes rows not comparable.
        results: of what was done.

    Returns:
        None where nothing is published.
    """
    if whole.published is None or not results:
        return None
    comparer = _Comparer(whole, done, whole.published, {r.protocol: r for r in results})
    return Compared(
        whole.published,
        results[0].digits,
        [cell for row in whole.rows if row.published for cell in comparer.cells(row)],
        [comparer.change(change) for change in whole.published.changes],
    )


class _Comparer:
    """Compares row after row with the same results."""

    def __init__(
        self,
        whole: Experiment,
        done: Experiment,
        published: Published,
        results: Mapping[str, ProtocolResult],
    ) -> None:
        self.whole, self.done, self.published = whole, done, published
        self.units = tuple(dict.fromkeys(("points", *published.units)))
        self.result = results.get(published.protocol)
        self.honest = results.get(published.beside)
        self.highest = next(iter(results.values())).score_range[1]
        self.known = {row.name: row for row in published_for(whole.dataset)}

    def cells(self, row: Row) -> Iterator[Cell]:
        published = self.known.get(str(row.published))
        printed = published.metrics if published else {}
        found, beside = _row(self.result, row.label), _row(self.honest, row.label)
        places = self._places(printed)
        differences = self._differences(row.label)
        ours = self._in_all_units(found)
        honest = bootstrap({"": beside.tables}) if beside and beside.tables else None
        for metric in self.published.metrics:
            for place in places:
                value = printed.get(place, {}).get(metric)
                read = self._read(ours, found, metric, place, value)
                verdict, reasons = self._verdict(read, differences)
                if value is None:
                    verdict, reasons = "unknown", ()
                elif not read:
                    verdict, reasons = "not run", (self._absent(found, place),)
                yield Cell(
                    row=row.label,
                    of=published.name if published else "",
                    exercise=place,
                    metric=metric,
                    published=value,
                    ours=read,
                    verdict=verdict,
                    reasons=reasons,
                    beside=self._value(honest, beside, metric, place),
                )

    def change(self, change: Change) -> ComparedChange:
        rows = {label: _row(self.result, label) for label in (change.row, change.to)}
        absent = [
            f"{label}: {self._absent(found, MEAN)}"
            for label, found in rows.items()
            if not self._all_there(found)
        ]
        if absent:
            return ComparedChange(change, (), "not run", tuple(absent))
        read, held = [], ""
        for unit in self.units:
            tables = {
                label: [convert(table, unit, self.highest) for table in found.tables]
                for label, found in rows.items()
                if found is not None
            }
            less = bootstrap(tables, [change.metric]).improvement(
                change.row, change.to, change.metric
            )
            value = Interval(0 - less.value, 0 - less.high, 0 - less.low)
            verdict, where = _held_against(value, change.percent)
            read.append(Ours(unit, value, verdict))
            held = held or where
        differences = [f"{label}: {why}" for label in rows for why in self._differences(label)]
        verdict, reasons = self._verdict(read, differences)
        if not reasons and len(change.percent) > 1:
            reasons = (f"held against the {held}",)
        return ComparedChange(change, tuple(read), verdict, reasons)

    def _places(self, printed: Mapping[str, Any]) -> list[str]:
        """``mean``, and where the paper prints exercises, its and ours."""
        by_exercise = set(printed) - {MEAN}
        ours = self.result.exercises if self.result and by_exercise else []
        return [MEAN, *sorted({*by_exercise, *ours}, key=natural)]

    def _in_all_units(self, found: RowResult | None) -> dict[str, Bootstrap]:
        if found is None or not found.tables:
            return {}
        return {
            unit: bootstrap({"": [convert(t, unit, self.highest) for t in found.tables]})
            for unit in self.units
        }

    def _read(
        self,
        ours: Mapping[str, Bootstrap],
        found: RowResult | None,
        metric: str,
        place: str,
        published: float | None,
    ) -> tuple[Ours, ...]:
        read = []
        for unit, drawn in ours.items():
            value = self._value(drawn, found, metric, place)
            if value is not None and (unit == "points" or metric not in UNITLESS):
                value = as_printed(value, metric, unit)
                judged = "" if published is None else judge(value, published, metric)
                read.append(Ours(unit, value, judged))
        return tuple(read)

    def _value(
        self, drawn: Bootstrap | None, found: RowResult | None, metric: str, place: str
    ) -> Interval | None:
        """A metric of an exercise, or its mean where every exercise is there."""
        if drawn is None or (place != MEAN and place not in _exercises(found)):
            return None
        if place == MEAN and not self._all_there(found):
            return None
        return drawn.interval("", metric, None if place == MEAN else place)

    def _all_there(self, found: RowResult | None) -> bool:
        """Whether a row has every exercise that the experiment is about."""
        return found is not None and found.complete and self.done.exercises == self.whole.exercises

    def _verdict(
        self, read: Sequence[Ours], differences: Sequence[str]
    ) -> tuple[str, tuple[str, ...]]:
        """The verdict where nothing differs and all units agree; else why there is none."""
        judged = [r for r in read if len(read) == 1 or r.unit in self.published.units]
        if differences:
            return "not comparable", tuple(differences)
        if not all(r.verdict for r in judged):
            return "not comparable", ("there are too few people for an interval",)
        if len({r.verdict for r in judged}) == 1:
            return judged[0].verdict, ()
        said = ", ".join(f"{r.verdict} in {r.unit}" for r in judged)
        return "not comparable", (f"the unit decides ({said}): {self.published.ambiguity}",)

    def _absent(self, found: RowResult | None, place: str) -> str:
        if found is None or not found.runs:
            return f"there is no run of it under {self.published.protocol}"
        have = ", ".join(_exercises(found)) or "none"
        what = "not every exercise is whole" if place == MEAN else f"exercise {place} is not whole"
        return f"{what} (whole: {have})"

    def _differences(self, label: str) -> list[str]:
        """How what was done differs from the row as the experiment describes it."""
        done, whole = (self._entrant(experiment, label) for experiment in (self.done, self.whole))
        if done is None or whole is None:
            return []
        asked = _flat(self.whole.config(replace(whole[0], model=done[0].model), whole[1]))
        ours = replace(self.done, dataset=self.whole.dataset)  # which need not be known here
        words = [
            f"{key} is {json.dumps(value)} instead of {json.dumps(asked[key])}"
            for key, value in _flat(ours.config(*done)).items()
            if key in asked and value != asked[key]
        ]
        if len(words) > _SHOWN:
            words = [*words[:_SHOWN], f"{len(words) - _SHOWN} more settings differ"]
        if self.done.dataset != self.whole.dataset:
            words.insert(0, f"the data are {self.done.dataset}, not {self.whole.dataset}")
        if done[0].model != whole[0].model:
            words.insert(0, f"the small variant {done[0].model} stands in for {whole[0].model}")
        return words

    def _entrant(self, experiment: Experiment, label: str) -> tuple[Row, UnderProtocol] | None:
        """A row under the protocol that is compared; None where it takes no part."""
        for under in experiment.protocols:
            if under.name == self.published.protocol:
                rows = experiment.rows_under(under.name)
                return next(((row, under) for row in rows if row.label == label), None)
        return None


def _flat(config: Config) -> dict[str, Any]:
    """What makes numbers differ, by the keys a user would type."""
    return {
        f"{block}.{key}": value
        for block in ("model", "protocol", "trainer")
        for key, value in config[block].items()
        if key not in ("name", *MACHINE_KEYS)
    }


def _row(result: ProtocolResult | None, label: str) -> RowResult | None:
    rows = [] if result is None else [*result.rows, *result.unfinished]
    return next((row for row in rows if row.label == label), None)


def _exercises(found: RowResult | None) -> list[str]:
    """Exercises that have all their runs."""
    return sorted({t.exercise for t in found.tables} if found else (), key=natural)


def _held_against(change: Interval, stated: Mapping[str, float]) -> tuple[str, str]:
    """The verdict on a change, and which of the stated ones it was held against: the nearest."""
    where = min(stated, key=lambda place: abs(stated[place] - change.value))
    if not change.low <= change.high:
        return "", where
    if change.low <= stated[where] <= change.high:
        return "reproduced", where
    return ("larger" if change.value > stated[where] else "smaller"), where

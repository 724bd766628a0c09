"""Two models person by person: who does better for whom, and whether that is more than noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from registry import did_you_mean
from zoo.board.entries import BoardKey, Group, entries_called, places, read_groups
from zoo.errors import DataError
from zoo.evaluation.metrics import ranking_metric
from zoo.evaluation.statistics import (
    Interval,
    Paired,
    PersonPair,
    Table,
    bootstrap,
    compare_persons,
    paired,
)
from zoo.runs.folder import RECORD
from zoo.runs.record import RunProtocol
from zoo.runs.run import Run, incomparable, load_run, pooled_tables
from zoo.tables import Shown, SmallTable, of_rows
from zoo.words import fixed, natural

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class ComparedModels(Shown):
    """Two models on the same people.

    Attributes:
        a: name of the first.
        b: name of the second.
        dataset: its name.
        digits: decimals of errors.
        protocol: how both were evaluated.
        places: exercises and folds that both have, in words.
        persons: everybody, the largest differences first.
        test: whether the mean difference of their errors is more than noise.
        metric: what `exercises` is of: the MAD, or the AUC where the target is right or wrong.
        metric_digits: its decimals.
        exercises: by exercise the metric of both, averaged over seeds.
        sees_more: names of those whose scores rest on the person's other exercises as well.
        auc: the difference of the AUCs with its interval over persons, which then decides; None for
            scores.
    """

    a: str
    b: str
    dataset: str
    digits: int
    protocol: RunProtocol
    places: str
    persons: list[PersonPair]
    test: Paired
    metric: str
    metric_digits: int
    exercises: Mapping[str, tuple[float, float]]
    sees_more: tuple[str, ...] = ()
    auc: Interval | None = None

    @property
    def tied(self) -> bool:
        """Whether the difference is within noise."""
        if self.auc is not None:
            return not (self.auc.low > 0 or self.auc.high < 0)
        return not self.test.clear

    @property
    def verdict(self) -> str:
        """Which is better and by how much, and whether one has seen more, in a sentence or two."""
        if not self.sees_more:
            return self._difference
        who = " and ".join(self.sees_more)
        return f"{self._difference} Scores of {who} rest on the person's other exercises as well."

    @property
    def _difference(self) -> str:
        test, auc = self.test, self.auc
        if auc is not None:
            value, ends, digits = auc.value, (auc.low, auc.high), self.metric_digits
            amount, first_better = f"an AUC of {fixed(abs(value), digits)}", value > 0
            p = ""
        else:
            value, ends, digits = test.difference, (test.low, test.high), self.digits
            amount, first_better = f"{fixed(abs(value), digits)} points", value < 0
            p = f"permutation p = {test.permutation_p:.3g}, "
        low, high = (fixed(v, digits, sign=True) for v in ends)
        off = f"95 % interval of the difference {low} to {high}, {p}{len(self.persons)} people"
        if self.tied:
            return (
                f"{self.a} and {self.b} are tied: they differ by {amount} on average, "
                f"which is within noise ({off})."
            )
        better, worse = (self.a, self.b) if first_better else (self.b, self.a)
        return f"{better} is better than {worse} by {amount} ({off})."

    def to_dataframe(self) -> "DataFrame":
        """Everybody's mean absolute error under both models, and their difference (pandas)."""
        return of_rows(
            [
                {
                    "person": p.person,
                    self.a: p.error_a,
                    self.b: p.error_b,
                    "difference": p.difference,
                }
                for p in self.persons
            ]
        )

    def tables(self) -> list[SmallTable]:
        """Everybody's errors under both, and the verdict."""
        rows = [
            [p.person, *(fixed(v, self.digits) for v in (p.error_a, p.error_b, p.difference))]
            for p in self.persons
        ]
        title = f"{self.a} and {self.b} on {self.dataset}, {self.protocol.name}: {self.places}"
        return [SmallTable(title, ["person", self.a, self.b, "difference"], rows, [self.verdict])]


def compare(
    a: str, b: str, runs: Path, dataset: str | None = None, protocol: str | None = None
) -> ComparedModels:
    """Compare two models, over the exercises and folds that both have.

    Args:
        a: name of an entry, as the leaderboard shows it, or a run folder.
        b: the same.
        runs: folder of all runs, where the names are looked up.
        dataset: to compare on, where they stand on several boards.
        protocol: the same.

    Raises:
        DataError: no such model or run, or they cannot be compared; the message says why.
    """
    first, second = _pair(a, b, runs, dataset, protocol)
    left, right, places = _common(first, second)
    mine, theirs = pooled_tables(left), pooled_tables(right)
    pairs = compare_persons(mine, theirs)
    test = paired([p.error_a for p in pairs], [p.error_b for p in pairs])
    names = _names(first, second)
    data = left[0].record.dataset
    metric = ranking_metric(data.binary)
    auc = None
    if data.binary:
        auc = bootstrap({"a": mine, "b": theirs}, ["auc"]).difference("a", "b", "auc")
    return ComparedModels(
        a=names[0],
        b=names[1],
        dataset=data.name,
        digits=data.digits,
        protocol=left[0].record.protocol,
        places=places,
        persons=sorted(pairs, key=lambda p: (-abs(p.difference), p.person)),
        test=test,
        metric=metric.title,
        metric_digits=metric.digits(data.score_range),
        exercises={
            e: (_mean(metric.name, mine, e), _mean(metric.name, theirs, e))
            for e in sorted({t.exercise for t in mine}, key=natural)
        },
        sees_more=tuple(
            name
            for name, side in zip(names, (left, right), strict=True)
            if side[0].record.sees != "recording"
        ),
        auc=auc,
    )


@dataclass(frozen=True)
class _Side:
    """One of the two: its name and its runs, and whether it is a single folder."""

    name: str
    runs: Sequence[Run]
    folder: bool = False


def _pair(
    a: str, b: str, runs: Path, dataset: str | None, protocol: str | None
) -> tuple[_Side, _Side]:
    sides = [_folder(name) for name in (a, b)]
    if sides[0] and sides[1]:
        _require_comparable(sides[0].runs[0], sides[1].runs[0])
        return sides[0], sides[1]
    groups, _ = read_groups(runs, dataset, protocol)
    found = [
        [(_measured_alike(side.runs[0]), side)] if side else _entries(name, groups)
        for name, side in zip((a, b), sides, strict=True)
    ]
    keys = [key for key, _ in found[0] if key in {other for other, _ in found[1]}]
    if not keys:
        _require_comparable(found[0][0][1].runs[0], found[1][0][1].runs[0])
        raise DataError(f"{a} and {b} stand on no common board")
    boards = sorted({(key.dataset, key.protocol) for key in keys})
    if len(boards) > 1:
        shown = "; ".join(f"dataset={d!r} protocol={p!r}" for d, p in boards)
        raise DataError(f"{a} and {b} stand together on {len(boards)} boards. Choose: {shown}")
    first, second = (_only(name, keys[0], some) for name, some in zip((a, b), found, strict=True))
    return first, second


def _folder(name: str) -> _Side | None:
    folder = Path(name).expanduser()
    if not (folder / RECORD).is_file():
        return None
    run = load_run(folder)
    return _Side(run.record.model.name, [run], folder=True)


def _entries(name: str, groups: Sequence[Group]) -> list[tuple[BoardKey, _Side]]:
    """Entries with this name, else those of this model, by board."""
    every = [entry for group in groups for entry in group.entries]
    chosen = entries_called(name, every)
    if not chosen:
        known = sorted({entry.name for entry in every})
        raise DataError(
            f"no entry is called {name!r}, and it is no run folder. {did_you_mean(name, known)}"
        )
    return [(_measured_alike(entry.runs[0]), _Side(entry.name, entry.runs)) for entry in chosen]


def _measured_alike(run: Run) -> BoardKey:
    """The board of a run, whatever its scores rest on: the same people are tested in both."""
    return replace(BoardKey.of(run), sees="recording")


def _only(name: str, key: BoardKey, found: Sequence[tuple[BoardKey, _Side]]) -> _Side:
    here = [side for other, side in found if other == key]
    if len(here) > 1:
        raise DataError(
            f"{name} stands {len(here)} times on this board. Name one of: "
            + "; ".join(side.name for side in here)
        )
    return here[0]


def _require_comparable(a: Run, b: Run) -> None:
    reasons = incomparable(a.record, b.record)
    if reasons:
        raise DataError(f"{a.path} and {b.path} cannot be compared: {'; '.join(reasons)}")


def _common(a: _Side, b: _Side) -> tuple[list[Run], list[Run], str]:
    """Runs of both in the exercises and folds that both have, and these in words."""
    had = [{(run.exercise, run.fold) for run in side.runs} for side in (a, b)]
    both = had[0] & had[1]
    if not both:
        raise DataError(
            f"{a.name} and {b.name} have no exercise and fold in common, so they were tested on "
            "different people"
        )
    sides = []
    for side in (a, b):
        seeds = [
            seed
            for seed in sorted({run.seed for run in side.runs})
            if both <= {(r.exercise, r.fold) for r in side.runs if r.seed == seed}
        ]
        if not seeds:
            raise DataError(f"no single seed of {side.name} has every fold it is compared on")
        sides.append([r for r in side.runs if r.seed in seeds and (r.exercise, r.fold) in both])
    tested = {(run.exercise, run.fold): run for run in sides[0]}
    for run in sides[1]:
        other = tested[run.exercise, run.fold]
        if run.tested_on != other.tested_on:
            _require_comparable(other, run)
            raise DataError(
                f"{other.path} and {run.path} have different true scores: `zoo leaderboard check` "
                "says more"
            )
    return sides[0], sides[1], places(both)


def _mean(metric: str, tables: Sequence[Table], exercise: str) -> float:
    return fmean(table.value(metric) for table in tables if table.exercise == exercise)


def _names(a: _Side, b: _Side) -> tuple[str, str]:
    if a.name != b.name:
        return a.name, b.name
    shown = [
        f"{side.name}, {side.runs[0].path.name}" if side.folder else side.name for side in (a, b)
    ]
    return (shown[0], shown[1]) if shown[0] != shown[1] else (f"{a.name} A", f"{b.name} B")

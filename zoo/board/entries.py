"""Runs as entries of a board: what belongs together, what is missing, what must not be mixed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.board.naming import names
from zoo.evaluation.statistics.tables import Table
from zoo.protocol.references import LEAK_REFERENCE
from zoo.runs.find import Unreadable, read_runs
from zoo.runs.identity import Identity
from zoo.runs.record import RunProtocol
from zoo.runs.run import Run, Tested, pooled_tables
from zoo.words import natural

_MOST_FOLDS = 10_000  # what a record says of itself must not fill the memory


@dataclass(frozen=True, order=True)
class BoardKey:
    """What two results must share before they may stand on one board.

    Attributes:
        dataset: its name.
        protocol: its name.
        fingerprint: of the prepared dataset.
        protocol_hash: of everything in the protocol that can change a number.
        sees: what a score rests on, see `RunRecord.sees`.
    """

    dataset: str
    protocol: str
    fingerprint: str
    protocol_hash: str
    sees: str = "recording"

    @classmethod
    def of(cls, run: Run) -> "BoardKey":
        """The board a run belongs to."""
        data, protocol = run.record.dataset, run.record.protocol
        sees = run.record.sees
        return cls(data.name, protocol.name, data.fingerprint, protocol.hash, sees)


@dataclass(frozen=True, eq=False)
class Entry:
    """All runs of one model with one choice of settings on one board.

    Attributes:
        name: the model's name, and what differs from its defaults.
        model: registered name.
        settings: what differs from the defaults, by dotted key.
        runs: one for every exercise, seed and fold that is there, in this order.
        missing: what is not there, in words; empty for a complete entry.
        expected: how many runs a complete entry with these seeds has.
        objection: why it cannot be compared although it may be complete; empty if it can.
    """

    name: str
    model: str
    settings: Mapping[str, Any]
    runs: list[Run] = field(repr=False)
    missing: list[str] = field(default_factory=list, repr=False)
    expected: int = 0
    objection: str = ""

    @property
    def protocol(self) -> RunProtocol:
        """How it was evaluated."""
        return self.runs[0].record.protocol

    @property
    def leak_reference(self) -> bool:
        """Whether its model says that it measures only what a split gives away."""
        return LEAK_REFERENCE in self.runs[0].record.model.tags

    @cached_property
    def mean_score(self) -> bool:
        """Whether it gives everybody the mean training score of their fold."""
        return all(
            np.allclose(run.tested.predicted, run.record.baseline_score, rtol=1e-4)
            for run in self.runs
        )

    @property
    def builtin(self) -> bool:
        """Whether the model is one of the zoo's own."""
        return self.runs[-1].record.model.source.builtin

    @property
    def complete(self) -> bool:
        """Whether every exercise and fold of the board is there for each of its seeds."""
        return not self.missing and not self.objection

    @cached_property
    def exercises(self) -> list[str]:
        """Exercise ids, sorted."""
        return sorted({run.exercise for run in self.runs}, key=natural)

    @cached_property
    def seeds(self) -> list[int]:
        """Seeds, sorted."""
        return sorted({run.seed for run in self.runs})

    @cached_property
    def folds(self) -> list[int]:
        """Folds, sorted."""
        return sorted({run.fold for run in self.runs})

    @cached_property
    def tables(self) -> list[Table]:
        """Out-of-fold test predictions, a table for every exercise and seed."""
        return pooled_tables(self.runs)

    def baseline_tables(self) -> list[Table]:
        """The same with the mean training score of each fold in the model's place."""
        return pooled_tables(self.runs, baseline=True)


@dataclass(frozen=True, eq=False)
class Group:
    """Every entry of one dataset and protocol whose results may be compared.

    Attributes:
        key: what they share.
        entries: complete and incomplete ones, by name.
        folds: by exercise, sorted, those a complete entry has.
        others: runs of the same dataset and protocol under another key, and how many each has.
        copies: run folders left out because another of the same settings was used.
    """

    key: BoardKey
    entries: list[Entry]
    folds: Mapping[str, list[int]]
    others: Mapping[BoardKey, int] = field(default_factory=dict)
    copies: list[Path] = field(default_factory=list)


def read_groups(
    runs_root: Path | str,
    dataset: str | None = None,
    protocol: str | None = None,
    *,
    exercise: str | None = None,
) -> tuple[list[Group], list[Unreadable]]:
    """Every board below a folder of runs, and the folders that cannot be read.

    Boards of one dataset stand together, honest protocols first; of one protocol, the one with
    most runs first, then the most recent. Arguments as in `zoo.leaderboard`.

    Raises:
        DataError: there is no such folder.
    """
    runs, unreadable = read_runs(Path(runs_root))
    chosen = [
        run
        for run in runs
        if dataset in (None, run.record.dataset.name)
        and protocol in (None, run.record.protocol.name)
        and exercise in (None, run.exercise)
    ]
    return groups_of(chosen), unreadable


def groups_of(runs: Iterable[Run]) -> list[Group]:
    """Runs put together as boards, in the order of `read_groups`."""
    boards: dict[BoardKey, list[Run]] = defaultdict(list)
    for run in runs:
        boards[BoardKey.of(run)].append(run)
    newest = {key: max(run.record.created for run in boards[key]) for key in boards}
    order = sorted(boards, key=newest.__getitem__, reverse=True)
    order.sort(
        key=lambda k: (
            k.dataset,
            boards[k][0].leaky,
            k.protocol,
            k.sees != "recording",
            -len(boards[k]),
        )
    )
    groups = []
    for key in order:
        others = {
            other: len(boards[other])
            for other in order
            if other != key
            and (other.dataset, other.protocol, other.sees) == (key.dataset, key.protocol, key.sees)
        }
        groups.append(_group(key, boards[key], others))
    return groups


def spans(numbers: Iterable[int]) -> str:
    """Whole numbers in words: ``0-2, 4``."""
    parts: list[list[int]] = []
    for n in sorted(set(numbers)):
        if parts and n == parts[-1][-1] + 1:
            parts[-1][1:] = [n]
        else:
            parts.append([n])
    return ", ".join("-".join(map(str, part)) for part in parts)


def fold_words(folds: Iterable[int]) -> str:
    """``fold 3``, ``folds 0-2, 4``."""
    some = set(folds)
    return f"{'fold' if len(some) == 1 else 'folds'} {spans(some)}"


def places(tested: Iterable[tuple[str, int]]) -> str:
    """Exercises and folds in words: ``exercise 1, folds 0-1; exercise 5, fold 0``."""
    folds: dict[str, set[int]] = defaultdict(set)
    for exercise, fold in tested:
        folds[exercise].add(fold)
    order = sorted(folds, key=natural)
    return "; ".join(f"exercise {exercise}, {fold_words(folds[exercise])}" for exercise in order)


def entries_called(name: str, entries: Iterable[Entry]) -> list[Entry]:
    """Those of this name; where there are none, those of the model of this name."""
    known = list(entries)
    return [e for e in known if e.name == name] or [e for e in known if e.model == name]


def _group(key: BoardKey, runs: list[Run], others: Mapping[BoardKey, int]) -> Group:
    sets: dict[Identity, dict[tuple[str, int, int], Run]] = defaultdict(dict)
    copies = []
    for run in sorted(runs, key=lambda r: (r.record.created, str(r.path)), reverse=True):
        places = sets[Identity.of(run)]
        if run.place in places:
            copies.append(run.path)
        else:
            places[run.place] = run
    exercises = sorted({run.exercise for run in runs}, key=natural)
    folds = {exercise: _expected_folds(exercise, runs) for exercise in exercises}
    usual = _usual(sets.values())
    entries = []
    named = names({identity: list(own.values()) for identity, own in sets.items()})
    for identity, (name, settings) in named.items():
        own = sorted(sets[identity].values(), key=lambda r: (natural(r.exercise), r.seed, r.fold))
        missing, expected = _missing(own, folds)
        entries.append(
            Entry(
                name,
                identity.model,
                settings,
                own,
                missing,
                expected,
                _objection(own, usual, folds),
            )
        )
    entries.sort(key=lambda e: e.name)
    return Group(key, entries, folds, others, sorted(copies))


def _expected_folds(exercise: str, runs: Sequence[Run]) -> list[int]:
    """The protocol's folds, as many as most runs say."""
    said = Counter(run.record.protocol.folds for run in runs if run.exercise == exercise)
    count = max(said, key=lambda folds: (said[folds], folds))
    return list(range(min(count, _MOST_FOLDS)))


def _missing(runs: Sequence[Run], folds: Mapping[str, list[int]]) -> tuple[list[str], int]:
    """What is not there for each of the runs' seeds, in words, and how many there should be."""
    have = {run.place for run in runs}
    seeds = sorted({run.seed for run in runs})
    found = []
    for seed in seeds:
        for exercise, wanted in folds.items():
            gone = [fold for fold in wanted if (exercise, fold, seed) not in have]
            if gone:
                what = "all folds" if len(gone) == len(wanted) else fold_words(gone)
                what = what if len(wanted) > 1 else "the run"
                found.append(f"{what} of exercise {exercise}, seed {seed}")
    return found, len(seeds) * sum(map(len, folds.values()))


class _Said(NamedTuple):
    """What runs of one exercise and fold must agree about."""

    tested_on: Tested
    binary: bool
    score_range: tuple[float, float]

    @classmethod
    def by(cls, run: Run) -> "_Said":
        return cls(run.tested_on, run.record.dataset.binary, run.record.dataset.score_range)


def _usual(
    sets: Iterable[Mapping[tuple[str, int, int], Run]],
) -> dict[tuple[str, int], _Said]:
    """By exercise and fold, what most entries say."""
    votes: dict[tuple[str, int], Counter[_Said]] = defaultdict(Counter)
    for runs in sets:
        for place in {(run.exercise, run.fold, _Said.by(run)) for run in runs.values()}:
            votes[place[:2]][place[2]] += 1
    return {place: count.most_common(1)[0][0] for place, count in votes.items()}


def _objection(
    runs: Sequence[Run],
    usual: Mapping[tuple[str, int], _Said],
    folds: Mapping[str, list[int]],
) -> str:
    for run in runs:
        expected, found = usual[run.exercise, run.fold], _Said.by(run)
        where = f"exercise {run.exercise}, fold {run.fold}"
        if found.tested_on[0] != expected.tested_on[0]:
            return f"it was tested under another split than the other entries ({where})"
        if found.tested_on[1] != expected.tested_on[1]:
            return (
                f"its people or true scores are not those of the other entries ({where}): "
                "`zoo leaderboard check` says more"
            )
        if found != expected:
            return f"what it says of the range or kind of the scores, no other entry does ({where})"
        count = run.record.protocol.folds
        if count != len(folds[run.exercise]):
            return f"it says that there are {count} folds, {len(folds[run.exercise])} are ({where})"
    return ""

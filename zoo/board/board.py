"""The leaderboard as data: what is ranked, what is apart, and what every number rests on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from zoo.build import to_plain
from zoo.evaluation.statistics import Interval

SCHEMA = 1
"""Version of `Board.to_dict`; raised when a key changes its meaning."""

Numbers = dict[str, float | None]


@dataclass(frozen=True)
class Incomplete:
    """A model that is not ranked, because runs are missing or cannot be compared.

    Attributes:
        name: as an entry's.
        model: registered name.
        have: runs that are there.
        expected: runs that a complete entry with its seeds has.
        missing: what is not there, in words.
        reason: why it stands apart.
    """

    name: str
    model: str
    have: int
    expected: int
    missing: list[str]
    reason: str


@dataclass(frozen=True)
class Versus:
    """An entry against another, person by person; see `zoo.evaluation.statistics.Comparison`."""

    difference: float
    low: float
    high: float
    wilcoxon_p: float
    permutation_p: float
    wilcoxon_holm: float
    permutation_holm: float
    significant: bool


@dataclass(frozen=True)
class RunRow:
    """One run of an entry; `path` is below the folder of runs."""

    path: str
    exercise: str
    fold: int
    seed: int
    mad: float
    epochs: int | None
    train_seconds: float | None
    key_hash: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """One ranked model.

    Attributes:
        name: unlike all others of its board.
        model: registered name.
        title: from its card, like `paper` and `doi`.
        family: ``trivial``, ``classical``, ``neural``, ``graph`` or ``other``.
        settings: what differs from the model's defaults.
        source: ``built in``, or the distribution or file it comes from.
        streams: what it takes.
        parameters: trained numbers; like the next three the mean over its runs.
        flops: operations for one sequence.
        train_seconds: time to train one run.
        latency_ms: time to score one sequence.
        runs: how many stand behind the numbers.
        rank: by mean MAD, 1 is best; `rank_low` to `rank_high` is its 95 % interval.
        tied_with_best: no worse than the first beyond noise.
        metrics: by ``mean`` or exercise, then by metric.
        better_than_mean: by how many percent its MAD is below the mean training score's.
        seed_spread: standard deviation of the MAD between seeds; NaN for one.
        fold_spread: between folds.
        versus_mean: against the mean training score of the same splits.
        versus_best: against the first; None for itself.
        by_group: MAD by clinical group.
        points: by exercise, group, true and predicted score of every row of the first seed; None
            on a public board.
        run_list: the runs.
    """

    name: str
    model: str
    title: str
    family: str
    paper: str
    doi: str
    settings: Mapping[str, Any]
    source: str
    builtin: bool
    streams: list[str]
    parameters: float | None
    flops: float | None
    train_seconds: float | None
    latency_ms: float | None
    seeds: list[int]
    folds: list[int]
    runs: int
    rank: int
    rank_low: int
    rank_high: int
    tied_with_best: bool
    metrics: Mapping[str, Mapping[str, Interval]]
    better_than_mean: Interval
    seed_spread: float
    fold_spread: float
    versus_mean: Versus | None
    versus_best: Versus | None
    by_group: Mapping[str, float]
    points: Mapping[str, list[tuple[str, float, float]]] | None = field(repr=False)
    run_list: list[RunRow] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The entry as plain containers."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        del found["seed_spread"], found["fold_spread"]
        for key in ("parameters", "flops"):
            found[key] = None if found[key] is None else round(found[key])
        return {
            **found,
            "metrics": {
                where: {name: interval._asdict() for name, interval in values.items()}
                for where, values in self.metrics.items()
            },
            "better_than_mean": self.better_than_mean._asdict(),
            "spread": {"seeds": self.seed_spread, "folds": self.fold_spread},
            "versus_mean": asdict(self.versus_mean) if self.versus_mean else None,
            "versus_best": asdict(self.versus_best) if self.versus_best else None,
            "run_list": [dict(vars(run)) for run in self.run_list],
        }


@dataclass(frozen=True)
class Section:
    """One dataset under one protocol: everything in it was measured alike.

    Attributes:
        dataset: its name.
        dataset_title: its full name.
        fingerprint: of its prepared form.
        score_range: lowest and highest possible score; None where unknown.
        protocol: name, title, summary, hash, leaky, leak_reason, aggregate, folds, seeds.
        meaning: for a leaky protocol, what its numbers mean; empty for an honest one.
        exercises: id and title of each.
        persons: how many were tested.
        entries: complete ones, best first.
        incomplete: the others.
        published: numbers of papers on this dataset, never ranked.
        friedman: Friedman's test over (exercise × fold) blocks; None where there are too few.
        notes: what a reader must know besides.
    """

    dataset: str
    dataset_title: str
    fingerprint: str
    score_range: tuple[float, float] | None
    protocol: Mapping[str, Any]
    meaning: str
    exercises: list[Mapping[str, str]]
    persons: int
    metrics: list[str]
    entries: list[Entry]
    incomplete: list[Incomplete]
    published: list[Mapping[str, Any]]
    friedman: Mapping[str, Any] | None
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The section as plain containers."""
        return {
            **{f.name: getattr(self, f.name) for f in fields(self)},
            "entries": [entry.to_dict() for entry in self.entries],
            "incomplete": [asdict(entry) for entry in self.incomplete],
        }


@dataclass(frozen=True)
class Board:
    """The leaderboard of a folder of runs.

    Attributes:
        generated: ISO time.
        zoo_version: of the zoo that ranked it.
        public: nothing of a single person is in it.
        boards: one for each dataset and protocol.
        pairs: each dataset's honest board beside its leaky one.
        unreadable: run folders that could not be used, and why.
    """

    generated: str
    zoo_version: str
    public: bool
    boards: list[Section]
    pairs: list[Mapping[str, Any]]
    unreadable: list[Mapping[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """The board as plain containers for the renderers and for JSON; NaN is None."""
        return dict(
            to_plain(
                {
                    "schema": SCHEMA,
                    **{f.name: getattr(self, f.name) for f in fields(self)},
                    "boards": [section.to_dict() for section in self.boards],
                }
            )
        )

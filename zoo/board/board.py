"""The leaderboard as data: what is ranked, what is apart, and what every number rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoo.board.published import MEAN, PublishedResult
from zoo.evaluation.statistics import Comparison, Friedman, Interval, Spread
from zoo.tables import Shown, SmallTable, of_rows
from zoo.words import score_digits, with_interval

if TYPE_CHECKING:
    from pandas import DataFrame

OTHERS_SEEN = "with the person's other exercises"
"""Heads a board whose scores rest on more than one recording."""


@dataclass(frozen=True)
class Incomplete:
    """A model that is not ranked, because runs are missing or cannot be compared.

    What is there of it is shown beside the mean score on the same people, and is provisional:
    others may have been tested on harder ones.

    Attributes:
        name: as an entry's.
        model: registered name.
        have: runs that are there.
        expected: runs that a complete entry with its seeds has.
        missing: what is not there, in words.
        reason: why it stands apart.
        tested_on: exercises and folds that are there, in words.
        persons: how many people were tested in them.
        metrics: over what is there, by name; empty where it cannot be compared.
        mean_score: the first metric of the mean training score on the same people.
    """

    name: str
    model: str
    have: int
    expected: int
    missing: list[str]
    reason: str
    tested_on: str
    persons: int
    metrics: Mapping[str, float]
    mean_score: float


@dataclass(frozen=True)
class RankedRun:
    """One run behind a ranked model; `path` is below the folder of runs."""

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
class Ranked:
    """One ranked model.

    Attributes:
        name: unlike all others of its board.
        model: registered name.
        title: from its card, like `paper` and `doi`.
        family: ``trivial``, ``classical``, ``neural``, ``graph`` or ``other``.
        mean_score: it gives everybody the mean training score.
        leak_reference: its card says that it measures only what a split gives away.
        settings: what differs from the model's defaults.
        source: ``built in``, or the distribution or file it comes from.
        streams: what it takes.
        parameters: trained numbers; like the next three the mean over its runs.
        flops: operations for one sequence.
        train_seconds: time to train one run.
        latency_ms: time to score one sequence.
        rank: by the section's first metric, 1 is best; `rank_low` to `rank_high` is its 95 %
            interval.
        tied_with_best: no worse than the first beyond noise.
        metrics: by `MEAN` or exercise, then by metric.
        better_than_mean: by how many percent its MAD is below the mean training score's; NaN where
            the target is right or wrong: an AUC of 0.5 is what the mean score has.
        spread: standard deviation of the MAD between seeds and between folds; NaN for one.
        versus_mean: against the mean training score of the same splits, by the MAD of each person;
            None for itself, and where the target is right or wrong.
        versus_best: against the first, likewise.
        by_group: MAD by clinical group.
        points: by exercise, group, true and predicted score of every row of the first seed; None
            on a public board.
        runs: those behind the numbers.
        movement: the page beside a published board that shows recordings and their scores; empty
            where they may not be shown.
    """

    name: str
    model: str
    title: str
    family: str
    paper: str
    doi: str
    mean_score: bool
    leak_reference: bool
    settings: Mapping[str, Any]
    source: str
    builtin: bool
    streams: list[str]
    parameters: int | None
    flops: int | None
    train_seconds: float | None
    latency_ms: float | None
    seeds: list[int]
    folds: list[int]
    rank: int
    rank_low: int
    rank_high: int
    tied_with_best: bool
    metrics: Mapping[str, Mapping[str, Interval]]
    better_than_mean: Interval
    spread: Spread
    versus_mean: Comparison | None
    versus_best: Comparison | None
    by_group: Mapping[str, float]
    points: Mapping[str, list[tuple[str, float, float]]] | None = field(repr=False)
    runs: list[RankedRun] = field(repr=False)
    movement: str = ""

    @property
    def mad(self) -> float:
        """Mean absolute deviation, averaged over exercises: what scores are ranked by."""
        return self.metrics[MEAN]["mad"].value


@dataclass(frozen=True)
class Exercise:
    """An exercise of a board; the title may be empty."""

    id: str
    title: str


@dataclass(frozen=True)
class BoardMetric:
    """A metric of a board and how it is shown.

    Attributes:
        name: as registered; a key of `Ranked.metrics`.
        title: at the head of a column.
        unit: behind it, in words.
        digits: decimals.
        higher_is_better: whether more is better.
    """

    name: str
    title: str
    unit: str
    digits: int
    higher_is_better: bool


@dataclass(frozen=True)
class BoardProtocol:
    """How everything on a board was evaluated.

    Attributes:
        name: of its configuration.
        title: full name.
        summary: in a sentence or two.
        hash: of everything that can change a number.
        leaky: a person may stand on both sides.
        leak_reason: why.
        aggregate: how samples become recordings.
        folds: that a complete entry has.
        seeds: that any entry has.
        sees: what a score rests on: one ``recording``, or the same ``person``'s other ones too.
    """

    name: str
    title: str
    summary: str
    hash: str
    leaky: bool
    leak_reason: str
    aggregate: str
    folds: list[int]
    seeds: list[int]
    sees: str = "recording"

    @property
    def heading(self) -> str:
        """Its name, and that more than one recording was seen where it was."""
        return self.name if self.sees == "recording" else f"{self.name}, {OTHERS_SEEN}"


@dataclass(frozen=True)
class Section:
    """One dataset under one protocol: everything in it was measured alike.

    Attributes:
        dataset: its name.
        dataset_title: its full name.
        fingerprint: of its prepared form.
        score_range: lowest and highest possible score; None where unknown.
        protocol: how it was evaluated.
        meaning: for a leaky protocol, what its numbers mean; empty for an honest one.
        exercises: in order.
        persons: how many were tested.
        metrics: those that stand in tables, in order; models are ranked by the first.
        ranked: complete entries, best first.
        incomplete: the others, those that were tested on the same people together.
        completing: commands that make what is missing.
        published: numbers of papers on this dataset, never ranked.
        friedman: Friedman's test over (exercise × fold) blocks; None where there are too few.
        notes: what a reader must know besides.
    """

    dataset: str
    dataset_title: str
    fingerprint: str
    score_range: tuple[float, float] | None
    protocol: BoardProtocol
    meaning: str
    exercises: list[Exercise]
    persons: int
    metrics: list[BoardMetric]
    ranked: list[Ranked]
    incomplete: list[Incomplete]
    completing: list[str]
    published: list[PublishedResult]
    friedman: Friedman | None
    notes: list[str]

    @property
    def digits(self) -> int:
        """Decimals of scores and of errors in them."""
        return score_digits(self.score_range)


@dataclass(frozen=True)
class PairedModel:
    """One model under both protocols of a `Pair`; flags as in `Ranked`."""

    name: str
    family: str
    mean_score: bool
    leak_reference: bool
    honest_mad: float
    leaky_mad: float
    honest_rank: int
    leaky_rank: int


@dataclass(frozen=True)
class Pair:
    """The same models on the same data under an honest and under a leaky protocol.

    Attributes:
        dataset: its name.
        dataset_title: its full name.
        score_range: as a section's.
        honest: name of the protocol that keeps people apart.
        leaky: name of the one that does not.
        models: those that both boards rank, by their honest rank.
    """

    dataset: str
    dataset_title: str
    score_range: tuple[float, float] | None
    honest: str
    leaky: str
    models: list[PairedModel]

    @property
    def digits(self) -> int:
        """Decimals of errors."""
        return score_digits(self.score_range)


@dataclass(frozen=True)
class LeftOut:
    """A run folder that could not be used, below the folder of runs, and why."""

    path: str
    reason: str


@dataclass(frozen=True, repr=False)
class Board(Shown):
    """The leaderboard of a folder of runs.

    Attributes:
        generated: ISO time.
        zoo_version: of the zoo that ranked it.
        public: nothing of a single person is in it.
        sections: one for each dataset and protocol.
        pairs: each leaky section beside an honest one of the same data.
        unreadable: run folders that could not be used.
    """

    generated: str
    zoo_version: str
    public: bool
    sections: list[Section]
    pairs: list[Pair]
    unreadable: list[LeftOut]

    def to_dataframe(self) -> "DataFrame":
        """A row a ranked model of every section, with its metrics averaged over exercises (pandas).

        Beside them the 95 % interval of the MAD, and the MAD of each exercise as ``mad EXERCISE``.
        """
        return of_rows(
            [
                {
                    "dataset": section.dataset,
                    "protocol": section.protocol.name,
                    "leaky": section.protocol.leaky,
                    "sees": section.protocol.sees,
                    "rank": row.rank,
                    "name": row.name,
                    "model": row.model,
                    "family": row.family,
                    "parameters": row.parameters,
                    **{metric: found.value for metric, found in row.metrics[MEAN].items()},
                    "mad_low": row.metrics[MEAN]["mad"].low,
                    "mad_high": row.metrics[MEAN]["mad"].high,
                    **{f"mad {e.id}": row.metrics[e.id]["mad"].value for e in section.exercises},
                }
                for section in self.sections
                for row in section.ranked
            ]
        )

    def tables(self) -> list[SmallTable]:
        """The ranking of every section."""
        return [_table(section) for section in self.sections]


def _table(section: Section) -> SmallTable:
    leaky = f", LEAKY: {section.meaning}" if section.protocol.leaky else ""
    rows = [
        [str(row.rank), row.name]
        + [
            with_interval(m.value, m.low, m.high, metric.digits)
            for metric in section.metrics
            for m in [row.metrics[MEAN][metric.name]]
        ]
        for row in section.ranked
    ]
    return SmallTable(
        f"{section.dataset}, {section.protocol.heading}, {section.persons} people{leaky}",
        ["rank", "model", *(f"{m.title} {m.unit}" for m in section.metrics)],
        rows,
        [f"{row.name} is not ranked: {row.reason}" for row in section.incomplete],
    )

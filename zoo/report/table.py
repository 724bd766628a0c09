"""The main table of a board: its columns, and what stands in each cell."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from zoo.board.board import BoardMetric, Ranked, Section
from zoo.board.published import MEAN, PublishedResult
from zoo.words import NOTHING, count, fixed, interval, milliseconds, seconds


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: its name in a row's cells and in the page's data attributes.
        title: of the head.
        unit: second line of the head.
        numeric: right-aligned, sorted by number.
        large_first: what the first click on the head brings to the top.
        optional: a reader may hide it.
        measured: it is computed from predictions, so that it leaks where the protocol does.
    """

    key: str
    title: str
    unit: str = ""
    numeric: bool = True
    large_first: bool = False
    optional: bool = True
    measured: bool = False


@dataclass(frozen=True, kw_only=True)
class MetricColumn(Column):
    """A metric in an exercise, or their `MEAN`, which alone is shown before a reader chooses."""

    exercise: str
    metric: BoardMetric
    optional: bool = False
    measured: bool = True


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: the value, its interval or remark below, and what it is sorted by."""

    text: str
    small: str = ""
    value: float | str | None = None
    word: str = ""

    @property
    def whole(self) -> str:
        """On one line."""
        return f"{self.text} ({self.small})" if self.small else self.text


@dataclass(frozen=True)
class RankedRow:
    """One ranked entry.

    Attributes:
        entry: of the board.
        cells: one per column, the name left out.
        mark: ``best``, ``tied`` or nothing.
    """

    entry: Ranked
    cells: dict[str, Cell]
    mark: str


@dataclass(frozen=True)
class PublishedRow:
    """One published result: only metrics, and no rank."""

    result: PublishedResult
    cells: dict[str, Cell]


def metric_columns(section: Section) -> Iterator[MetricColumn]:
    """Every metric of every exercise, the means first."""
    places = [(MEAN, "mean"), *((e.id, f"ex. {e.id}") for e in section.exercises)]
    for i, (exercise, short) in enumerate(places):
        for metric in section.metrics:
            yield MetricColumn(
                key=f"metric-{i}-{metric.name}",
                title=metric.title,
                unit=", ".join(filter(None, (short, metric.unit))),
                large_first=metric.higher_is_better,
                exercise=exercise,
                metric=metric,
            )


def columns(section: Section) -> list[Column]:
    """All columns, in order: rank, model, every metric of every exercise, cost, origin."""
    return [
        Column("rank", "Rank", optional=False),
        Column("model", "Model", numeric=False, optional=False),
        *metric_columns(section),
        Column("better", "Better by", "than mean score", large_first=True, measured=True),
        Column("parameters", "Parameters"),
        Column("flops", "FLOPs", "a sequence"),
        Column("train", "Training", "a run"),
        Column("latency", "Latency", "batch of 1"),
        Column("streams", "Streams", numeric=False),
        Column("runs", "Seeds × folds"),
        Column("source", "Source", numeric=False),
    ]


def ranked(section: Section) -> list[RankedRow]:
    """A row for every entry, best first."""
    shown = list(metric_columns(section))
    rows = []
    for entry in section.ranked:
        mark = "best" if entry.rank == 1 else "tied" if entry.tied_with_best else ""
        between = f"{entry.rank_low}–{entry.rank_high}"
        cells = {"rank": Cell(str(entry.rank), between, entry.rank)}
        for column in shown:
            found, digits = entry.metrics[column.exercise][column.metric.name], column.metric.digits
            between = interval(found.low, found.high, digits)
            cells[column.key] = Cell(fixed(found.value, digits), between, _known(found.value))
        rows.append(RankedRow(entry, cells | _others(entry), mark))
    return rows


def published(section: Section) -> list[PublishedRow]:
    """A row for every published result."""
    shown = list(metric_columns(section))
    rows = []
    for result in section.published:
        cells = {"rank": Cell("")}
        for column in shown:
            value = result.metrics.get(column.exercise, {}).get(column.metric.name)
            cells[column.key] = Cell(fixed(value, column.metric.digits), value=value)
        rows.append(PublishedRow(result, cells))
    return rows


def _others(entry: Ranked) -> dict[str, Cell]:
    better, streams = entry.better_than_mean, ", ".join(entry.streams)
    unsure = entry.versus_mean is not None and not entry.versus_mean.significant
    gain = fixed(better.value, 0, sign=True)
    runs = len(entry.runs)
    return {
        "better": Cell(
            gain if gain == NOTHING else f"{gain} %",
            interval(better.low, better.high, 0),
            _known(better.value),
            "not significant" if unsure else "",
        ),
        "parameters": Cell(count(entry.parameters), value=entry.parameters),
        "flops": Cell(count(entry.flops), value=entry.flops),
        "train": Cell(seconds(entry.train_seconds), value=entry.train_seconds),
        "latency": Cell(milliseconds(entry.latency_ms), value=entry.latency_ms),
        "streams": Cell(streams, value=streams),
        "runs": Cell(
            f"{len(entry.seeds)} × {len(entry.folds)}",
            "1 run" if runs == 1 else f"{runs} runs",
            runs,
        ),
        "source": Cell(entry.source, "" if entry.builtin else "plug-in", entry.source),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def heat_map(section: Section) -> list[tuple[str, list[tuple[str, int | None]]]]:
    """MAD of every entry by exercise, the mean over exercises last.

    Each with its colour, from 0 (least error) to 9; None where there is no number.
    """
    keys = [*(e.id for e in section.exercises), MEAN]
    table = [(e.name, [e.metrics[key]["mad"].value for key in keys]) for e in section.ranked]
    known = [v for _, values in table for v in values if math.isfinite(v)] or [0.0]
    low, high = min(known), max(known)

    def cell(value: float) -> tuple[str, int | None]:
        if not math.isfinite(value):
            return NOTHING, None
        level = min(9, int(10 * (value - low) / ((high - low) or 1)))
        return fixed(value, section.digits), level

    return [(name, [cell(v) for v in values]) for name, values in table]

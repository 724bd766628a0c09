"""The main table of a board's page: its columns, and what stands in each cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.words import (
    METRIC_TITLES,
    METRIC_UNITS,
    NOTHING,
    count,
    fixed,
    interval,
    metric_digits,
    milliseconds,
    seconds,
)

MEAN = "mean"
"""Key of the metrics averaged over exercises."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: its name in the page's data attributes.
        title: of the head.
        unit: second line of the head.
        numeric: right-aligned, sorted by number.
        large_first: what the first click on the head brings to the top.
        exercise: of a metric, ``mean`` or an exercise's id; None elsewhere.
        metric: of a metric.
        optional: a reader may hide it.
    """

    key: str
    title: str
    unit: str = ""
    numeric: bool = True
    large_first: bool = False
    exercise: str | None = None
    metric: str | None = None
    optional: bool = True

    @property
    def measured(self) -> bool:
        """Whether it is computed from predictions, so that it leaks where the protocol does."""
        return self.metric is not None or self.key == "better"

    @property
    def shown(self) -> bool:
        """Whether the page shows it before the reader has chosen anything."""
        return self.exercise in (None, MEAN)


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: the value, its interval or remark below, and what it is sorted by."""

    text: str
    small: str = ""
    value: float | str | None = None
    word: str = ""


@dataclass(frozen=True)
class Row:
    """One entry or one published result.

    Attributes:
        record: the board's dictionary of it.
        cells: one per column, the name left out.
        mark: ``best``, ``tied`` or nothing.
    """

    record: Mapping[str, Any]
    cells: dict[str, Cell]
    mark: str = ""


def columns(board: Mapping[str, Any]) -> list[Column]:
    """All columns, in order: rank, model, every metric of every exercise, cost, origin."""
    exercises = [(MEAN, "mean")] + [(e["id"], f"ex. {e['id']}") for e in board["exercises"]]
    return [
        Column("rank", "Rank", optional=False),
        Column("model", "Model", numeric=False, optional=False),
        *(
            Column(
                f"metric-{i}-{metric}",
                METRIC_TITLES.get(metric, metric),
                ", ".join(part for part in (short, METRIC_UNITS.get(metric, "")) if part),
                large_first=metric == "spearman",
                exercise=exercise,
                metric=metric,
                optional=False,
            )
            for i, (exercise, short) in enumerate(exercises)
            for metric in board["metrics"]
        ),
        Column("better", "Better by", "than mean score", large_first=True),
        Column("parameters", "Parameters"),
        Column("flops", "FLOPs", "a sequence"),
        Column("train", "Training", "a run"),
        Column("latency", "Latency", "batch of 1"),
        Column("streams", "Streams", numeric=False),
        Column("runs", "Seeds × folds"),
        Column("source", "Source", numeric=False),
    ]


def ranked(board: Mapping[str, Any]) -> list[Row]:
    """A row for every entry, best first."""
    decimals, shown = metric_digits(board["score_range"]), columns(board)
    rows = []
    for entry in board["entries"]:
        rank, low, high = entry["rank"], entry["rank_low"], entry["rank_high"]
        mark = "best" if rank == 1 else "tied" if entry["tied_with_best"] else ""
        cells = {"rank": Cell(str(rank), f"{low}–{high}", rank)}
        for column in shown:
            if column.metric is not None and column.exercise is not None:
                found = entry["metrics"].get(column.exercise, {}).get(column.metric) or {}
                cells[column.key] = metric_cell(found, decimals.get(column.metric, 3))
        rows.append(Row(entry, cells | _cost(entry), mark))
    return rows


def published(board: Mapping[str, Any]) -> list[Row]:
    """A row for every published result; only metrics, and no rank."""
    decimals, shown = metric_digits(board["score_range"]), columns(board)
    rows = []
    for result in board["published"]:
        cells = {"rank": Cell("")}
        for column in shown:
            if column.metric is not None and column.exercise is not None:
                value = result["metrics"].get(column.exercise, {}).get(column.metric)
                text = fixed(value, decimals.get(column.metric, 3))
                cells[column.key] = Cell(text, value=value)
        rows.append(Row(result, cells))
    return rows


def metric_cell(found: Mapping[str, Any], decimals: int) -> Cell:
    """A metric with its interval."""
    value = found.get("value")
    around = interval(found.get("low"), found.get("high"), decimals)
    return Cell(fixed(value, decimals), around, value)


def _cost(entry: Mapping[str, Any]) -> dict[str, Cell]:
    better = entry["better_than_mean"] or {}
    gain = better.get("value")
    unsure = entry["versus_mean"] is not None and not entry["versus_mean"]["significant"]
    streams, seeds, folds = (entry[key] for key in ("streams", "seeds", "folds"))
    return {
        "better": Cell(
            NOTHING if gain is None else f"{fixed(gain, 0, sign=True)} %",
            interval(better.get("low"), better.get("high"), 0),
            gain,
            "not significant" if unsure else "",
        ),
        "parameters": Cell(count(entry["parameters"]), value=entry["parameters"]),
        "flops": Cell(count(entry["flops"]), value=entry["flops"]),
        "train": Cell(seconds(entry["train_seconds"]), value=entry["train_seconds"]),
        "latency": Cell(milliseconds(entry["latency_ms"]), value=entry["latency_ms"]),
        "streams": Cell(", ".join(streams), value=", ".join(streams)),
        "runs": Cell(f"{len(seeds)} × {len(folds)}", _runs(entry["runs"]), entry["runs"]),
        "source": Cell(entry["source"], "" if entry["builtin"] else "plug-in", entry["source"]),
    }


def _runs(number: int) -> str:
    return f"{number} run" if number == 1 else f"{number} runs"


@dataclass(frozen=True)
class Heat:
    """One cell of the heat map: the number and its colour, from 0 (least error) to 9."""

    text: str
    level: int | None  # None: no number


def heat_map(board: Mapping[str, Any]) -> list[tuple[str, list[Heat]]]:
    """MAD of every entry by exercise, the mean over exercises last."""
    keys = [e["id"] for e in board["exercises"]] + [MEAN]
    decimals = metric_digits(board["score_range"])["mad"]
    table = [(e["name"], [mad_of(e, key) for key in keys]) for e in board["entries"]]
    known = [v for _, values in table for v in values if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    return [
        (name, [Heat(fixed(v, decimals), _level(v, low, high)) for v in values])
        for name, values in table
    ]


def mad_of(entry: Mapping[str, Any], key: str) -> float | None:
    """MAD of an entry in one exercise, or their mean."""
    return (entry["metrics"].get(key, {}).get("mad") or {}).get("value")


def _level(value: float | None, low: float, high: float) -> int | None:
    if value is None:
        return None
    return min(9, int(10 * (value - low) / ((high - low) or 1)))


def families(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Name → family; a pair of boards names an entry of different settings by its model alone."""
    return {name: e["family"] for e in entries for name in (e["model"], e["name"])}

"""Numbers that papers printed, each with its protocol: shown beside ours, never ranked with them.

One file a table, ``published/NAME.yaml``:

    datasets: [kimore, stgcn-rehab]    boards it is shown on
    unit: points of 50                 of its errors
    rows:
      - name: D2STA
        paper: Kuang et al., Sensors 2026, 26(1), 287
        doi: 10.3390/s26010287         may be empty
        year: 2026
        protocol: random 8:1:1 of pieces
        leaky: true
        leak_reason: pieces of one recording lie on both sides
        source: Table 3, second hand
        note: ""                       may be left out
        metrics:                       by ``mean`` or exercise, then by metric
          mean: {mad: 0.119}
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from statistics import fmean

from registry.yaml_files import read_yaml
from zoo.build import build, require_keys
from zoo.errors import ConfigError
from zoo.evaluation.metrics import board_metrics

MEAN = "mean"
"""In place of an exercise: over all of them."""


@dataclass(frozen=True)
class PublishedResult:
    """What one paper says of one model on one dataset; the keys of the files' rows.

    Attributes:
        unit: of its errors, in words; the table's where the row has none.
    """

    name: str
    paper: str
    year: int
    protocol: str
    leaky: bool
    source: str
    metrics: Mapping[str, Mapping[str, float]]
    doi: str = ""
    leak_reason: str = ""
    note: str = ""
    unit: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """One file: the boards it is shown on, its rows, and the unit of those that name none."""

    datasets: tuple[str, ...]
    rows: tuple[PublishedResult, ...]
    unit: str = ""


def published_for(dataset: str) -> list[PublishedResult]:
    """Every published row on a dataset, honest protocols first, then by year and name.

    Raises:
        ConfigError: a file of ours is damaged; the message names file and row.
    """
    rows = [row for table in _tables() if dataset in table.datasets for row in table.rows]
    return sorted(rows, key=lambda row: (row.leaky, -row.year, row.name))


def read_published(file: Traversable) -> PublishedTable:
    """The table of one file, each row with its unit and the mean over exercises.

    Raises:
        ConfigError: a key is missing or unknown, a value has the wrong type, a text is empty, or a
            row leaks and does not say why.
    """
    table = build(PublishedTable, read_yaml(file), str(file))
    for i, row in enumerate(table.rows):
        _check(row, f"{file}.rows[{i}]")
    exercises = {e for row in table.rows for e in row.metrics} - {MEAN}
    rows = (replace(row, unit=row.unit or table.unit) for row in table.rows)
    return replace(table, rows=tuple(_with_mean(row, exercises) for row in rows))


def _check(row: PublishedResult, where: str) -> None:
    for key in ("name", "paper", "protocol", "source"):
        if not getattr(row, key).strip():
            raise ConfigError(f"{where}.{key} is empty")
    if row.leaky and not row.leak_reason.strip():
        raise ConfigError(f"{where} is leaky and does not say why (leak_reason)")
    if not row.metrics or not all(row.metrics.values()):
        raise ConfigError(f"{where} has no metrics")
    for exercise, values in row.metrics.items():
        known = board_metrics() | board_metrics(binary=True)
        require_keys(values, list(known), f"{where}.metrics.{exercise}")


def _with_mean(row: PublishedResult, exercises: Collection[str]) -> PublishedResult:
    """The row with the mean over all exercises of its table, where the paper prints none."""
    stated = row.metrics.get(MEAN, {})
    computed = {
        metric: round(fmean(row.metrics[e][metric] for e in exercises), 4)
        for metric in board_metrics() | board_metrics(binary=True)
        if len(exercises) > 1
        and metric not in stated
        and all(metric in row.metrics.get(e, {}) for e in exercises)
    }
    if not computed:
        return row
    said = f"mean {', '.join(m.upper() for m in computed)} computed here from the exercises"
    return replace(
        row,
        metrics={
            MEAN: {**stated, **computed},
            **{e: row.metrics[e] for e in row.metrics if e != MEAN},
        },
        note="; ".join(text for text in (row.note.rstrip("."), said) if text),
    )


@cache
def _tables() -> list[PublishedTable]:
    folder = resources.files("zoo.board") / "published"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return [read_published(file) for file in files]

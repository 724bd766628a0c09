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
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from statistics import fmean
from typing import Any

from registry import did_you_mean
from registry.yaml_files import read_yaml
from zoo.errors import ConfigError
from zoo.evaluation.statistics import BOARD_METRICS

MEAN = "mean"
"""In place of an exercise: over all of them."""


@dataclass(frozen=True)
class PublishedRow:
    """What one paper says of one model on one dataset; the keys of the files' rows.

    Attributes:
        unit: of its errors, in words; from the file or the row.
    """

    name: str
    paper: str
    doi: str
    year: int
    protocol: str
    leaky: bool
    leak_reason: str
    source: str
    note: str
    unit: str
    metrics: Mapping[str, Mapping[str, float]]


def published_for(dataset: str) -> list[dict[str, Any]]:
    """Every published row on a dataset, honest protocols first, then by year and name.

    Raises:
        ConfigError: a file of ours is damaged; the message names file and row.
    """
    rows = [row for datasets, some in _tables() if dataset in datasets for row in some]
    rows.sort(key=lambda row: (row.leaky, -row.year, row.name))
    return [asdict(row) for row in rows]


def read_published(file: Traversable) -> tuple[tuple[str, ...], list[PublishedRow]]:
    """Datasets and rows of one file.

    Raises:
        ConfigError: a key is missing or unknown, or a value has the wrong type.
    """
    values = read_yaml(file)
    datasets, rows = values.get("datasets"), values.get("rows")
    if set(values) - {"datasets", "unit", "rows"} or not _texts(datasets) or not rows:
        raise ConfigError(f"{file}: expected `datasets` (a list), `unit` and `rows`")
    parsed = [
        _row({"unit": values.get("unit", ""), **row}, f"{file}, row {i}")
        for i, row in enumerate(rows, 1)
    ]
    exercises = {e for row in parsed for e in row.metrics} - {MEAN}
    return tuple(datasets or ()), [_with_mean(row, exercises) for row in parsed]


def _with_mean(row: PublishedRow, exercises: Collection[str]) -> PublishedRow:
    """The row with the mean over all exercises of its table, where the paper prints none."""
    stated = row.metrics.get(MEAN, {})
    computed = {
        metric: round(fmean(row.metrics[e][metric] for e in exercises), 4)
        for metric in BOARD_METRICS
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
def _tables() -> list[tuple[tuple[str, ...], list[PublishedRow]]]:
    folder = resources.files("zoo.board") / "published"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return [read_published(file) for file in files]


_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("name", "paper", "doi", "protocol", "leak_reason", "source", "note"), str),
    "unit": str,
    "year": int,
    "leaky": bool,
    "metrics": dict,
}
_OPTIONAL = {"doi": "", "leak_reason": "", "note": ""}


def _row(values: Mapping[str, Any], where: str) -> PublishedRow:
    row = {**_OPTIONAL, **values}
    for key in row:
        if key not in _TYPES:
            raise ConfigError(f"{where}: unknown key {key!r}. {did_you_mean(str(key), _TYPES)}")
    for key, expected in _TYPES.items():
        if type(row.get(key)) is not expected:
            raise ConfigError(f"{where}: {key} is {row.get(key)!r}, expected {expected.__name__}")
        if expected is str and key not in _OPTIONAL and not row[key].strip():
            raise ConfigError(f"{where}: {key} is empty")
    if row["leaky"] and not row["leak_reason"].strip():
        raise ConfigError(f"{where}: it is leaky and does not say why (leak_reason)")
    metrics = {str(k): _numbers(v, f"{where}, {k}") for k, v in row["metrics"].items()}
    if not metrics:
        raise ConfigError(f"{where}: it has no metrics")
    return PublishedRow(**{**row, "metrics": metrics})


def _numbers(values: Any, where: str) -> dict[str, float]:
    if not isinstance(values, Mapping) or not values:
        raise ConfigError(f"{where}: expected metrics with numbers, got {values!r}")
    for metric, value in values.items():
        if metric not in BOARD_METRICS:
            raise ConfigError(f"{where}: {metric!r} is none of {', '.join(BOARD_METRICS)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{where}: {metric} is {value!r}, expected a number")
    return {metric: float(value) for metric, value in values.items()}


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)

"""The board as one flat table for a spreadsheet or a script: a row a model and exercise."""

import math
from collections.abc import Iterator
from typing import Any

from zoo.board.board import Board, Ranked, Section
from zoo.board.published import MEAN
from zoo.evaluation.statistics import Interval
from zoo.files import to_csv
from zoo.words import plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def render(board: Board) -> str:
    """The board as CSV.

    Exercise ``mean`` is the average over all exercises. Text that a spreadsheet would take for a
    formula has an apostrophe before it.
    """
    rows = [row for section in plain(board).sections for row in _section(section)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return to_csv(columns, ([_cell(row.get(column)) for column in columns] for row in rows))


def _section(section: Section) -> Iterator[dict[str, Any]]:
    shared = {
        "dataset": section.dataset,
        "protocol": section.protocol.name,
        "leaky": section.protocol.leaky,
        "sees": section.protocol.sees,
        "fingerprint": section.fingerprint,
        "protocol_hash": section.protocol.hash,
    }
    for entry in section.ranked:
        for exercise, values in entry.metrics.items():
            yield {**shared, **_ranked(entry, exercise, values)}
    for apart in section.incomplete:
        yield {
            **shared,
            "status": "provisional",
            **_chosen(apart, "name", "model"),
            "exercise": MEAN,
            **apart.metrics,
            "note": f"{apart.have} of {apart.expected} runs: {apart.reason}",
        }
    for result in section.published:
        for exercise, numbers in result.metrics.items():
            yield {
                **shared,
                **_chosen(result, "protocol", "leaky"),
                "fingerprint": "",
                "protocol_hash": "",
                "status": "published",
                "name": result.name,
                "exercise": exercise,
                **{m.name: numbers.get(m.name) for m in section.metrics},
                **_chosen(result, "unit", "source", "paper", "doi", "year", "note"),
            }


def _ranked(entry: Ranked, exercise: str, values: Any) -> dict[str, Any]:
    """A row; how much better than the mean score is known over all exercises only."""
    better = entry.better_than_mean if exercise == MEAN else Interval(*[math.nan] * 3)
    return {
        "status": "ranked",
        **_chosen(entry, "rank", "rank_low", "rank_high", "tied_with_best"),
        **_chosen(entry, "name", "model", "family"),
        "exercise": exercise,
        **{key: v for name, found in values.items() for key, v in _interval(name, found).items()},
        **_interval("better_than_mean_percent", better),
        "seed_sd": entry.spread.seeds,
        "fold_sd": entry.spread.folds,
        **_chosen(entry, "parameters", "flops", "train_seconds", "latency_ms"),
        "streams": " ".join(entry.streams),
        "seeds": len(entry.seeds),
        "folds": len(entry.folds),
        **_chosen(entry, "source", "paper", "doi"),
    }


def _chosen(of: object, *names: str) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names}


def _interval(name: str, found: Interval) -> dict[str, Any]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _cell(value: Any) -> Any:
    """Numbers as they are, nothing for NaN; text so that no spreadsheet computes it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lstrip().startswith(_FORMULA):
        return f"'{value}"
    return value

"""The board as one flat table for a spreadsheet or a script: a row a model and exercise."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from zoo.words import plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def render(board: Mapping[str, Any]) -> str:
    """The board as CSV.

    Exercise ``mean`` is the average over all exercises. Text that a spreadsheet would take for a
    formula has an apostrophe before it.

    Args:
        board: as `zoo.board.board.Board.to_dict` gives it.
    """
    rows = [row for section in plain(board)["boards"] for row in _section(section)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _section(section: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    protocol, metrics = section["protocol"], section["metrics"]
    shared = {
        "dataset": section["dataset"],
        "protocol": protocol["name"],
        "leaky": protocol["leaky"],
        "fingerprint": section["fingerprint"],
        "protocol_hash": protocol["hash"],
    }
    for entry in section["entries"]:
        for exercise, values in entry["metrics"].items():
            yield {
                **shared,
                "status": "ranked",
                **{k: entry[k] for k in ("rank", "rank_low", "rank_high", "tied_with_best")},
                "name": entry["name"],
                "model": entry["model"],
                "family": entry["family"],
                "exercise": exercise,
                **_numbers(values, metrics),
                **_interval("better_than_mean_percent", _of_mean(entry, exercise)),
                "seed_sd": entry["spread"]["seeds"],
                "fold_sd": entry["spread"]["folds"],
                **{k: entry[k] for k in ("parameters", "flops", "train_seconds", "latency_ms")},
                "streams": " ".join(entry["streams"]),
                "seeds": len(entry["seeds"]),
                "folds": len(entry["folds"]),
                "source": entry["source"],
                "paper": entry["paper"],
                "doi": entry["doi"],
            }
    for entry in section["incomplete"]:
        yield {
            **shared,
            "status": "incomplete",
            "name": entry["name"],
            "model": entry["model"],
            "note": f"{entry['have']} of {entry['expected']} runs: {entry['reason']}",
        }
    for row in section["published"]:
        for exercise, values in row["metrics"].items():
            yield {
                **shared,
                "protocol": row["protocol"],
                "leaky": row["leaky"],
                "fingerprint": "",
                "protocol_hash": "",
                "status": "published",
                "name": row["name"],
                "exercise": exercise,
                **{metric: values.get(metric) for metric in metrics},
                **{key: row[key] for key in ("unit", "source", "paper", "doi", "year", "note")},
            }


def _numbers(values: Mapping[str, Any], metrics: list[str]) -> dict[str, Any]:
    return {
        key: number
        for metric in metrics
        for key, number in _interval(metric, values[metric]).items()
    }


def _interval(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.get("value"),
        f"{name}_low": value.get("low"),
        f"{name}_high": value.get("high"),
    }


def _of_mean(entry: Mapping[str, Any], exercise: str) -> Mapping[str, Any]:
    """What is known of the mean over exercises only, and empty in the other rows."""
    return entry["better_than_mean"] if exercise == "mean" else {}


def _cell(value: Any) -> Any:
    """Numbers as they are; text so that no spreadsheet computes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lstrip().startswith(_FORMULA):
        return f"'{value}"
    return value

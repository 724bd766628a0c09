"""What the page shows of one entry when it is opened, ready to be written as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.report.page_table import MEAN, metric_cell
from zoo.words import (
    METRIC_TITLES,
    METRIC_UNITS,
    NOTHING,
    count,
    fixed,
    interval,
    metric_digits,
    milliseconds,
    probability,
    seconds,
)

MAX_POINTS = 600
"""Points of one exercise that are drawn; of more, every so-manyth is, and the page says so."""


def details(board: Mapping[str, Any], public: bool) -> dict[str, Any]:
    """The data of one board's dialogs; texts are formatted, only points are numbers.

    Args:
        board: one of ``boards``.
        public: whether persons' data were left out on purpose.
    """
    groups = sorted(
        {
            point[0]
            for entry in board["entries"]
            for points in (entry["points"] or {}).values()
            for point in points
        }
    )
    return {
        "leak": board["protocol"]["leak_reason"] if board["protocol"]["leaky"] else None,
        "exercises": [[e["id"], e["title"]] for e in board["exercises"]],
        "range": board["score_range"],
        "groups": groups,
        "noPoints": (
            "This is a public board: it holds no person's data, so no single predictions."
            if public
            else "There are no single predictions of this model."
        ),
        "entries": [_entry(entry, board, groups) for entry in board["entries"]],
    }


def _entry(
    entry: Mapping[str, Any], board: Mapping[str, Any], groups: Sequence[str]
) -> dict[str, Any]:
    decimals = metric_digits(board["score_range"])
    return {
        "name": entry["name"],
        "title": entry["title"],
        "paper": entry["paper"],
        "doi": entry["doi"],
        "facts": _facts(entry, board, decimals["mad"]),
        "tests": _tests(entry, decimals["mad"]),
        "metrics": _metrics(entry, board, decimals),
        "byGroup": [
            [group, fixed(mad, decimals["mad"]), mad]
            for group, mad in entry["by_group"].items()
            if mad is not None
        ],
        "settings": [[key, _setting(value)] for key, value in entry["settings"].items()],
        "runs": _runs(entry["run_list"], decimals["mad"]),
        "versions": _versions(entry["run_list"]),
        "points": _points(entry["points"], groups),
    }


def _facts(
    entry: Mapping[str, Any], board: Mapping[str, Any], decimals: int
) -> list[tuple[str, str]]:
    spread = entry["spread"]
    rank = (
        f"{entry['rank']} of {len(board['entries'])} "
        f"(95 % interval {entry['rank_low']}–{entry['rank_high']})"
    )
    if entry["tied_with_best"] and entry["rank"] > 1:
        rank += ", tied with the best"
    return [
        ("Rank", rank),
        ("Family", entry["family"]),
        ("Source", entry["source"] if entry["builtin"] else f"plug-in: {entry['source']}"),
        ("Streams", ", ".join(entry["streams"]) or NOTHING),
        ("Parameters", count(entry["parameters"])),
        ("FLOPs per sequence", count(entry["flops"])),
        ("Training time per run", seconds(entry["train_seconds"])),
        ("Latency, batch of 1", milliseconds(entry["latency_ms"])),
        ("Seeds", ", ".join(map(str, entry["seeds"]))),
        ("Folds", ", ".join(map(str, entry["folds"]))),
        ("MAD's spread over seeds (sd)", fixed(spread["seeds"], decimals)),
        ("MAD's spread over folds (sd)", fixed(spread["folds"], decimals)),
    ]


def _tests(entry: Mapping[str, Any], decimals: int) -> list[list[str]]:
    rows = []
    for title, key in (("the mean score", "versus_mean"), ("the best model", "versus_best")):
        found = entry[key]
        if found is not None:
            rows.append(
                [
                    title,
                    fixed(found["difference"], decimals, sign=True),
                    interval(found["low"], found["high"], decimals),
                    probability(found["wilcoxon_holm"]),
                    probability(found["permutation_holm"]),
                    "yes" if found["significant"] else "no",
                ]
            )
    return rows


def _metrics(
    entry: Mapping[str, Any], board: Mapping[str, Any], decimals: Mapping[str, int]
) -> dict[str, Any]:
    names = board["metrics"]
    exercises = [(e["id"], f"{e['id']} {e['title']}") for e in board["exercises"]]
    return {
        "head": [_head(name) for name in names],
        "rows": [
            [title]
            + [
                [cell.text, cell.small]
                for cell in (
                    metric_cell(
                        entry["metrics"].get(key, {}).get(name) or {}, decimals.get(name, 3)
                    )
                    for name in names
                )
            ]
            for key, title in [*exercises, (MEAN, "mean over exercises")]
        ],
    }


def _head(metric: str) -> str:
    unit = METRIC_UNITS.get(metric)
    title = METRIC_TITLES.get(metric, metric)
    return f"{title}, {unit}" if unit else title


def _setting(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _runs(runs: Sequence[Mapping[str, Any]], decimals: int) -> list[list[str]]:
    return [
        [
            str(run["exercise"]),
            str(run["fold"]),
            str(run["seed"]),
            fixed(run["mad"], decimals),
            NOTHING if run["epochs"] is None else str(run["epochs"]),
            seconds(run["train_seconds"]),
            run["path"],
            run["key_hash"][:12],
        ]
        for run in runs
    ]


def _versions(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    found = Counter(", ".join(f"{k} {v}" for k, v in run["versions"].items()) for run in runs)
    if len(found) == 1:
        return list(found)
    return [f"{text} ({number} runs)" for text, number in found.most_common()]


def _points(
    points: Mapping[str, Sequence[Sequence[Any]]] | None, groups: Sequence[str]
) -> dict[str, Any] | None:
    """Points of each exercise as columns (group, true, predicted), and how many there were."""
    if points is None:
        return None
    number = {group: i for i, group in enumerate(groups)}
    made = {}
    for exercise, every in points.items():
        step = -(-len(every) // MAX_POINTS) or 1
        kept = every[::step]
        made[exercise] = {
            "group": [number[group] for group, _, _ in kept],
            "true": [round(true, 1) for _, true, _ in kept],
            "predicted": [round(predicted, 1) for _, _, predicted in kept],
            "of": len(every),
        }
    return made

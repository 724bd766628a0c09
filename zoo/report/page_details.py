"""What the page shows of one entry when it is opened, ready to be written as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.board.board import Ranked, RankedRun, Section
from zoo.report.table import MEAN, Cell, RankedRow, metric_columns
from zoo.words import NOTHING, fixed, interval, probability, seconds

MAX_POINTS = 600
"""Points of one exercise that are drawn; of more, every so-manyth is, and the page says so."""


def details(section: Section, rows: Sequence[RankedRow], public: bool) -> dict[str, Any]:
    """The data of one board's dialogs; texts are formatted, only points are numbers.

    Args:
        section: of the board.
        rows: its table.
        public: whether persons' data were left out on purpose.
    """
    every = [points for e in section.ranked for points in (e.points or {}).values()]
    groups = sorted({group for points in every for group, _, _ in points})
    return {
        "leak": section.protocol.leak_reason if section.protocol.leaky else None,
        "exercises": [[e.id, e.title] for e in section.exercises],
        "range": section.score_range,
        "groups": groups,
        "noPoints": (
            "This is a public board: it holds no person's data, so no single predictions."
            if public
            else "There are no single predictions of this model."
        ),
        "entries": [_entry(row, section, groups) for row in rows],
    }


def _entry(row: RankedRow, section: Section, groups: Sequence[str]) -> dict[str, Any]:
    entry = row.entry
    return {
        "name": entry.name,
        "title": entry.title,
        "paper": entry.paper,
        "doi": entry.doi,
        "properties": _properties(row, section),
        "tests": _tests(entry, section.digits),
        "metrics": _metrics(row, section),
        "byGroup": [
            [group, fixed(mad, section.digits), mad] for group, mad in entry.by_group.items()
        ],
        "settings": [[key, _setting(value)] for key, value in entry.settings.items()],
        "runs": [_run(run, section.digits) for run in entry.runs],
        "versions": _versions(entry.runs),
        "points": _points(entry, groups),
        "movement": entry.movement,
    }


def _properties(row: RankedRow, section: Section) -> list[tuple[str, str]]:
    entry, cells = row.entry, row.cells
    rank = f"{entry.rank} of {len(section.ranked)} (95 % interval {cells['rank'].small})"
    return [
        ("Rank", rank + (", tied with the best" if row.mark == "tied" else "")),
        ("Family", entry.family),
        ("Source", entry.source if entry.builtin else f"plug-in: {entry.source}"),
        ("Streams", cells["streams"].text or NOTHING),
        ("Parameters", cells["parameters"].text),
        ("FLOPs per sequence", cells["flops"].text),
        ("Training time per run", cells["train"].text),
        ("Latency, batch of 1", cells["latency"].text),
        ("Seeds", ", ".join(map(str, entry.seeds))),
        ("Folds", ", ".join(map(str, entry.folds))),
        ("MAD's spread over seeds (sd)", fixed(entry.spread.seeds, section.digits)),
        ("MAD's spread over folds (sd)", fixed(entry.spread.folds, section.digits)),
    ]


def _tests(entry: Ranked, digits: int) -> list[list[str]]:
    pairs = (("the mean score", entry.versus_mean), ("the best model", entry.versus_best))
    return [
        [
            title,
            fixed(found.difference, digits, sign=True),
            interval(found.low, found.high, digits),
            probability(found.wilcoxon_holm),
            probability(found.permutation_holm),
            "yes" if found.significant else "no",
        ]
        for title, found in pairs
        if found is not None
    ]


def _metrics(row: RankedRow, section: Section) -> dict[str, Any]:
    by_exercise: dict[str, list[Cell]] = {}
    for column in metric_columns(section):
        by_exercise.setdefault(column.exercise, []).append(row.cells[column.key])
    titles = [(e.id, f"{e.id} {e.title}") for e in section.exercises]
    return {
        "head": [", ".join(filter(None, (m.title, m.unit))) for m in section.metrics],
        "rows": [
            [title, *([cell.text, cell.small] for cell in by_exercise[exercise])]
            for exercise, title in [*titles, (MEAN, "mean over exercises")]
        ],
    }


def _setting(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _run(run: RankedRun, digits: int) -> list[str]:
    return [
        run.exercise,
        str(run.fold),
        str(run.seed),
        fixed(run.mad, digits),
        NOTHING if run.epochs is None else str(run.epochs),
        seconds(run.train_seconds),
        run.path,
        run.key_hash[:12],
    ]


def _versions(runs: Sequence[RankedRun]) -> list[str]:
    found = Counter(", ".join(f"{k} {v}" for k, v in run.versions.items()) for run in runs)
    if len(found) == 1:
        return list(found)
    return [f"{text} ({number} runs)" for text, number in found.most_common()]


def _points(entry: Ranked, groups: Sequence[str]) -> Mapping[str, Any] | None:
    """Points of each exercise as columns (group, true, predicted), and how many there were."""
    if entry.points is None:
        return None
    number = {group: i for i, group in enumerate(groups)}
    made = {}
    for exercise, every in entry.points.items():
        step = -(-len(every) // MAX_POINTS) or 1
        kept = every[::step]
        made[exercise] = {
            "group": [number[group] for group, _, _ in kept],
            "true": [round(true, 1) for _, true, _ in kept],
            "predicted": [round(predicted, 1) for _, _, predicted in kept],
            "of": len(every),
        }
    return made

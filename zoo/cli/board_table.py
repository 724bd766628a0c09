"""The leaderboard on the terminal."""

from typing import TYPE_CHECKING, Any

from zoo.cli.console import table
from zoo.report.table import MEAN, metric_columns, ranked
from zoo.words import NOTHING, fixed, plain, some

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.board.board import Board, Section

_MISSING_SHOWN = 3


def print_board(out: "Console", board: "Board") -> None:
    """Every section of a board: ranked entries, then the incomplete ones and notes."""
    board = plain(board)
    for section in board.sections:
        _print_section(out, section)
    if any(section.ranked and section.metrics[0].name == "mad" for section in board.sections):
        out.print(
            "MAD: mean absolute deviation from the true score, in points; the less the better",
            style="dim",
        )
    for bad in board.unreadable:
        out.print(f"not read: {bad.path}: {bad.reason}", style="red")


def _print_section(out: "Console", section: "Section") -> None:
    exercises = ", ".join(e.id for e in section.exercises)
    out.print(
        f"{section.dataset} {exercises}, {section.protocol.heading}: {section.persons} people"
        f"{' (LEAKY, people stand on both sides)' if section.protocol.leaky else ''}",
        style="bold",
    )
    if section.meaning:
        out.print(section.meaning, style="bold red")
    if section.ranked:
        out.print(_ranked(section))
        if len(section.exercises) > 1:
            out.print(_by_exercise(section))
        if any(entry.tied_with_best for entry in section.ranked[1:]):
            out.print("= no worse than the first beyond noise", style="dim")
    if section.incomplete:
        out.print(_provisional(section))
    for apart in section.incomplete:
        words = some(apart.missing, _MISSING_SHOWN, "; ")
        out.print(
            f"not ranked: {apart.name}, {apart.have} of {apart.expected} runs: "
            f"{apart.reason}{f' ({words})' if words else ''}",
            style="yellow",
        )
    for command in section.completing:
        out.print(f"complete it: {command}", soft_wrap=True)
    for note in section.notes:
        out.print(note, style="dim")
    if section.published:
        out.print(
            f"{len(section.published)} published results stand beside these in --format md, "
            "csv and html; they are not ranked.",
            style="dim",
        )
    out.print()


def _ranked(section: "Section") -> Any:
    means = [column for column in metric_columns(section) if column.exercise == MEAN]
    titles = [m.title + (" %" if m.unit == "%" else "") for m in section.metrics]
    shown = table(
        "rank", "model", f"{titles[0]}>", "95 %", *(f"{t}>" for t in titles[1:]), "vs mean>",
        "weights>", "runs>", "source",
    )  # fmt: skip
    for row in ranked(section):
        entry, cells = row.entry, row.cells
        first, *others = (cells[column.key] for column in means)
        low, high = entry.rank_low, entry.rank_high
        whole = (
            first.text, first.small, *(cell.text for cell in others),
            _percent(-entry.better_than_mean.value),
            cells["parameters"].text, str(len(entry.runs)),
        )  # fmt: skip
        tied = " =" if row.mark == "tied" else ""
        rank = f"{entry.rank}{tied}" + (f" ({low}–{high})" if low != high else "")
        shown.add_row(_whole(rank), entry.name, *map(_whole, whole), entry.source)
    return shown


def _percent(value: float) -> str:
    text = fixed(value, 0, sign=True)
    return text if text == NOTHING else f"{text} %"


def _provisional(section: "Section") -> Any:
    """What is there of the entries that are not ranked, beside the mean score."""
    first = section.metrics[0]
    titles = [m.title + (" %" if m.unit == "%" else "") for m in section.metrics]
    shown = table(
        "provisional", *(f"{t}>" for t in titles), f"mean score's {titles[0]}>", "people>", "runs>",
        "tested on",
    )  # fmt: skip
    for apart in section.incomplete:
        numbers = (fixed(apart.metrics.get(m.name), m.digits) for m in section.metrics)
        shown.add_row(
            apart.name, *numbers, fixed(apart.mean_score, first.digits), str(apart.persons),
            f"{apart.have} of {apart.expected}", apart.tested_on,
        )  # fmt: skip
    return shown


def _whole(cell: str) -> str:
    """A cell that is not broken into lines."""
    return cell.replace(" ", "\u00a0")


def _by_exercise(section: "Section") -> Any:
    columns = [
        column
        for metric in (section.metrics[0].name, "spearman")
        for column in metric_columns(section)
        if column.metric.name == metric and column.exercise != MEAN
    ]
    rows = (
        (row.entry.name, *(row.cells[column.key].text for column in columns))
        for row in ranked(section)
    )
    return table("model", *(f"{c.title} {c.exercise}>" for c in columns), rows=rows)

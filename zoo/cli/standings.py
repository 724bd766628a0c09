"""The leaderboard on the terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.cli.console import table
from zoo.report.markdown import rank
from zoo.words import (
    METRIC_TITLES,
    count,
    fixed,
    interval,
    metric_digits,
    plain,
)

if TYPE_CHECKING:
    from rich.console import Console

_MISSING_SHOWN = 3


def print_board(out: "Console", board: Mapping[str, Any]) -> None:
    """Every section of a board: ranked entries, then the incomplete ones and notes."""
    board = plain(board)
    for section in board["boards"]:
        _print_section(out, section)
    for bad in board["unreadable"]:
        out.print(f"not read: {bad['path']}: {bad['reason']}", style="red", markup=False)


def _print_section(out: "Console", section: Mapping[str, Any]) -> None:
    protocol = section["protocol"]
    exercises = ", ".join(e["id"] for e in section["exercises"])
    out.print(
        f"{section['dataset']} {exercises}, {protocol['name']}: {section['persons']} people"
        f"{' (LEAKY, people stand on both sides)' if protocol['leaky'] else ''}",
        style="bold", markup=False,
    )  # fmt: skip
    if section["meaning"]:
        out.print(section["meaning"], style="bold red", markup=False)
    if section["entries"]:
        out.print(_ranked(section))
        if len(section["exercises"]) > 1:
            out.print(_by_exercise(section))
        if any(entry["tied_with_best"] for entry in section["entries"][1:]):
            out.print("= no worse than the first beyond noise", style="dim", markup=False)
    for entry in section["incomplete"]:
        missing = entry["missing"][:_MISSING_SHOWN]
        more = len(entry["missing"]) - len(missing)
        words = "; ".join([*missing, *([f"{more} more"] if more else [])])
        out.print(
            f"not ranked: {entry['name']}, {entry['have']} of {entry['expected']} runs: "
            f"{entry['reason']}{f' ({words})' if words else ''}",
            style="yellow", markup=False,
        )  # fmt: skip
    for note in section["notes"]:
        out.print(note, style="dim", markup=False)
    if section["published"]:
        out.print(
            f"{len(section['published'])} published results stand beside these in --format md, "
            "csv and html; they are not ranked.",
            style="dim", markup=False,
        )  # fmt: skip
    out.print()


def _ranked(section: Mapping[str, Any]) -> Any:
    titles = [METRIC_TITLES[m] + (" %" if m == "mape" else "") for m in section["metrics"]]
    shown = table(
        "rank", "model", f"{titles[0]}>", "95 %", *(f"{t}>" for t in titles[1:]), "vs mean>",
        "weights>", "runs>", "source",
    )  # fmt: skip
    digits = metric_digits(section["score_range"])
    for entry in section["entries"]:
        mean = entry["metrics"]["mean"]
        mad, *others = (fixed(mean[m]["value"], digits[m]) for m in section["metrics"])
        gain = entry["better_than_mean"]["value"]
        cells = (
            mad, interval(mean["mad"]["low"], mean["mad"]["high"], digits["mad"]), *others,
            f"{fixed(None if gain is None else -gain, 0, sign=True)} %",
            count(entry["parameters"]), str(entry["runs"]),
        )  # fmt: skip
        shown.add_row(_whole(rank(entry)), entry["name"], *map(_whole, cells), entry["source"])
    return shown


def _whole(cell: str) -> str:
    """A cell that is not broken into lines."""
    return cell.replace(" ", "\u00a0")


def _by_exercise(section: Mapping[str, Any]) -> Any:
    ids = [exercise["id"] for exercise in section["exercises"]]
    shown = table("model", *(f"MAD {id_}>" for id_ in ids), *(f"Spearman {id_}>" for id_ in ids))
    digits = metric_digits(section["score_range"])
    for entry in section["entries"]:
        cells = [
            fixed(entry["metrics"][id_][metric]["value"], digits[metric])
            for metric in ("mad", "spearman")
            for id_ in ids
        ]
        shown.add_row(entry["name"], *cells)
    return shown

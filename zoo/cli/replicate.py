"""`zoo replicate`: what a paper printed beside our runs, with a verdict for each number."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.cli.main import Parser

FORMATS = ("table", "md", "json")

_SHOWN = "points"  # the one unit there is room for on a terminal


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo replicate`."""
    parser = subparsers.add_parser(
        "replicate",
        help="set a paper's numbers beside ours",
        description="Set every known number of a paper beside that of finished runs, with a "
        "verdict and its reason: reproduced, better, worse or not comparable. Nothing is trained; "
        "what is not there is said.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="such as d2sta; none lists them")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of runs (default: ./runs)")
    parser.add_argument("--format", choices=FORMATS, metavar="KIND", help=", ".join(FORMATS))
    parser.add_argument("--output", type=Path, metavar="FILE", help="a .md or .json file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, and print or write; return the exit code."""
    from zoo.api import RUNS
    from zoo.cli.console import console
    from zoo.replication.compare import replicate

    kind = _kind(args)
    if args.name is None:
        _list(console())
        return 0
    found = replicate(args.name, args.runs or RUNS).to_dict()
    if kind == "table":
        _print(console(), found)
        return 0
    content = _document(found, kind)
    if args.output is None:
        sys.stdout.write(content)
    else:
        from zoo.report.publish import save

        print(save(content, args.output))
    return 0


def _kind(args: argparse.Namespace) -> str:
    """As told, else by the file's ending, else a table on the terminal."""
    from zoo.errors import ConfigError

    ending = args.output.suffix.lower().removeprefix(".") if args.output else ""
    kind = str(args.format or ending or "table")
    if args.output and kind not in FORMATS[1:]:
        raise ConfigError(f"--output {args.output}: name --format md or json, or end it in .md")
    return kind


def _document(found: Mapping[str, Any], kind: str) -> str:
    if kind == "json":
        return json.dumps(found, indent=1, allow_nan=False) + "\n"
    from zoo.report.replication import render

    return render(found)


def _list(out: "Console") -> None:
    from zoo.replication.definition import Definition, replication_names

    for name in replication_names():
        whole = Definition.load(name)
        out.print(f"{name}: {whole.title}. {whole.summary}", markup=False)


def _print(out: "Console", found: Mapping[str, Any]) -> None:
    from zoo.cli.console import table
    from zoo.report.replication import cells, changes, counts, origins
    from zoo.words import plain

    found = plain(found)
    out.print(found["title"], style="bold", markup=False)
    for part in found["tables"]:
        out.print(f"\n{part['title']}", style="bold", markup=False)
        for shown in (cells(part, found, [_SHOWN]), changes(part, [_SHOWN])):
            if not shown.rows:
                continue
            drawn = table(*shown.columns)
            for row in shown.rows:
                drawn.add_row(*row)
            out.print(drawn)
            for i, note in enumerate(shown.notes, 1):
                out.print(f"[{i}] {note}", style="dim", markup=False)
        for line in origins(part):
            out.print(line, style="dim", markup=False)
    out.print()
    for what, why in found["missing"].items():
        out.print(f"not compared: {what}: {why}", style="yellow", markup=False)
    for note in found["notes"]:
        out.print(note, style="dim", markup=False)
    others = [reading for reading in found["readings"] if reading != _SHOWN]
    if others:
        out.print(
            f"Ours is also read as {', '.join(others)} (--format md), because "
            f"{found['ambiguity']}. A verdict holds in all of them, or there is none.",
            markup=False,
        )
    out.print(found["rule"], markup=False)
    out.print(f"{counts(found)}.", style="bold", markup=False)

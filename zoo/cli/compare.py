"""`zoo compare`: two models person by person, with the tests and a plot."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.board.compare import ComparedModels
    from zoo.cli.main import Parser

_SHOWN = 15


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo compare`."""
    parser = subparsers.add_parser(
        "compare",
        help="compare two models person by person",
        description="Compare two models, or two runs, person by person, and say whether one is "
        "better beyond noise. They must be of the same data, protocol and split.",
    )
    parser.add_argument("a", metavar="A", help="a model as the leaderboard names it, or a run")
    parser.add_argument("b", metavar="B", help="another one")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of runs (default: ./runs)")
    parser.add_argument("--dataset", metavar="NAME", help="where they stand on several boards")
    parser.add_argument("--protocol", metavar="NAME", help="where they stand on several boards")
    parser.add_argument("--all", action="store_true", help=f"everybody, not {_SHOWN} people")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .png, .svg or .pdf")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, draw; return the exit code."""
    from zoo.api import RUNS
    from zoo.board.compare import compare
    from zoo.cli.console import console

    found = compare(args.a, args.b, args.runs or RUNS, args.dataset, args.protocol)
    _print(console(), found, None if args.all else _SHOWN)
    if args.plot is not None:
        from zoo.report.persons import draw

        print(draw(found, args.plot))
    return 0


def _print(out: "Console", found: "ComparedModels", limit: int | None) -> None:
    from zoo.cli.console import table
    from zoo.words import fixed

    digits = found.digits
    title = f"{found.dataset}, {found.protocol.name}: {found.places}"
    out.print(title, style="bold", markup=False)
    shown = table("person", "group", f"error of {found.a}>", f"error of {found.b}>", "difference>")
    for pair in found.persons[:limit]:
        shown.add_row(
            pair.person, pair.group or "", fixed(pair.error_a, digits), fixed(pair.error_b, digits),
            fixed(pair.difference, digits, sign=True),
        )  # fmt: skip
    out.print(shown)
    if limit is not None and len(found.persons) > limit:
        rest = len(found.persons) - limit
        out.print(f"… and {rest} more people with smaller differences (--all)", style="dim")
    shown = table("exercise", f"MAD of {found.a}>", f"MAD of {found.b}>", "difference>")
    for exercise, (a, b) in found.exercises.items():
        shown.add_row(exercise, fixed(a, digits), fixed(b, digits), fixed(a - b, digits, sign=True))
    out.print(shown)
    test = found.test
    out.print(
        f"Wilcoxon signed-rank p = {test.wilcoxon_p:.3g}, sign-flip permutation "
        f"p = {test.permutation_p:.3g}; people are the pairs, errors are means over their "
        "exercises and seeds.",
        markup=False,
    )
    out.print(found.verdict, style="bold", markup=False)
    if found.protocol.leaky:
        out.print(
            f"This protocol leaks: {found.protocol.leak_reason}", style="bold red", markup=False
        )

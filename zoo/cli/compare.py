"""`zoo compare`: two models person by person, with the tests and a plot."""

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.console import begin, console, table
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.words import fixed

if TYPE_CHECKING:
    from zoo.board.compare import ComparedModels

_SHOWN = 15


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo compare`."""
    parser = subparsers.add_parser(
        "compare",
        help="compare two models person by person",
        description="Compare two models, or two runs, person by person, and say whether one is "
        "better beyond noise. They must be of the same data, protocol and split.",
    )
    parser.add_argument("a", metavar="A", help="a model as the leaderboard names it, or a run")
    parser.add_argument("b", metavar="B", help="the other one")
    add_options(parser, "--runs")
    parser.add_argument("--dataset", metavar="NAME", help="which board, if they are on several")
    parser.add_argument("--protocol", metavar="NAME", help="which board, if they are on several")
    parser.add_argument(
        "--all", action="store_true", help=f"show everybody, not only {_SHOWN} people"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .png, .svg or .pdf")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Compare, print, draw; return the exit code."""
    begin(f"reading the runs in {args.runs}")

    from zoo.board.compare import compare

    found = compare(args.a, args.b, args.runs, args.dataset, args.protocol)
    _print(found, None if args.all else _SHOWN)
    if args.plot is not None:
        from zoo.report.persons import draw

        print(draw(found, args.plot))
    return 0


def _print(found: "ComparedModels", limit: int | None) -> None:
    out, digits = console(), found.digits
    title = f"{found.dataset}, {found.protocol.name}: {found.places}"
    out.print(title, style="bold")
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
    metric, digits = found.metric, found.metric_digits
    shown = table("exercise", f"{metric} of {found.a}>", f"{metric} of {found.b}>", "difference>")
    for exercise, (a, b) in found.exercises.items():
        shown.add_row(exercise, fixed(a, digits), fixed(b, digits), fixed(a - b, digits, sign=True))
    out.print(shown)
    test = found.test
    out.print(
        f"Wilcoxon signed-rank p = {test.wilcoxon_p:.3g}, sign-flip permutation "
        f"p = {test.permutation_p:.3g}; people are the pairs, errors are means over their "
        "exercises and seeds."
    )
    out.print(found.verdict, style="bold")
    if found.protocol.leaky:
        out.print(f"This protocol leaks: {found.protocol.leak_reason}", style="bold red")

"""`zoo evaluate`: compute a finished run's figures anew and compare them with the stored ones."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.cli.main import Parser
    from zoo.runs.intervals import Intervals
    from zoo.training.evaluate import Evaluation


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo evaluate`."""
    from zoo.cli.choices import add_level

    parser = subparsers.add_parser(
        "evaluate",
        help="compute a run's figures anew from its checkpoint and compare",
        description="Predict the test recordings of a finished run anew, from its checkpoint and "
        "the prepared data, and say whether the stored figures hold.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of a finished run")
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="folder of prepared datasets")
    parser.add_argument("--device", metavar="NAME", help="auto, cpu, cuda or cuda:N")
    add_level(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print; return 2 if the stored figures do not hold."""
    from zoo.api import evaluate
    from zoo.cli.console import console
    from zoo.runs.intervals import LEVEL, run_intervals

    found = evaluate(args.run_folder, data_root=args.data_root, device=args.device)
    intervals = run_intervals(found.run, args.level or LEVEL)
    if args.json:
        _print_json(found, intervals)
    else:
        _print_table(console(), found, intervals)
    return 0 if found.agrees else 2


def _print_json(found: "Evaluation", intervals: "Intervals") -> None:
    from zoo.build import to_plain

    answer = {
        "run": str(found.run.path),
        "model": found.run.record.model.name,
        "leaky": found.run.leaky,
        "agrees": found.agrees,
        "largest_difference": found.largest_difference,
        "tolerance": found.tolerance,
        "altered": found.altered,
        "stored": found.run.record.metrics,
        "from_table": found.from_table,
        "computed": found.metrics,
        "baseline": found.run.record.baseline,
        "intervals": intervals,
    }
    json.dump(to_plain(answer), sys.stdout, indent=2, allow_nan=False)
    print()


def _print_table(out: "Console", found: "Evaluation", intervals: "Intervals") -> None:
    from zoo.cli.console import table
    from zoo.cli.result_tables import cells, columns, verdict, warn_leaky

    run, name = found.run, found.run.record.model.name
    who = "the test recordings (LEAKY)" if run.leaky else "people never seen in training"
    computed = found.metrics["test"]["recording"]
    titles = (f"{title}>" for title, _ in columns(computed))
    shown = table("", *titles, title=f"{name} on {who}")
    digits = run.digits
    shown.add_row("computed now", *cells(computed, digits))
    shown.add_row("stored", *cells(run.test, digits, computed))
    if name != "mean":
        shown.add_row("mean score", *cells(run.baseline_test, digits, computed))
    out.print(shown)
    if name != "mean":
        out.print(verdict(name, computed["mad"], run.baseline_test["mad"], digits), markup=False)
    out.print(_coverage(intervals, digits), markup=False)
    warn_leaky(out, run)
    for file in found.altered:
        out.print(
            f"{run.path / file} is missing or no longer what the run wrote",
            style="bold red", markup=False, soft_wrap=True,
        )  # fmt: skip
    out.print(_agreement(found), style="green" if found.agrees else "bold red", markup=False)


def _coverage(intervals: "Intervals", digits: int) -> str:
    """How wide the intervals are and what they held, in a sentence."""
    from zoo.runs.intervals import no_interval
    from zoo.words import fixed, percent

    calibration = intervals.calibration
    if not calibration.finite:
        return no_interval(calibration)
    width = f"{'on average ' if calibration.scaled else ''}{fixed(intervals.width, digits)}"
    people = "people (not new ones: this protocol leaks)" if intervals.leaky else "people"
    return (
        f"Intervals of {percent(calibration.level)}, from the errors for {calibration.people} "
        f"validation people, are {width} points wide and hold every true "
        f"score of {intervals.covered} of {intervals.people} test {people} and "
        f"{intervals.coverage:.0%} of their recordings."
    )


def _agreement(found: "Evaluation") -> str:
    """Whether the stored predictions come out again, in a sentence."""
    difference, tolerance = found.largest_difference, found.tolerance
    if difference <= tolerance:
        said = (
            "The stored predictions come out again to the last digit."
            if difference == 0
            else f"The stored predictions come out again: they differ by at most {difference:.2g} "
            f"points (up to {tolerance:.2g} is rounding)."
        )
        return said if not found.altered else f"{said} But files were altered."
    if difference == float("inf"):
        return "The stored predictions are of other samples than the run's split has."
    return (
        f"The stored predictions do NOT come out again: they differ by up to {difference:.4g} "
        f"points, more than the {tolerance:.2g} that rounding explains."
    )

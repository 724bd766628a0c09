"""`zoo evaluate`: compute a finished run's figures anew and compare them with the stored ones."""

from typing import TYPE_CHECKING

from zoo.api import evaluate
from zoo.cli.console import begin, console, print_json, table
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.words import fixed, percent

if TYPE_CHECKING:
    from zoo.runs.intervals import Intervals
    from zoo.runs.run import Run
    from zoo.training.evaluate import Evaluation


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo evaluate`."""
    parser = subparsers.add_parser(
        "evaluate",
        help="recompute a run's figures from its checkpoint and compare",
        description="Predict the test recordings of a finished run again, from its checkpoint and "
        "the prepared data, and check that the stored figures are right. A bundle has no such "
        "figures: it is for `zoo predict` and `zoo explain`.",
    )
    add_options(parser, "run_folder", "--data-root", "--device", "--level", "--json")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Evaluate and print; return 2 if the stored figures do not hold."""
    if not args.json:
        begin(f"predicting the test recordings of {args.run_folder} again")

    from zoo.runs.intervals import LEVEL, run_intervals

    found = evaluate(args.run_folder, data_root=args.data_root, device=args.device)
    intervals = run_intervals(found.run, args.level or LEVEL)
    if args.json:
        _print_json(found, intervals)
    else:
        _print_table(found, intervals)
    return 0 if found.agrees else 2


def _print_json(found: "Evaluation", intervals: "Intervals") -> None:
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
    print_json(answer)


def _print_table(found: "Evaluation", intervals: "Intervals") -> None:
    from zoo.cli.result_tables import cells, columns, explained, verdict, warn_leaky

    run, name = found.run, found.run.record.model.name
    who = "the test recordings (LEAKY)" if run.leaky else "people never seen in training"
    computed = found.metrics["test"]["recording"]
    titles = (f"{m.heading}>" for m in columns(computed))
    shown = table("", *titles, title=f"{name} on {who}")
    digits = run.digits
    shown.add_row("computed now", *cells(computed, digits))
    shown.add_row("stored", *cells(run.test, digits, computed))
    if name != "mean":
        shown.add_row("mean score", *cells(run.baseline_test, digits, computed))
    out = console()
    out.print(shown)
    out.print(explained(run), style="dim")
    if name != "mean":
        for sentence in verdict([run]):
            out.print(sentence)
    out.print(_coverage(intervals, run))
    warn_leaky(out, run)
    for file in found.altered:
        out.print(
            f"{run.path / file} is missing or no longer what the run wrote",
            style="bold red",
            soft_wrap=True,
        )
    out.print(_agreement(found), style="green" if found.agrees else "bold red")


def _coverage(intervals: "Intervals", run: "Run") -> str:
    """How wide the intervals are, what they held, and whether they are of use."""
    from zoo.runs.intervals import no_interval, too_wide

    digits, scale = run.digits, run.record.dataset.score_range

    calibration = intervals.calibration
    if not calibration.finite:
        return no_interval(calibration)
    width = f"on average {fixed(intervals.width, digits)}"
    wide = too_wide(intervals.width, scale)
    people = "people (not new ones: this protocol leaks)" if intervals.leaky else "people"
    return (
        f"Intervals of {percent(calibration.level)}, from the errors for {calibration.people} "
        f"validation people, are {width} points wide and hold every true "
        f"score of {intervals.covered} of {intervals.people} test {people} and "
        f"{intervals.coverage:.0%} of their recordings."
        f"{wide and f' That is {wide}.'}"
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

"""`zoo experiment`: what a file describes, run and reported with one command."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from registry import config_names
from zoo.cli.console import begin, console, table
from zoo.cli.parser import Arguments, Subparsers
from zoo.cli.sweeping import add_grid_options, add_sweep_options, narrowing, run_or_show
from zoo.errors import ConfigError
from zoo.report.figure_style import FORMATS
from zoo.words import plain

if TYPE_CHECKING:
    from zoo.experiments.definition import Experiment
    from zoo.experiments.sheets import Sheet

_LISTS = ("rows", "protocols", "exercises", "folds", "seeds")


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo experiment`."""
    parser = subparsers.add_parser(
        "experiment",
        help="run a benchmark or a paper's table from its description, and report",
        description="Compute every run of an experiment as `zoo bench` does, continuing where an "
        "earlier call stopped, then print its tables, draw its figures, and compare a paper's "
        "numbers with ours one by one. Without a name, list the experiments.",
    )
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="name of the experiment; without one, list all"
    )
    cut = parser.add_argument_group("to run a part only; the tables say so")
    cut.add_argument("--small", action="store_true", help="take the small variants of the models")
    cut.add_argument("--rows", nargs="+", metavar="LABEL", help="only these rows of the table")
    cut.add_argument("--dataset", metavar="NAME", help="take another prepared dataset")
    add_grid_options(cut, protocols="only these of its protocols, or others", seeds="its own")
    how = parser.add_argument_group("how")
    add_sweep_options(how)
    report = parser.add_argument_group("the report")
    report.add_argument(
        "--report", action="store_true", help="run nothing, report on the finished runs"
    )
    report.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder for the report (default: ./experiments/NAME)",
    )
    report.add_argument(
        "--format", dest="formats", action="append", choices=FORMATS, metavar="KIND",
        help=f"format of the figures: {', '.join(FORMATS)} (default: svg); may be repeated",
    )  # fmt: skip
    parser.epilog = (
        "Settings for every run can follow as key=value: trainer.epochs=5. Lists end at the next "
        "option: --exercises 1 5 --seeds 0"
    )
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: Arguments) -> int:
    """Run one and report on it, or list them all; 1 if a run failed or a figure is missing."""
    if args.name is None and any(getattr(args, name) for name in _LISTS):
        raise ConfigError(
            "name the experiment first: a list takes every word up to the next option, as in "
            "zoo experiment NAME --protocol person-kfold --seeds 0"
        )
    if args.name in (None, "list"):
        _list()
        return 0

    begin(f"composing every run of {args.name} and checking it")

    from zoo.experiments.definition import Experiment
    from zoo.experiments.plan import make_plan
    from zoo.experiments.report import report_sheets, write_report
    from zoo.experiments.results import experiment_results

    experiment = Experiment.load(args.name).cut(
        small=args.small, dataset=args.dataset, **narrowing(args, _LISTS)
    )
    plan = make_plan(experiment, args.runs, args.data_root)
    result = None if args.report and not args.dry_run else run_or_show(plan, args)
    if args.dry_run:
        return 0
    results = experiment_results(plan, experiment.report.reference)
    _print(experiment, report_sheets(experiment, results, wide=False)[0])
    written = write_report(
        experiment,
        results,
        args.output or Path("experiments") / experiment.name,
        formats=args.formats or ["svg"],
        data_root=args.data_root,
    )
    for file in written.files:
        print(file)
    for reason in written.not_drawn:
        console().print(f"not drawn: {reason}", style="yellow", soft_wrap=True)
    return 1 if written.not_drawn or (result is not None and result.failed) else 0


def _print(experiment: "Experiment", sheets: "Sequence[Sheet]") -> None:
    out = console()
    out.print(experiment.card.title, style="bold")
    if experiment.cuts:
        out.print(f"Cut short: {'; '.join(experiment.cuts)}", style="yellow")
    for sheet in sheets:
        if sheet.title:
            out.print(f"\n{sheet.title}", style="bold", soft_wrap=True)
        if sheet.rows:
            out.print(table(*sheet.columns, rows=plain(sheet.rows)))
        for note in sheet.notes:
            out.print(note, style="dim", soft_wrap=True)


def _list() -> None:
    from zoo.experiments.definition import Experiment

    found = map(Experiment.load, config_names("experiment"))
    rows = ((each.name, each.card.paper, each.card.title) for each in found)
    console().print(table("experiment", "of the paper", "what it is", rows=rows))

"""`zoo study`: a table or figure of a paper as one command."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.sweeping import add_sweep_options, compute, narrowing
from zoo.report.figure_style import FORMATS

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.cli.main import Parser
    from zoo.study.definition import Study
    from zoo.study.results import ProtocolResult

_LISTS = ("rows", "protocols", "exercises", "folds", "seeds")


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo study`."""
    parser = subparsers.add_parser(
        "study",
        help="make a table or figure of a paper again",
        description="Compute every run of a study as `zoo bench` does, going on where an earlier "
        "one stopped, then print its tables and draw its figures. Without a name, list the "
        "studies.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of a study; list shows them")
    cut = parser.add_argument_group("to run less than all of it; the tables say so")
    cut.add_argument("--small", action="store_true", help="the small variants of the models")
    cut.add_argument("--rows", nargs="+", metavar="LABEL", help="only these rows of the table")
    cut.add_argument(
        "--protocol", dest="protocols", nargs="+", action="extend", metavar="NAME",
        help="only these of its protocols",
    )  # fmt: skip
    cut.add_argument("--dataset", metavar="NAME", help="another prepared dataset")
    cut.add_argument("--exercises", nargs="+", metavar="ID", help="only these exercises")
    cut.add_argument("--folds", nargs="+", metavar="N", help="only these folds")
    cut.add_argument("--seeds", nargs="+", metavar="N", help="seeds (default: the protocol's)")
    how = parser.add_argument_group("how")
    add_sweep_options(how)
    report = parser.add_argument_group("the report")
    report.add_argument(
        "--report", action="store_true", help="run nothing: report on what is there"
    )
    report.add_argument(
        "--output", type=Path, metavar="DIR", help="folder for it (default: ./studies/NAME)"
    )
    report.add_argument(
        "--format", dest="formats", action="append", choices=FORMATS, metavar="KIND",
        help=f"of the figures, {', '.join(FORMATS)} (default: svg); may be given several times",
    )  # fmt: skip
    parser.epilog = (
        "Settings for every run can follow as key=value: trainer.epochs=5. Lists end at the next "
        "option: --exercises 1 5 --seeds 0"
    )
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: argparse.Namespace) -> int:
    """Run a study and report on it, or list them all; 1 if a run failed or a figure is missing."""
    from zoo.cli.console import console
    from zoo.errors import ConfigError

    if args.name is None and any(getattr(args, name) for name in _LISTS):
        raise ConfigError(
            "name the study first: a list takes every word up to the next option, as in "
            "zoo study NAME --protocol person-kfold --seeds 0"
        )
    out = console()
    if args.name in (None, "list"):
        _list(out)
        return 0

    from zoo.api import RUNS
    from zoo.cli.bench import print_plan, print_result
    from zoo.study.plan import plan_rows, whole_plan
    from zoo.study.report import write_report
    from zoo.study.results import study_results
    from zoo.sweep.run import cores

    study = _study(args)
    runs = args.runs or RUNS
    rows = plan_rows(study, runs, args.data_root)
    plan = whole_plan(rows, runs, args.data_root)
    if args.dry_run:
        print_plan(out, plan, args.jobs or cores())
        return 0
    failed = False
    if not args.report:
        result = compute(plan, args)
        print_result(out, result)
        failed = bool(result.failed)
    results = study_results(rows, study.report.reference)
    _print(out, study, results)
    written = write_report(
        study,
        results,
        args.output or Path("studies") / study.name,
        formats=args.formats or ["svg"],
        data_root=args.data_root,
    )
    for file in written.files:
        print(file)
    for reason in written.not_drawn:
        out.print(f"not drawn: {reason}", style="yellow", markup=False, soft_wrap=True)
    return 1 if failed or written.not_drawn else 0


def _print(out: "Console", study: "Study", results: "Sequence[ProtocolResult]") -> None:
    from zoo.cli.console import table
    from zoo.study import tables

    out.print(study.title, style="bold", markup=False)
    if study.cuts:
        out.print(f"Cut short: {'; '.join(study.cuts)}", style="yellow", markup=False)
    for result in results:
        out.print(f"\n{tables.heading(result)}", style="bold", markup=False, soft_wrap=True)
        if result.rows:
            shown = table(*tables.columns(study, intervals=False))
            for row in result.rows:
                shown.add_row(*tables.cells(study, result, row, intervals=False))
            out.print(shown)
            if len(result.exercises) > 1:
                shown = table(*tables.exercise_columns(result, study.report.rows))
                for row in result.rows:
                    shown.add_row(*tables.exercise_cells(result, row))
                out.print(shown)
        for note in tables.notes(study, result):
            out.print(note, style="dim", markup=False, soft_wrap=True)


def _study(args: argparse.Namespace) -> "Study":
    from zoo.study.definition import Study

    given = narrowing(args, _LISTS)
    return Study.load(args.name).shortened(small=args.small, dataset=args.dataset, **given)


def _list(out: "Console") -> None:
    from zoo.cli.console import table
    from zoo.study.definition import Study, study_names

    shown = table("study", "of the paper", "what it is")
    for study in map(Study.load, study_names()):
        shown.add_row(study.name, study.paper, study.title)
    out.print(shown)

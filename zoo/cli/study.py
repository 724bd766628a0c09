"""`zoo study`: a table or figure of a paper as one command."""

import argparse
from typing import TYPE_CHECKING

from zoo.cli.sweeping import add_sweep_options, compute, narrowing

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.cli.main import Parser
    from zoo.study.definition import Study


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
        "--protocol", dest="protocols", action="append", metavar="NAME",
        help="only this one of its protocols; may be given several times",
    )  # fmt: skip
    cut.add_argument("--dataset", metavar="NAME", help="another prepared dataset")
    cut.add_argument("--exercises", nargs="+", metavar="ID", help="only these exercises")
    cut.add_argument("--folds", nargs="+", metavar="N", help="only these folds")
    cut.add_argument("--seeds", nargs="+", metavar="N", help="seeds (default: the protocol's)")
    how = parser.add_argument_group("how")
    add_sweep_options(how)
    parser.epilog = (
        "Settings for every run can follow as key=value: trainer.epochs=5. Lists end at the next "
        "option: --exercises 1 5 --seeds 0"
    )
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: argparse.Namespace) -> int:
    """Run a study and report on it, or list them all; 0: every run is there, 1: some failed."""
    from zoo.cli.console import console

    out = console()
    if args.name in (None, "list"):
        _list(out)
        return 0

    from zoo.api import RUNS
    from zoo.cli.bench import print_plan, print_result
    from zoo.study.plan import plan_rows, whole_plan
    from zoo.sweep.run import cores

    study = _study(args)
    runs = args.runs or RUNS
    rows = plan_rows(study, runs, args.data_root)
    plan = whole_plan(rows, runs, args.data_root)
    if args.dry_run:
        print_plan(out, plan, args.jobs or cores())
        return 0
    result = compute(plan, args)
    print_result(out, result)
    return 1 if result.failed else 0


def _study(args: argparse.Namespace) -> "Study":
    from zoo.study.definition import Study

    given = narrowing(args, ("rows", "exercises", "folds", "seeds"))
    return Study.load(args.name).shortened(
        small=args.small, dataset=args.dataset, protocols=args.protocols, **given
    )


def _list(out: "Console") -> None:
    from zoo.cli.console import table
    from zoo.study.definition import Study, study_names

    shown = table("study", "of the paper", "what it is")
    for study in map(Study.load, study_names()):
        shown.add_row(study.name, study.paper, study.title)
    out.print(shown)

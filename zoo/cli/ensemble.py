"""`zoo ensemble`: combine finished runs into one that stands on the board like any other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.cli.console import begin, complain, console, table
from zoo.cli.parser import Arguments, Subparsers, add_options, one_of_list
from zoo.errors import ConfigError
from zoo.words import fixed

if TYPE_CHECKING:
    from zoo.runs.run import Run


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo ensemble`."""
    parser = subparsers.add_parser(
        "ensemble",
        help="combine the scores of finished runs",
        description="Combine the scores of finished runs of one fold, or of a board's entries on "
        "every exercise and fold they share. The ensemble is a run like any other.",
    )
    parser.add_argument("members", nargs="*", metavar="RUN", help="run folders of one fold")
    parser.add_argument(
        "--models",
        nargs="+",
        type=one_of_list,
        metavar="NAME",
        help="entries as the leaderboard names them, instead of RUN",
    )
    parser.add_argument("--dataset", metavar="NAME", help="which board, if they are on several")
    parser.add_argument("--protocol", metavar="NAME", help="which board, if they are on several")
    parser.add_argument("--exercise", metavar="ID", help="only this exercise")
    parser.add_argument(
        "--weights",
        choices=("mean", "fitted"),
        default="mean",
        help="equal, or fitted on the validation people (default: mean)",
    )
    parser.add_argument("--name", metavar="NAME", help="name on the leaderboard")
    add_options(parser, "--runs")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Combine, and print what came of it; return the exit code."""
    if bool(args.members) == bool(args.models):
        raise ConfigError("name what to combine: run folders, or entries with --models")
    begin(f"reading the runs in {args.runs}")

    from zoo.board.ensemble import ensemble_of_runs, ensembles_of_models

    if args.members:
        if args.dataset or args.protocol or args.exercise:
            raise ConfigError("--dataset, --protocol and --exercise choose among --models only")
        _print([ensemble_of_runs(args.members, how=args.weights, name=args.name, runs=args.runs)])
        return 0
    made, left_out = ensembles_of_models(
        args.models,
        dataset=args.dataset,
        protocol=args.protocol,
        exercise=args.exercise,
        how=args.weights,
        name=args.name,
        runs=args.runs,
    )
    _print(made)
    for place in left_out:
        complain(f"left out, for a member is missing: {place}", word="note")
    return 0


def _print(made: Sequence["Run"]) -> None:
    out = console()
    shown = table("exercise", "fold>", "seed>", "MAD>", "mean score's>", "weights")
    for result in made:
        shown.add_row(
            result.exercise,
            str(result.fold),
            str(result.seed),
            fixed(result.test["mad"], result.digits),
            fixed(result.baseline_test["mad"], result.digits),
            ", ".join(f"{member.weight:.2f}" for member in result.record.members),
        )
    out.print(made[0].record.model.name, style="bold")
    out.print(shown)
    kept = made[0].path if len(made) == 1 else f"{len(made)} runs"
    out.print(f"kept in {kept}", soft_wrap=True)

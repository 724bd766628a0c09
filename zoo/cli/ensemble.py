"""`zoo ensemble`: combine finished runs into one that stands on the board like any other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.cli.console import begin, complain, console, table
from zoo.cli.parser import Arguments, Subparsers, add_options, one_of_list
from zoo.errors import ConfigError
from zoo.words import fixed

if TYPE_CHECKING:
    from zoo.runs.run import Run

_SHOWN = 8
"""Members whose weights are shown."""


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo ensemble`."""
    parser = subparsers.add_parser(
        "ensemble",
        help="combine the scores of finished runs",
        description="Combine the scores of finished runs of one fold, or of a board's entries on "
        "every exercise and fold they share. The ensemble is a run like any other. With --person "
        "its scores, or those of a single entry, are drawn towards the same person's other "
        "exercises; such an entry has seen more and stands apart.",
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
    parser.add_argument(
        "--all-seeds",
        action="store_true",
        help="combine all seeds of each entry, instead of seed by seed",
    )
    parser.add_argument(
        "--person",
        type=float,
        metavar="SHARE",
        help="draw each score so far towards the person's other exercises, such as 0.3",
    )
    parser.add_argument("--name", metavar="NAME", help="name on the leaderboard")
    add_options(parser, "--runs")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Combine, and print what came of it; return the exit code."""
    if bool(args.members) == bool(args.models):
        raise ConfigError("name what to combine: run folders, or entries with --models")
    begin(f"reading the runs in {args.runs}")

    from zoo.board.ensemble import ensemble_of_runs

    if args.members:
        if args.dataset or args.protocol or args.exercise:
            raise ConfigError("--dataset, --protocol and --exercise choose among --models only")
        if args.all_seeds or args.person is not None:
            raise ConfigError("--all-seeds and --person take entries: name them with --models")
        _print([ensemble_of_runs(args.members, how=args.weights, name=args.name, runs=args.runs)])
        return 0
    if args.person is not None and args.exercise:
        raise ConfigError("--person looks at all exercises: leave out --exercise")
    if args.person is None or len(args.models) > 1 or args.all_seeds:
        _of_models(args)
    if args.person is not None:
        _with_other_exercises(args)
    return 0


def _of_models(args: Arguments) -> None:
    """Combine entries; what is done next is done to the ensemble of this name."""
    from zoo.board.ensemble import ensembles_of_models

    made, left_out = ensembles_of_models(
        args.models,
        dataset=args.dataset,
        protocol=args.protocol,
        exercise=args.exercise,
        how=args.weights,
        all_seeds=args.all_seeds,
        name=args.name,
        runs=args.runs,
    )
    _print(made)
    for place in left_out:
        complain(f"left out, for a member is missing: {place}", word="note")
    args.models, args.name = [made[0].record.model.name], None


def _with_other_exercises(args: Arguments) -> None:
    from zoo.board.person_context import with_other_exercises

    made = with_other_exercises(
        args.models[0],
        args.person,
        dataset=args.dataset,
        protocol=args.protocol,
        name=args.name,
        runs=args.runs,
    )
    _print(made)


def _print(made: Sequence["Run"]) -> None:
    out = console()
    shown = table("exercise", "fold>", "seed>", "MAD>", "mean score's>", "weights")
    for result in made:
        record = result.record
        weights = [f"{member.weight:.2f}" for member in record.members]
        if record.context is not None:
            own, others = 1 - record.context.weight, record.context.weight
            weights = [f"{own:.2f} own, {others:.2f} other exercises"]
        more = f" and {len(weights) - _SHOWN} more" if len(weights) > _SHOWN else ""
        shown.add_row(
            result.exercise,
            str(result.fold),
            str(result.seed),
            fixed(result.test["mad"], result.digits),
            fixed(result.baseline_test["mad"], result.digits),
            ", ".join(weights[:_SHOWN]) + more,
        )
    out.print(made[0].record.model.name, style="bold")
    out.print(shown)
    kept = made[0].path if len(made) == 1 else f"{len(made)} runs"
    out.print(f"kept in {kept}", soft_wrap=True)

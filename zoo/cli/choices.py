"""The choices that `zoo train` and `zoo config show` share."""

import argparse
from typing import Any


def add_run_choices(parser: argparse.ArgumentParser) -> None:
    """Options that choose model, data, protocol, fold and seed, and free key=value settings."""
    group = parser.add_argument_group("what to train")
    group.add_argument("--model", metavar="NAME", help="a registered model (see: zoo models)")
    group.add_argument(
        "--dataset", metavar="NAME", help="a prepared dataset (default: synthetic, built in)"
    )
    group.add_argument("--exercise", metavar="ID", help="exercise id (default: the dataset's)")
    group.add_argument(
        "--protocol", metavar="NAME", help="how the data are split (default: person-kfold)"
    )
    group.add_argument("--experiment", metavar="NAME", help="train as an experiment does")
    group.add_argument("--row", metavar="LABEL", help="of the experiment (default: its first)")
    group.add_argument("--fold", metavar="N", help="fold to test on, or 'all' (default: 0)")
    group.add_argument("--seed", type=int, metavar="N", help="seed of weights and order")
    parser.epilog = (
        "Any setting can follow as key=value: trainer.epochs=50 model.groups=4. "
        "`zoo config show` lists them."
    )


def compose_from(args: argparse.Namespace, fold: int | None = None) -> dict[str, Any]:
    """The composed configuration of parsed arguments; `fold` overrides the one given there."""
    from zoo.compose import compose
    from zoo.errors import ConfigError

    if args.model is None and args.experiment is None:
        raise ConfigError("name a model: --model d2sta (`zoo models` lists them)")
    if fold is None and args.fold not in (None, "all"):
        if not args.fold.isdigit():
            raise ConfigError(f"--fold {args.fold}: expected a number from 0, or 'all'")
        fold = int(args.fold)
    chosen = {
        "model": args.model,
        "dataset": args.dataset,
        "protocol": args.protocol,
        "exercise": args.exercise,
        "fold": fold,
        "seed": args.seed,
        "overrides": args.overrides,
    }
    if args.experiment is None:
        if args.row is not None:
            raise ConfigError(f"--row {args.row}: name its experiment with --experiment")
        return compose(**chosen)

    from zoo.experiments.definition import Experiment

    return Experiment.load(args.experiment).training(row=args.row, **chosen)


def add_level(parser: argparse.ArgumentParser) -> None:
    """Describe ``--level``, of intervals around scores; None where it is not given."""
    parser.add_argument(
        "--level",
        type=_level,
        metavar="P",
        help="probability with which an interval holds the true score (default: 0.9)",
    )


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1, such as 0.9")
    return level

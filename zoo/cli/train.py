"""`zoo train`: train a model, test it on people it never saw, show it beside the mean score."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.cli.console import console
from zoo.cli.parser import Arguments, Subparsers, add_options, add_run_choices, compose_from

if TYPE_CHECKING:
    from zoo.runs.run import Run
    from zoo.workspace import Workspace


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo train`."""
    parser = subparsers.add_parser(
        "train",
        help="train a model and test it on people it never saw",
        description="Train a model, test it on people it never saw, and show it beside the mean "
        "score. Without more it trains on the built-in simulator.",
    )
    add_run_choices(parser)
    group = parser.add_argument_group("where to, and unfinished or finished runs")
    add_options(group, "--runs", "--data-root")
    group.add_argument("--resume", action="store_true", help="continue an unfinished run")
    group.add_argument(
        "--overwrite", action="store_true", help="train again and replace the finished run"
    )
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: Arguments) -> int:
    """Train one fold, or all; print the table; return the exit code."""
    config = compose_from(args)

    from zoo.cli.result_tables import print_folds, print_run
    from zoo.workspace import Workspace

    workspace = Workspace(args.runs, args.data_root)
    folds = [int(config["fold"])]
    if args.fold == "all":
        folds = list(range(workspace.open(config).num_folds))
    results = [_train(workspace, {**config, "fold": fold}, args) for fold in folds]
    out = console()
    if len(results) > 1:
        print_folds(out, results)
    else:
        print_run(out, results[0])
    return 0


def _train(workspace: "Workspace", config: "Mapping[str, Any]", args: Arguments) -> "Run":
    """The run of one fold: trained, or the finished one where its model's code is the same."""
    from zoo.runs.folder import RunExistsError
    from zoo.runs.run import load_run
    from zoo.training.report import RichReporter
    from zoo.training.source import model_source

    reporter = RichReporter()
    try:
        return workspace.run(
            config, resume=args.resume, overwrite=args.overwrite, reporter=reporter
        )
    except RunExistsError as there:
        if there.finished is None:
            raise
        found = load_run(there.finished)
        name = found.record.model.name
        if found.record.model.source != model_source(name, workspace.open(config).build()):
            raise
        reporter.on_note(
            f"{name}, fold {found.fold}: trained before with exactly these settings, data and "
            "code; --overwrite computes it anew"
        )
        return found

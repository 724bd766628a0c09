"""`zoo bench`: many models over many exercises, folds and seeds, each run in its own folder."""

from zoo.cli.console import begin
from zoo.cli.parser import Arguments, Subparsers, one_of_list
from zoo.cli.sweeping import add_grid_options, add_sweep_options, narrowing, run_or_show


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo bench`."""
    parser = subparsers.add_parser(
        "bench",
        help="run many models over many exercises, folds and seeds",
        description="Compute every run of a grid. Finished runs are used as they are, unfinished "
        "ones are resumed, failed ones are kept with their traceback. If it was stopped, the same "
        "command continues. `zoo experiment` runs grids that are described in a file.",
    )
    grid = parser.add_argument_group("what to run")
    grid.add_argument(
        "--models", nargs="+", type=one_of_list, metavar="NAME", help="registered models"
    )
    grid.add_argument("--dataset", metavar="NAME", help="a prepared dataset (default: synthetic)")
    add_grid_options(
        grid, protocols="how the data are split (default: person-kfold)", seeds="the protocol's"
    )
    how = parser.add_argument_group("how")
    add_sweep_options(how)
    parser.epilog = (
        "Settings for every run can follow as key=value: trainer.epochs=50. Lists end at the next "
        "option: --models d2sta mean --seeds 0 1 2"
    )
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: Arguments) -> int:
    """Run the sweep, or print its plan; 0: every run is there, 1: some failed."""
    begin("composing every run and checking it")
    given = narrowing(args, ("models", "protocols", "exercises", "folds", "seeds"))

    from zoo.experiments.definition import Experiment
    from zoo.experiments.plan import make_plan

    experiment = Experiment.of_models(dataset=args.dataset, **given)
    plan = make_plan(experiment, args.runs, args.data_root)
    result = run_or_show(plan, args)
    return 1 if result is not None and result.failed else 0

"""`zoo bench`: many models over many exercises, folds and seeds, each run in its own folder."""

import argparse
from typing import TYPE_CHECKING

from zoo.cli.sweeping import add_sweep_options, compute, narrowing

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.cli.main import Parser
    from zoo.sweep.plan import Plan
    from zoo.sweep.request import Request
    from zoo.sweep.sweep import SweepResult

_MOST_FAILURES = 20


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo bench`."""
    parser = subparsers.add_parser(
        "bench",
        help="run many models over many exercises, folds and seeds",
        description="Compute every run of a grid. Finished runs are taken as they are, half-done "
        "ones are resumed, failed ones are kept with their traceback. The same command goes on "
        "after whatever stopped it.",
    )
    grid = parser.add_argument_group("what to run")
    grid.add_argument("--models", nargs="+", metavar="NAME", help="registered models")
    grid.add_argument("--dataset", metavar="NAME", help="a prepared dataset (default: synthetic)")
    grid.add_argument("--exercises", nargs="+", metavar="ID", help="exercise ids (default: all)")
    grid.add_argument(
        "--protocol",
        dest="protocols",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="how the data are split (default: person-kfold)",
    )
    grid.add_argument("--folds", nargs="+", metavar="N", help="folds to test on (default: all)")
    grid.add_argument("--seeds", nargs="+", metavar="N", help="seeds (default: the protocol's)")
    grid.add_argument(
        "--experiment", metavar="NAME", help="the grid of an experiment's bench: block"
    )
    how = parser.add_argument_group("how")
    add_sweep_options(how)
    parser.epilog = (
        "Settings for every run can follow as key=value: trainer.epochs=50. Lists end at the next "
        "option: --models d2sta mean --seeds 0 1 2"
    )
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: argparse.Namespace) -> int:
    """Run the sweep, or print its plan; 0: every run is there, 1: some failed."""
    request = _request(args)

    from zoo.api import RUNS
    from zoo.cli.console import console
    from zoo.sweep.plan import make_plan
    from zoo.sweep.run import cores

    plan = make_plan(request, args.runs or RUNS, args.data_root)
    if args.dry_run:
        print_plan(console(), plan, args.jobs or cores())
        return 0
    result = compute(plan, args)
    print_result(console(), result)
    return 1 if result.failed else 0


def _request(args: argparse.Namespace) -> "Request":
    """What the arguments ask for; key=value settings may stand at the end of a list."""
    from zoo.sweep.request import Request

    given = narrowing(args, ("models", "protocols", "exercises", "folds", "seeds"))
    base = Request.from_experiment(args.experiment) if args.experiment else Request(())
    return base.narrowed(dataset=args.dataset, **given)


def print_plan(out: "Console", plan: "Plan", workers: int) -> None:
    """Runs of each model, how many are done, what the rest costs."""
    from zoo.cli.console import table
    from zoo.sweep.cost import expected_costs
    from zoo.sweep.state import State, look
    from zoo.words import duration

    costs = expected_costs(plan)
    shown = table(
        "model", "protocol", "runs>", "done>", "failed>", "to do>", "each about>", "total about>"
    )
    groups: dict[tuple[str, str], list[tuple[State, float]]] = {}
    for job in plan.jobs:
        place = (job.model, str(job.config["protocol"]["name"]))
        groups.setdefault(place, []).append((look(job), costs[job.path]))
    everything = 0.0
    for (model, protocol), found in groups.items():
        done = sum(state is State.FINISHED for state, _ in found)
        failed = sum(state is State.FAILED for state, _ in found)
        open_costs = [cost for state, cost in found if state not in (State.FINISHED, State.FAILED)]
        total = sum(open_costs)
        everything += total
        each = sum(cost for _, cost in found) / len(found)
        shown.add_row(
            model,
            protocol,
            str(len(found)),
            str(done),
            str(failed),
            str(len(open_costs)),
            duration(each),
            duration(total),
        )
    out.print(shown)
    out.print(
        f"{len(plan.jobs)} runs in {plan.runs}; to do about {duration(everything)} of one core, "
        f"{duration(everything / workers)} on {workers}. --retry-failed adds the failed ones",
        markup=False,
        soft_wrap=True,
    )


def print_result(out: "Console", result: "SweepResult") -> None:
    """Counts, failures, wall time, and how to go on."""
    from zoo.words import duration

    for title, error in result.failures[:_MOST_FAILURES]:
        out.print(f"failed: {title}: {error}", markup=False, soft_wrap=True)
    if len(result.failures) > _MOST_FAILURES:
        out.print(f"… and {len(result.failures) - _MOST_FAILURES} more", markup=False)
    out.print(
        f"{result.finished} runs computed, {result.there} were there already, {result.failed} "
        f"failed; {duration(result.seconds)}; kept in {result.runs}",
        style="bold",
        markup=False,
        soft_wrap=True,
    )
    if result.failed:
        out.print(
            "Tracebacks are in the files *.failed.json beside the runs; --retry-failed tries these "
            "runs again",
            markup=False,
            soft_wrap=True,
        )

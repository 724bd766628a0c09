"""What `zoo bench` and `zoo experiment` share: options of a sweep, its plan, how it is shown."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli.console import console, table
from zoo.cli.parser import Arguments, add_options, one_of_list
from zoo.errors import ConfigError
from zoo.words import duration

if TYPE_CHECKING:
    from zoo.experiments.plan import Plan
    from zoo.experiments.progress import Progress

_MOST_FAILURES = 20


def add_sweep_options(group: "argparse._ArgumentGroup") -> None:
    """How the runs of a sweep are computed and where they are kept."""
    group.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="number of runs at a time, one core each (default: all cores)",
    )
    group.add_argument(
        "--executor",
        choices=("local", "ray"),
        default="local",
        help="this machine, or a Ray cluster (extra: ray)",
    )
    group.add_argument("--ray-address", metavar="HOST:PORT", help="address of the cluster's head")
    group.add_argument("--dry-run", action="store_true", help="print the plan and its cost")
    group.add_argument("--retry-failed", action="store_true", help="try failed runs again")
    add_options(group, "--runs", "--data-root")


def add_grid_options(group: "argparse._ArgumentGroup", *, protocols: str, seeds: str) -> None:
    """What a sweep runs besides its models; `protocols` and `seeds` say what they are for."""
    group.add_argument(
        "--protocol",
        dest="protocols",
        nargs="+",
        action="extend",
        type=one_of_list,
        metavar="NAME",
        help=protocols,
    )
    for name, metavar, words in (
        ("--exercises", "ID", "only these exercises (default: all)"),
        ("--folds", "N", "only these folds to test on (default: all)"),
        ("--seeds", "N", f"seeds (default: {seeds})"),
    ):
        group.add_argument(name, nargs="+", type=one_of_list, metavar=metavar, help=words)


def narrowing(args: Arguments, lists: Sequence[str]) -> dict[str, Any]:
    """What narrows a sweep: the options `lists`, folds and seeds as numbers, and ``overrides``.

    Settings may stand at the end of a list, which argparse takes for a part of it. A list that is
    not given or is empty is None, and so is one of exercises, folds, seeds or rows that says
    ``all``.

    Raises:
        ConfigError: fewer than one job, or a fold or seed that is no whole number.
    """
    if args.jobs is not None and args.jobs < 1:
        raise ConfigError(f"--jobs {args.jobs}: expected at least 1")
    overrides = list(args.overrides)
    found: dict[str, Any] = {}
    for name in lists:
        given = getattr(args, name) or []
        overrides += [value for value in given if "=" in value]
        values = [value for value in given if "=" not in value]
        whole = not values or (values == ["all"] and name not in ("models", "protocols"))
        found[name] = None if whole else values
        if name in ("folds", "seeds") and found[name] is not None:
            found[name] = whole_numbers(found[name], f"--{name}")
    return {**found, "overrides": overrides}


def whole_numbers(values: Iterable[str], where: str) -> tuple[int, ...]:
    """`values` as whole numbers from 0, each once.

    Raises:
        ConfigError: one is not.
    """
    numbers = []
    for value in values:
        if not value.isdecimal():
            raise ConfigError(f"{where}: {value!r} is no whole number from 0")
        numbers.append(int(value))
    return tuple(dict.fromkeys(numbers))


def run_or_show(plan: "Plan", args: Arguments) -> "Progress | None":
    """Compute a plan's runs as the options say, or print the plan; None where nothing was run."""
    from zoo.cli.display import LiveDisplay, PlainDisplay
    from zoo.experiments.sweep import cores, run_plan

    if args.dry_run:
        _print_plan(plan, args.jobs or cores())
        return None
    shown = console(stderr=True)
    result = run_plan(
        plan,
        workers=args.jobs or cores(),
        retry_failed=args.retry_failed,
        display=LiveDisplay(shown) if shown.is_terminal else PlainDisplay(shown),
        executor=args.executor,
        ray_address=args.ray_address,
    )
    _print_result(result, plan.runs)
    return result


def _print_plan(plan: "Plan", workers: int) -> None:
    """Runs of each model, how many are done, what the rest costs."""
    from zoo.experiments.cost import expected_costs
    from zoo.experiments.job import State, look

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
        counts = (len(found), done, failed, len(open_costs))
        shown.add_row(model, protocol, *map(str, counts), duration(each), duration(total))
    out = console()
    out.print(shown)
    for note in plan.notes:
        out.print(note, soft_wrap=True)
    out.print(
        f"{len(plan.jobs)} runs in {plan.runs}; to do about {duration(everything)} of one core, "
        f"{duration(everything / workers)} on {workers}. --retry-failed adds the failed ones",
        soft_wrap=True,
    )


def _print_result(result: "Progress", runs: Path) -> None:
    """Counts, failures, wall time, and how to go on."""
    out = console()
    for title, error in result.failures[:_MOST_FAILURES]:
        out.print(f"failed: {title}: {error}", soft_wrap=True)
    if len(result.failures) > _MOST_FAILURES:
        out.print(f"… and {len(result.failures) - _MOST_FAILURES} more")
    out.print(
        f"{result.finished} runs computed, {result.there} were there already, {result.failed} "
        f"failed; {duration(result.seconds)}; kept in {runs}",
        style="bold",
        soft_wrap=True,
    )
    if result.failed:
        out.print(
            "Tracebacks are in the files *.failed.json beside the runs; --retry-failed tries these "
            "runs again",
            soft_wrap=True,
        )

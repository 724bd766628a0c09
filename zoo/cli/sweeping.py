"""What `zoo bench` and `zoo study` share: options of a sweep, lists of them, how it is shown."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.sweep.display import Display
    from zoo.sweep.plan import Plan
    from zoo.sweep.sweep import SweepResult


def add_sweep_options(group: "argparse._ArgumentGroup") -> None:
    """How the runs of a sweep are computed and where they are kept."""
    group.add_argument(
        "--jobs", type=int, metavar="N", help="runs at once, a core each (default: all cores)"
    )
    group.add_argument(
        "--executor",
        choices=("local", "ray"),
        default="local",
        help="this machine, or a Ray cluster (extra: ray)",
    )
    group.add_argument("--ray-address", metavar="HOST:PORT", help="the cluster's head")
    group.add_argument("--dry-run", action="store_true", help="print the plan and its cost")
    group.add_argument("--retry-failed", action="store_true", help="try failed runs again")
    group.add_argument("--runs", type=Path, metavar="DIR", help="folder of runs (default: ./runs)")
    group.add_argument("--data-root", type=Path, metavar="DIR", help="folder of prepared datasets")


def narrowing(args: argparse.Namespace, lists: Sequence[str]) -> dict[str, Any]:
    """What narrows a sweep: the options `lists`, folds and seeds as numbers, and ``settings``.

    Settings may stand at the end of a list, which argparse takes for a part of it. A list that is
    not given or is empty is None, and so is one of exercises, folds, seeds or rows that says
    ``all``.

    Raises:
        ConfigError: fewer than one job, or a fold or seed that is no whole number.
    """
    from zoo.errors import ConfigError
    from zoo.sweep.request import whole_numbers

    if args.jobs is not None and args.jobs < 1:
        raise ConfigError(f"--jobs {args.jobs}: expected at least 1")
    settings = list(args.overrides)
    found: dict[str, Any] = {}
    for name in lists:
        given = getattr(args, name) or []
        settings += [value for value in given if "=" in value]
        values = [value for value in given if "=" not in value]
        whole = not values or (values == ["all"] and name not in ("models", "protocols"))
        found[name] = None if whole else values
        if name in ("folds", "seeds") and found[name] is not None:
            found[name] = whole_numbers(found[name], f"--{name}")
    return {**found, "settings": settings}


def compute(plan: "Plan", args: argparse.Namespace) -> "SweepResult":
    """Compute a plan's runs as the options say, and show how it goes."""
    from zoo.sweep.run import cores, run_plan

    return run_plan(
        plan,
        workers=args.jobs or cores(),
        retry_failed=args.retry_failed,
        display=_display(),
        executor=args.executor,
        ray_address=args.ray_address,
    )


def _display() -> "Display":
    from zoo.cli.console import console
    from zoo.sweep.display import LiveDisplay, PlainDisplay

    out = console(stderr=True)
    return LiveDisplay(out) if out.is_terminal else PlainDisplay(out)

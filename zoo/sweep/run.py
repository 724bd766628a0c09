"""From a request to a finished sweep."""

import os

from zoo.sweep.cost import expected_costs
from zoo.sweep.display import Display
from zoo.sweep.local import LocalExecutor
from zoo.sweep.plan import Plan
from zoo.sweep.setup import Setup
from zoo.sweep.sweep import Sweep, SweepResult


def run_plan(
    plan: Plan,
    *,
    workers: int | None = None,
    retry_failed: bool = False,
    display: Display | None = None,
) -> SweepResult:
    """Bring every run of `plan` to its end on this machine; see `Sweep.run` for what it raises.

    Args:
        plan: the runs.
        workers: processes of one thread; as many as there are cores if None.
        retry_failed: try again what failed before.
        display: is told how it goes; silence if None.
    """
    costs = expected_costs(plan)
    setup = Setup.of_this_process(plan.runs, plan.data_root, {job.model for job in plan.jobs})
    count = max(1, min(workers or cores(), len(plan.jobs)))
    sweep = Sweep(
        jobs=sorted(plan.jobs, key=lambda job: -costs[job.path]),
        costs=costs,
        executor=LocalExecutor(count, setup),
        display=display or Display(),
        runs=plan.runs,
        workers=count,
        retry_failed=retry_failed,
    )
    return sweep.run()


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

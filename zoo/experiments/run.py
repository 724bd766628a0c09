"""From a plan to a finished sweep."""

import os

from zoo.errors import ConfigError
from zoo.experiments.cost import expected_costs
from zoo.experiments.display import Display
from zoo.experiments.executors import Executor
from zoo.experiments.executors.local import LocalExecutor
from zoo.experiments.executors.setup import Setup
from zoo.experiments.plan import Plan
from zoo.experiments.progress import Progress
from zoo.experiments.sweep import Sweep

EXECUTORS = ("local", "ray")


def run_plan(
    plan: Plan,
    *,
    workers: int | None = None,
    retry_failed: bool = False,
    display: Display | None = None,
    executor: str = "local",
    ray_address: str | None = None,
) -> Progress:
    """Bring every run of `plan` to its end; see `Sweep.run` for what it raises.

    Args:
        plan: the runs.
        workers: processes of one thread on this machine; as many as there are cores if None.
        retry_failed: try again what failed before.
        display: is told how it goes; silence if None.
        executor: ``local`` for this machine, ``ray`` for a cluster.
        ray_address: of the cluster's head; None for the one that Ray finds.
    """
    if executor not in EXECUTORS:
        raise ConfigError(f"no executor is called {executor!r}: use {' or '.join(EXECUTORS)}")
    costs = expected_costs(plan)
    count = max(1, min(workers or cores(), len(plan.jobs)))
    made: Executor
    if executor == "ray":
        from zoo.experiments.executors.cluster import RayExecutor

        made = RayExecutor(plan, ray_address)
        count = made.cpus
    else:
        models = {job.model for job in plan.jobs}
        made = LocalExecutor(count, Setup.of_this_process(plan.runs, plan.data_root, models))
    sweep = Sweep(
        jobs=sorted(plan.jobs, key=lambda job: -costs[job.path]),
        costs=costs,
        executor=made,
        display=display or Display(),
        workers=count,
        retry_failed=retry_failed,
    )
    return sweep.run()


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""A sweep: from a plan's runs to their ends, which comes next, and what becomes of each."""

import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from zoo.errors import ConfigError
from zoo.experiments import events
from zoo.experiments.cost import expected_costs
from zoo.experiments.events import Event
from zoo.experiments.executors.local import LocalExecutor
from zoo.experiments.executors.setup import Setup
from zoo.experiments.job import Job, State, look
from zoo.experiments.plan import Plan
from zoo.experiments.progress import Display, Progress
from zoo.files import StorageError
from zoo.training.stop import Stopped, StopRequest, StopSignals

EXECUTORS = ("local", "ray")

TRIES = 2
"""How often a run is begun whose process dies."""

_GRACE = 60.0
_TICK = 0.25
_BUSY_TICK = 2.0


class Executor(Protocol):
    """Takes jobs and tells what becomes of them. Every submitted job ends with one last event."""

    @property
    def free(self) -> int:
        """How many jobs it would begin at once."""

    def submit(self, job: Job) -> None:
        """Begin a job; only while something is free."""

    def poll(self, seconds: float) -> list[tuple[Job, Event]]:
        """What has happened since it was asked last; waits up to `seconds` for something.

        Raises:
            ZooError: nothing can be computed here at all.
        """

    def stop(self) -> None:
        """Ask what is at work to keep what it has and end; the events of that follow."""

    def close(self) -> None:
        """End everything that is left, at once."""


class SweepStopped(Stopped):
    """Somebody stopped the sweep; the same command goes on."""


@dataclass
class Sweep:
    """Brings every job to its end.

    Args:
        jobs: the runs, in the order they are to be begun.
        costs: expected seconds of each, by path.
        executor: computes them.
        display: is told how it goes.
        workers: how many runs the executor computes at once.
        retry_failed: try again what failed before this sweep.

    Attributes:
        progress: how far it is.
    """

    jobs: list[Job]
    costs: Mapping[Path, float]
    executor: Executor
    display: Display
    workers: int
    retry_failed: bool = False
    progress: Progress = field(init=False)
    _waiting: deque[Job] = field(default_factory=deque)
    _busy: deque[Job] = field(default_factory=deque)
    _tries: dict[Path, int] = field(default_factory=dict)
    _no_room: str | None = None
    _begun: str = ""
    _looked: float = 0.0

    def __post_init__(self) -> None:
        self.progress = Progress(total=len(self.jobs), workers=self.workers)

    def run(self) -> Progress:
        """Work until every run is finished or failed; what came of it.

        Raises:
            StorageError: the disk is full; what is finished stays.
            SweepStopped: Ctrl-C, SIGTERM or SIGHUP.
            ZooError: the executor cannot work at all.
        """
        self._begun = datetime.now(UTC).isoformat()
        with StopSignals() as stop, self.display:
            try:
                self._sort()
                self.display.on_begin(self.progress)
                while self._open and stop.requested is None and self._no_room is None:
                    self._begin_some()
                    self._listen()
                if stop.requested is not None or self._no_room is not None:
                    self._stop()
            except StopRequest as again:
                stop.requested = again.signal_number
            finally:
                self.executor.close()
                self.progress.ended = time.monotonic()
        progress = self.progress
        done = f"{progress.done} of {progress.total} runs"
        if stop.requested is not None:
            raise SweepStopped(
                f"{StopRequest(stop.requested).cause} came when {done} were done. The same command "
                "goes on; half-done runs are resumed",
                stop.requested,
            )
        if self._no_room is not None:
            raise StorageError(
                f"{self._no_room}. {done} are done; make room and give the same command to go on"
            )
        return progress

    @property
    def _open(self) -> bool:
        return bool(self._waiting or self._busy or self.progress.current)

    def _sort(self) -> None:
        """Put every job where it belongs as things stand."""
        for job in self.jobs:
            self.progress.expect(job, self.costs.get(job.path, 0.0))
            self._put(job, self._standing(job))
        self._count()

    def _standing(self, job: Job) -> State:
        """How a job stands for this sweep: finished, failed for good, busy, or new: to be begun."""
        state = look(job)
        if state in (State.FINISHED, State.BUSY):
            return state
        return State.FAILED if state is State.FAILED and not self._to_be_retried(job) else State.NEW

    def _put(self, job: Job, standing: State) -> None:
        """Settle a job that needs nothing more, put off one that is busy, queue one to begin."""
        if standing is State.FINISHED:
            self._settle_there(job)
        elif standing is State.FAILED:
            self._settle_failed(job, str((job.failure() or {}).get("error")))
        elif standing is State.BUSY:
            self._busy.append(job)
        else:
            self._waiting.append(job)

    def _begin_some(self) -> None:
        now = time.monotonic()
        if self._busy and now - self._looked >= _BUSY_TICK and not self._waiting:
            self._looked = now
            busy, self._busy = self._busy, deque()
            for job in busy:
                self._put(job, self._standing(job))
        while self._waiting and self.executor.free > 0:
            job = self._waiting.popleft()
            # another sweep may have been here since it was looked at
            standing = self._standing(job)
            if standing is State.NEW:
                self.progress.begin(job)
                self.executor.submit(job)
            else:
                self._put(job, standing)
        self._count()

    def _listen(self) -> None:
        for job, event in self.executor.poll(_TICK):
            if not event.is_end:
                self.progress.update(job, event)
                continue
            self.progress.end(job)
            try:
                self._end(job, event)
            except StorageError as error:
                self._no_room = str(error)
        self._count()
        self.display.on_tick(self.progress)

    def _end(self, job: Job, event: Event) -> None:
        if event.kind == events.FINISHED:
            self.progress.finished += 1
            self.progress.settle(job, event.seconds)
            job.forget_failure()
            self.display.on_finished(self.progress, job, event)
        elif event.kind == events.THERE:
            self._settle_there(job)
        elif event.kind == events.BUSY:
            self._busy.append(job)
        elif event.kind == events.NO_ROOM:
            self._no_room = event.message
        elif event.kind == events.FAILED:
            self._fail(job, event.message, event.traceback)
        elif event.kind == events.LOST:
            self._tries[job.path] = self._tries.get(job.path, 1) + 1
            if self._tries[job.path] > TRIES:
                self._fail(job, f"its process {event.message}, twice", event.traceback)
            else:
                self._waiting.appendleft(job)
        else:  # again, or stopped
            self._waiting.appendleft(job)

    def _fail(self, job: Job, error: str, traceback: str) -> None:
        job.keep_failure(error, traceback)
        self._settle_failed(job, error)
        self.display.on_failed(self.progress, job, error)

    def _settle_there(self, job: Job) -> None:
        self.progress.there += 1
        self.progress.settle(job)

    def _settle_failed(self, job: Job, error: str) -> None:
        self.progress.failed += 1
        self.progress.failures.append((job.title, error))
        self.progress.settle(job)

    def _to_be_retried(self, job: Job) -> bool:
        """Whether a failure is older than this sweep and is to be tried again."""
        failure = job.failure() or {}
        return self.retry_failed and str(failure.get("created", "")) < self._begun

    def _stop(self) -> None:
        """Let what is at work keep what it has."""
        self.display.on_stop(self.progress)
        self.executor.stop()
        until = time.monotonic() + _GRACE
        while self.progress.current and time.monotonic() < until:
            self._listen()

    def _count(self) -> None:
        self.progress.waiting, self.progress.busy = len(self._waiting), len(self._busy)


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
    if workers is not None and workers < 1:
        raise ConfigError(f"jobs is {workers!r}, expected a whole number of at least 1")
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

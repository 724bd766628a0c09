"""A sweep at work: which run comes next, and what becomes of each."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from zoo.files import StorageError
from zoo.sweep import news
from zoo.sweep.display import Display
from zoo.sweep.executor import Executor
from zoo.sweep.failure import forget_failure, keep_failure, read_failure
from zoo.sweep.job import Job
from zoo.sweep.news import News
from zoo.sweep.state import State, look
from zoo.sweep.tally import Tally
from zoo.training.stop import StopRequest, StopSignals

TRIES = 2
"""How often a run is begun whose process dies."""

_GRACE = 60.0
_TICK = 0.25
_BUSY_TICK = 2.0


@dataclass(frozen=True)
class SweepResult:
    """What a sweep came to.

    Attributes:
        there: runs that were finished before.
        finished: runs computed now.
        failed: runs whose failure is kept.
        seconds: wall time.
        runs: folder of all runs.
        failures: title and one line of each failed run.
    """

    there: int
    finished: int
    failed: int
    seconds: float
    runs: Path
    failures: tuple[tuple[str, str], ...] = ()


class SweepStopped(KeyboardInterrupt):
    """Somebody stopped the sweep; the same command goes on.

    Attributes:
        exit_code: what the command line exits with: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = 128 + signal_number

    def __str__(self) -> str:
        return self.message


@dataclass
class Sweep:
    """Brings every job to its end.

    Args:
        jobs: the runs, in the order they are to be begun.
        costs: expected seconds of each, by path.
        executor: computes them.
        display: is told how it goes.
        runs: folder of all runs.
        workers: how many runs the executor computes at once.
        retry_failed: try again what failed before this sweep.

    Attributes:
        tally: how far it is.
    """

    jobs: list[Job]
    costs: Mapping[Path, float]
    executor: Executor
    display: Display
    runs: Path
    workers: int
    retry_failed: bool = False
    tally: Tally = field(init=False)
    _waiting: deque[Job] = field(default_factory=deque)
    _busy: deque[Job] = field(default_factory=deque)
    _tries: dict[Path, int] = field(default_factory=dict)
    _no_room: str | None = None
    _begun: str = ""
    _looked: float = 0.0

    def __post_init__(self) -> None:
        self.tally = Tally(total=len(self.jobs), workers=self.workers)

    def run(self) -> SweepResult:
        """Work until every run is finished or failed.

        Raises:
            StorageError: the disk is full; what is finished stays.
            SweepStopped: Ctrl-C, SIGTERM or SIGHUP.
            ZooError: the executor cannot work at all.
        """
        self._begun = datetime.now(UTC).isoformat()
        with StopSignals() as stop, self.display:
            try:
                self._sort()
                self.display.on_begin(self.tally)
                while self._open and stop.requested is None and self._no_room is None:
                    self._begin_some()
                    self._listen()
                if stop.requested is not None or self._no_room is not None:
                    self._stop()
            except StopRequest as again:
                stop.requested = again.signal_number
            finally:
                self.executor.close()
        if stop.requested is not None:
            cause = StopRequest(stop.requested).cause
            message = (
                f"{cause} came when {self.tally.done} of {self.tally.total} runs were done. The "
                "same command goes on; half-done runs are resumed"
            )
            raise SweepStopped(message, stop.requested)
        if self._no_room is not None:
            raise StorageError(
                f"{self._no_room}. {self.tally.done} of {self.tally.total} runs are done; make "
                "room and give the same command to go on"
            )
        tally = self.tally
        return SweepResult(
            there=tally.there,
            finished=tally.finished,
            failed=tally.failed,
            seconds=tally.seconds,
            runs=self.runs,
            failures=tuple(tally.failures),
        )

    @property
    def _open(self) -> bool:
        return bool(self._waiting or self._busy or self.tally.current)

    def _sort(self) -> None:
        """Put every job where it belongs as things stand."""
        for job in self.jobs:
            self.tally.expect(job, self.costs.get(job.path, 0.0))
            self._sort_one(job)
        self._count()

    def _sort_one(self, job: Job) -> bool:
        """Settle a job that needs nothing, put off one that is busy; whether it is to be begun."""
        state = look(job)
        if state is State.FINISHED:
            self._settle_there(job)
        elif state is State.FAILED and not self._to_be_retried(job):
            self._settle_failed_before(job)
        elif state is State.BUSY:
            self._busy.append(job)
        else:
            self._waiting.append(job)
            return True
        return False

    def _begin_some(self) -> None:
        now = time.monotonic()
        if self._busy and now - self._looked >= _BUSY_TICK and not self._waiting:
            self._looked = now
            for _ in range(len(self._busy)):
                self._sort_one(self._busy.popleft())
        while self._waiting and self.executor.free > 0:
            # another sweep may have been here since it was looked at
            if self._sort_one(self._waiting.popleft()):
                job = self._waiting.pop()
                self.tally.begin(job)
                self.executor.submit(job)
        self._count()

    def _listen(self) -> None:
        for job, told in self.executor.poll(_TICK):
            self._hear(job, told)
        self._count()
        self.display.on_tick(self.tally)

    def _hear(self, job: Job, told: News) -> None:
        if not told.is_end:
            self.tally.hear(job, told)
            return
        self.tally.end(job)
        try:
            self._end(job, told)
        except StorageError as error:
            self._no_room = str(error)

    def _end(self, job: Job, told: News) -> None:
        if told.kind == news.FINISHED:
            self.tally.finished += 1
            self.tally.settle(job, told.seconds)
            forget_failure(job)
            self.display.on_finished(self.tally, job, told)
        elif told.kind == news.THERE:
            self._settle_there(job)
        elif told.kind == news.BUSY:
            self._busy.append(job)
        elif told.kind == news.NO_ROOM:
            self._no_room = told.message
        elif told.kind == news.FAILED:
            self._fail(job, told.message, told.traceback)
        elif told.kind == news.LOST:
            self._tries[job.path] = self._tries.get(job.path, 1) + 1
            if self._tries[job.path] > TRIES:
                self._fail(job, f"its process {told.message}, twice", told.traceback)
            else:
                self._waiting.appendleft(job)
        else:  # again, or stopped
            self._waiting.appendleft(job)

    def _fail(self, job: Job, error: str, traceback: str) -> None:
        keep_failure(job, error, traceback)
        self.tally.failed += 1
        self.tally.failures.append((job.title, error))
        self.tally.settle(job)
        self.display.on_failed(self.tally, job, error)

    def _settle_there(self, job: Job) -> None:
        self.tally.there += 1
        self.tally.settle(job)

    def _settle_failed_before(self, job: Job) -> None:
        failure = read_failure(job) or {}
        self.tally.failed += 1
        self.tally.failures.append((job.title, str(failure.get("error"))))
        self.tally.settle(job)

    def _to_be_retried(self, job: Job) -> bool:
        """Whether a failure is older than this sweep and is to be tried again."""
        failure = read_failure(job) or {}
        return self.retry_failed and str(failure.get("created", "")) < self._begun

    def _stop(self) -> None:
        """Let what is at work keep what it has."""
        self.display.on_stop(self.tally)
        self.executor.stop()
        until = time.monotonic() + _GRACE
        while self.tally.current and time.monotonic() < until:
            self._listen()

    def _count(self) -> None:
        self.tally.waiting, self.tally.busy = len(self._waiting), len(self._busy)

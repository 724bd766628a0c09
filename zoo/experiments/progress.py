"""How far a sweep is: counts, what is at work, how long it will take, and who is told."""

import time
from dataclasses import dataclass, field

from zoo.experiments.events import Event
from zoo.experiments.job import Job


@dataclass
class RunAtWork:
    """A run at work.

    Attributes:
        job: the run.
        since: `time.monotonic` of its begin.
        epoch: epochs that are done.
        epochs: at most; 0 while the data are made ready.
        mad: on validation people after that epoch; None where unknown.
        first: epochs that were done at its first event, and when that was.
        last: `time.monotonic` of its last event.
    """

    job: Job
    since: float = field(default_factory=time.monotonic)
    epoch: int = 0
    epochs: int = 0
    mad: float | None = None
    first: tuple[int, float] | None = None
    last: float = 0.0

    def update(self, event: Event) -> None:
        """Take note of its epochs."""
        self.last = time.monotonic()
        self.epoch, self.epochs, self.mad = event.epoch, event.epochs, event.mad
        self.first = self.first or (event.epoch, self.last)

    @property
    def seconds_an_epoch(self) -> float | None:
        """So far; None before one is done."""
        if self.first is None or self.epoch <= self.first[0]:
            return None
        return (self.last - self.first[1]) / (self.epoch - self.first[0])


@dataclass
class Progress:
    """Counts of a sweep's runs; each is in exactly one of them or in `current`.

    Attributes:
        total: all runs.
        there: finished before this sweep or by another one meanwhile.
        finished: computed by this sweep.
        failed: failed now, or before and not tried again.
        waiting: not begun.
        busy: being written by another process.
        current: at work, by path.
        failures: title and one line of each failed run.
        workers: how many runs are computed at once.
        begun: `time.monotonic` of the beginning.
        ended: and of the end; None while it works.
    """

    total: int
    workers: int
    there: int = 0
    finished: int = 0
    failed: int = 0
    waiting: int = 0
    busy: int = 0
    current: dict[str, RunAtWork] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    ended: float | None = None
    _costs: dict[str, float] = field(default_factory=dict, repr=False)
    _open_cost: float = field(default=0.0, repr=False)
    _expected: float = field(default=0.0, repr=False)
    _taken: float = field(default=0.0, repr=False)

    @property
    def done(self) -> int:
        """Runs that need nothing more."""
        return self.there + self.finished + self.failed

    @property
    def seconds(self) -> float:
        """Wall time."""
        return (self.ended or time.monotonic()) - self.begun

    def expect(self, job: Job, cost: float) -> None:
        """`job` waits and is expected to take `cost` seconds."""
        self._costs[str(job.path)] = cost
        self._open_cost += cost

    def begin(self, job: Job) -> None:
        """`job` is at work."""
        self.current[str(job.path)] = RunAtWork(job)

    def update(self, job: Job, event: Event) -> None:
        """Something has happened to a run at work."""
        self.current[str(job.path)].update(event)

    def end(self, job: Job) -> None:
        """`job` is no longer at work."""
        self.current.pop(str(job.path), None)

    def settle(self, job: Job, seconds: float | None = None) -> None:
        """`job` needs nothing more; it took `seconds` where it was computed to its end."""
        cost = self._costs.pop(str(job.path), 0.0)
        self._open_cost -= cost
        if seconds is not None:
            self._expected += cost
            self._taken += seconds

    def seconds_left(self) -> float | None:
        """Wall time still expected, corrected by how the expectations have fared so far."""
        if not self._costs:
            return 0.0
        known, unknown = 0.0, self._open_cost
        expected, taken = self._expected, self._taken
        now = time.monotonic()
        for path, current in self.current.items():
            cost, each = self._costs.get(path, 0.0), current.seconds_an_epoch
            if each is None:
                unknown -= min(cost, now - current.since)
                continue
            known += max(0.0, (current.epochs - current.epoch) * each - (now - current.last))
            unknown -= cost
            expected += cost
            taken += current.epochs * each
        factor = taken / expected if expected > 0 else 1.0
        total = known + max(unknown, 0.0) * factor
        return total / max(1, min(self.workers, len(self._costs)))


class Display:
    """Is told how a sweep goes and says nothing; subclasses say it. Active as a context."""

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def on_begin(self, progress: Progress) -> None:
        """Everything was looked at; the first run is about to begin."""

    def on_tick(self, progress: Progress) -> None:
        """Some time has passed."""

    def on_finished(self, progress: Progress, job: Job, event: Event) -> None:
        """A run was computed to its end."""

    def on_failed(self, progress: Progress, job: Job, error: str) -> None:
        """A run failed now; its failure is kept."""

    def on_stop(self, progress: Progress) -> None:
        """The sweep ends early and waits for the runs at work to keep what they have."""

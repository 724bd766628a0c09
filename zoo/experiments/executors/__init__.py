"""Where runs are computed: what a sweep needs of it."""

from typing import Protocol

from zoo.experiments.events import Event
from zoo.experiments.job import Job


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

"""Who is told how a sweep goes."""

from zoo.experiments.events import Event
from zoo.experiments.job import Job
from zoo.experiments.progress import Progress


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

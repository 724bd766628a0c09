"""How a sweep goes, on a terminal and elsewhere."""

import time
from typing import TYPE_CHECKING

from zoo.cli.console import table
from zoo.experiments.events import Event
from zoo.experiments.job import Job
from zoo.experiments.progress import Display, Progress, RunAtWork
from zoo.words import duration, fixed

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

PLAIN_LINES = 20
"""About as many lines on progress are printed where the output is no terminal."""

_LONGEST_SILENCE = 600.0
_MOST_SHOWN = 16
_SECONDS_BETWEEN_PICTURES = 0.2


class PlainDisplay(Display):
    """Lines: every failure, and progress now and then, at the latest after ten minutes.

    Args:
        console: where to write.
    """

    def __init__(self, console: "Console") -> None:
        self.console = console
        self._shown = -1
        self._last = time.monotonic()

    def on_begin(self, progress: Progress) -> None:
        """Say how much there is to do."""
        self._print(_counts(progress))

    def on_finished(self, progress: Progress, job: Job, event: Event) -> None:
        """Say how far it is, at every twentieth of the whole and after a long silence."""
        step = progress.done * PLAIN_LINES // progress.total
        if step > self._shown or time.monotonic() - self._last > _LONGEST_SILENCE:
            self._shown = step
            mad = "" if event.mad is None else f", MAD {_error(job, event.mad)}"
            self._print(f"{_counts(progress)}; {job.title}{mad}, {duration(event.seconds)}")

    def on_tick(self, progress: Progress) -> None:
        """After a long silence, say how far the runs at work are."""
        if time.monotonic() - self._last > _LONGEST_SILENCE:
            self._print(
                "; ".join([_counts(progress), *map(_far, list(progress.current.values())[:3])])
            )

    def on_failed(self, progress: Progress, job: Job, error: str) -> None:
        """Name the run and the reason."""
        self._print(f"failed: {job.title}: {error}")

    def on_stop(self, progress: Progress) -> None:
        """Ask for patience."""
        self._print(f"stopping; {len(progress.current)} runs keep what they have …")

    def _print(self, text: str) -> None:
        self._last = time.monotonic()
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveDisplay(PlainDisplay):
    """A table on a terminal that shows what is at work; failures stay above it."""

    def __init__(self, console: "Console") -> None:
        super().__init__(console)
        self._live: Live | None = None
        self._drawn = 0.0

    def __enter__(self) -> "LiveDisplay":
        from rich.live import Live

        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def on_begin(self, progress: Progress) -> None:
        """Show the table."""
        self.on_tick(progress)

    def on_tick(self, progress: Progress) -> None:
        """Draw it anew, a few times a second at most."""
        now = time.monotonic()
        if self._live is not None and now - self._drawn >= _SECONDS_BETWEEN_PICTURES:
            self._drawn = now
            self._live.update(_picture(progress), refresh=True)

    def on_finished(self, progress: Progress, job: Job, event: Event) -> None:
        """The table shows it with the next tick."""


def _picture(progress: Progress) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    shown = table(
        "at work", "exercise", "protocol", "fold>", "seed>", "epoch>", "val. MAD>", "for>"
    )
    now = time.monotonic()
    for current in list(progress.current.values())[:_MOST_SHOWN]:
        config = current.job.config
        shown.add_row(
            current.job.model,
            current.job.exercise,
            str(config["protocol"]["name"]),
            str(config["fold"]),
            str(config["seed"]),
            f"{current.epoch}/{current.epochs}" if current.epochs else "…",
            "" if current.mad is None else _error(current.job, current.mad),
            duration(now - current.since),
        )
    return Group(Text(_counts(progress), style="bold"), shown)


def _far(current: RunAtWork) -> str:
    epochs = f"epoch {current.epoch} of {current.epochs}" if current.epochs else "getting ready"
    mad = "" if current.mad is None else f", validation MAD {_error(current.job, current.mad)}"
    return f"{current.job.title}: {epochs}{mad}"


def _error(job: Job, mad: float) -> str:
    return fixed(mad, job.digits)


def _counts(progress: Progress) -> str:
    """Such as ``12/40 done (1 failed, 5 from before), 2 at work, 26 waiting, about 3 min left``."""
    notes = []
    if progress.failed:
        notes.append(f"{progress.failed} failed")
    if progress.there:
        notes.append(f"{progress.there} there already")
    text = f"{progress.done}/{progress.total} done"
    if notes:
        text += f" ({', '.join(notes)})"
    for count, what in ((len(progress.current), "at work"), (progress.waiting, "waiting"),
                        (progress.busy, "busy in another process")):  # fmt: skip
        if count:
            text += f", {count} {what}"
    left = progress.seconds_left()
    if left:
        text += f", about {duration(left)} left"
    return text

"""Who is told how a sweep goes."""

import time
from typing import TYPE_CHECKING

from zoo.cli.console import table
from zoo.sweep.job import Job
from zoo.sweep.news import News
from zoo.sweep.tally import Current, Tally
from zoo.words import duration, fixed

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

PLAIN_LINES = 20
"""About as many lines on progress are printed where the output is no terminal."""

_LONGEST_SILENCE = 600.0
_MOST_SHOWN = 16
_SECONDS_BETWEEN_PICTURES = 0.2


class Display:
    """Takes the news of a sweep and says nothing; subclasses say it. Active as a context."""

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def on_begin(self, tally: Tally) -> None:
        """Everything was looked at; the first run is about to begin."""

    def on_tick(self, tally: Tally) -> None:
        """Some time has passed."""

    def on_finished(self, tally: Tally, job: Job, told: News) -> None:
        """A run was computed to its end."""

    def on_failed(self, tally: Tally, job: Job, error: str) -> None:
        """A run failed now; its failure is kept."""

    def on_stop(self, tally: Tally) -> None:
        """The sweep ends early and waits for the runs at work to keep what they have."""


class PlainDisplay(Display):
    """Lines: every failure, and progress now and then, at the latest after ten minutes.

    Args:
        console: where to write.
    """

    def __init__(self, console: "Console") -> None:
        self.console = console
        self._shown = -1
        self._last = time.monotonic()

    def on_begin(self, tally: Tally) -> None:
        """Say how much there is to do."""
        self._print(_counts(tally))

    def on_finished(self, tally: Tally, job: Job, told: News) -> None:
        """Say how far it is, at every twentieth of the whole and after a long silence."""
        step = tally.done * PLAIN_LINES // tally.total
        if step > self._shown or time.monotonic() - self._last > _LONGEST_SILENCE:
            self._shown = step
            mad = "" if told.mad is None else f", MAD {_error(job, told.mad)}"
            self._print(f"{_counts(tally)}; {job.title}{mad}, {duration(told.seconds)}")

    def on_tick(self, tally: Tally) -> None:
        """After a long silence, say how far the runs at work are."""
        if time.monotonic() - self._last > _LONGEST_SILENCE:
            self._print("; ".join([_counts(tally), *map(_far, list(tally.current.values())[:3])]))

    def on_failed(self, tally: Tally, job: Job, error: str) -> None:
        """Name the run and the reason."""
        self._print(f"failed: {job.title}: {error}")

    def on_stop(self, tally: Tally) -> None:
        """Ask for patience."""
        self._print(f"stopping; {len(tally.current)} runs keep what they have …")

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

    def on_begin(self, tally: Tally) -> None:
        """Show the table."""
        self.on_tick(tally)

    def on_tick(self, tally: Tally) -> None:
        """Draw it anew, a few times a second at most."""
        now = time.monotonic()
        if self._live is not None and now - self._drawn >= _SECONDS_BETWEEN_PICTURES:
            self._drawn = now
            self._live.update(_picture(tally), refresh=True)

    def on_finished(self, tally: Tally, job: Job, told: News) -> None:
        """The table shows it with the next tick."""


def _picture(tally: Tally) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    shown = table(
        "at work", "exercise", "protocol", "fold>", "seed>", "epoch>", "val. MAD>", "for>"
    )
    now = time.monotonic()
    for current in list(tally.current.values())[:_MOST_SHOWN]:
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
    return Group(Text(_counts(tally), style="bold"), shown)


def _far(current: Current) -> str:
    epochs = f"epoch {current.epoch} of {current.epochs}" if current.epochs else "getting ready"
    mad = "" if current.mad is None else f", validation MAD {_error(current.job, current.mad)}"
    return f"{current.job.title}: {epochs}{mad}"


def _error(job: Job, mad: float) -> str:
    return fixed(mad, job.digits)


def _counts(tally: Tally) -> str:
    """Such as ``12/40 done (1 failed, 5 from before), 2 at work, 26 waiting, about 3 min left``."""
    notes = []
    if tally.failed:
        notes.append(f"{tally.failed} failed")
    if tally.there:
        notes.append(f"{tally.there} there already")
    text = f"{tally.done}/{tally.total} done"
    if notes:
        text += f" ({', '.join(notes)})"
    for count, what in ((len(tally.current), "at work"), (tally.waiting, "waiting"),
                        (tally.busy, "busy in another process")):  # fmt: skip
        if count:
            text += f", {count} {what}"
    left = tally.seconds_left()
    if left:
        text += f", about {duration(left)} left"
    return text

"""Who is told how the training goes."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.runs.record import PartCounts
from zoo.words import duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

PLAIN_LINES = 15
"""Most epochs that are printed where the output is no terminal."""


@dataclass(frozen=True)
class EpochRow:
    """What is remembered of one epoch.

    Attributes:
        epoch: from 1.
        lr: learning rate.
        loss: mean training loss in standardised units; None for a closed-form fit.
        validation_mad: in score units, per recording; None without a validation part.
        seconds: wall time.
    """

    epoch: int
    lr: float
    loss: float | None
    validation_mad: float | None
    seconds: float


@dataclass(frozen=True)
class RunStart:
    """What is known when the training begins.

    Attributes:
        title: such as ``d2sta on synthetic/5, person-kfold fold 0, seed 0``.
        parameters: trainable numbers of the model.
        counts: samples, recordings and persons by part.
        device: where it is computed.
        epochs: how many there will be.
        done: how many are done already, by the run that is resumed.
    """

    title: str
    parameters: int
    counts: Mapping[str, PartCounts]
    device: str
    epochs: int
    done: int = 0


class Reporter:
    """Is told how a training goes and says nothing; subclasses say it."""

    def on_start(self, start: RunStart) -> None:
        """The data are ready, the first epoch is about to begin.

        Called twice where a protocol chooses the epoch in one training and tests another.
        """

    def on_epoch(self, row: EpochRow) -> None:
        """An epoch is done."""

    def on_note(self, text: str) -> None:
        """Something the user should read, such as a warning of leakage."""

    def on_end(self) -> None:
        """The training is over, finished or not; always called last."""


class RichReporter(Reporter):
    """A progress bar on a terminal; elsewhere plain lines, at most about twenty a run.

    Args:
        console: where to write; standard error if None.
    """

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console

        self.console = console or Console(stderr=True)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._start = RunStart("", 0, {}, "", 0)
        self._begun = 0.0
        self._best: float | None = None

    def on_start(self, start: RunStart) -> None:
        """Say what is trained on what, and show the bar."""
        self.on_end()  # of the training before this one
        self._start, self._best = start, None
        self._begun = time.monotonic()
        counts = ", ".join(
            f"{part} {n.samples} samples of {n.persons} people" for part, n in start.counts.items()
        )
        many = "s" * (start.parameters != 1)
        self._print(f"{start.title}: {start.parameters:,} parameter{many} on {start.device}")
        self._print(counts)
        if start.done:
            self._print(f"going on after epoch {start.done} of {start.epochs}")
        if self.console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._progress = Progress(
                TextColumn("epoch"),
                MofNCompleteColumn(),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[said]}"),
                TextColumn("[dim]{task.fields[left]} left"),
                console=self.console,
            )
            self._task = self._progress.add_task(
                "training", total=start.epochs, completed=start.done, said="", left="?"
            )
            self._progress.start()

    def on_epoch(self, row: EpochRow) -> None:
        """Move the bar, or print a line now and then."""
        mad = row.validation_mad
        if mad is not None and (self._best is None or mad < self._best):
            self._best = mad
        said = "" if row.loss is None else f"loss {row.loss:.4f}"
        if mad is not None:
            said += f"{', ' if said else ''}validation MAD {mad:.3f} (best {self._best:.3f})"
        left = self._time_left(row.epoch)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=row.epoch, said=said, left=left)
            return
        every = max(1, math.ceil(self._start.epochs / PLAIN_LINES))
        if row.epoch % every == 0 or row.epoch in (1, self._start.epochs):
            ending = f", {left} left" if row.epoch < self._start.epochs else ""
            self._print(f"epoch {row.epoch}/{self._start.epochs}: {said}{ending}")

    def on_note(self, text: str) -> None:
        """Print the note; names in it are never taken for markup."""
        self._print(text)

    def on_end(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _time_left(self, epoch: int) -> str:
        done = epoch - self._start.done
        seconds = (time.monotonic() - self._begun) / max(done, 1) * (self._start.epochs - epoch)
        return duration(seconds)

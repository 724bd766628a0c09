"""Computing one run of a sweep, wherever it is computed."""

import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from zoo.errors import CheckpointError, UserError
from zoo.experiments import events
from zoo.experiments.events import Event
from zoo.experiments.job import Job, State, look
from zoo.files import BusyError, StorageError
from zoo.training.report import EpochRow, Reporter, RunStart
from zoo.training.source import model_source, source_hash
from zoo.training.stop import TrainingStopped
from zoo.workspace import Workspace

_SECONDS_BETWEEN_EPOCHS = 0.3


def compute(
    workspace: Workspace, config: Mapping[str, Any], tell: Callable[[Event], None]
) -> Event:
    """The run of `config`, resumed, begun or taken as it is; how it ended.

    Whatever goes wrong with the run is told, not raised.

    Raises:
        KeyboardInterrupt: asked to stop before the training had begun.
    """
    begun = time.monotonic()
    try:
        return _compute(workspace, config, tell)
    except TrainingStopped as stopped:
        return Event(events.STOPPED, epoch=stopped.epoch, message=stopped.message)
    except StorageError as error:
        return Event(events.NO_ROOM, message=str(error))
    except BusyError as error:
        return Event(events.BUSY, message=str(error))
    except Exception as error:
        name = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        return Event(
            events.FAILED,
            message=f"{name}{error}".partition("\n")[0],
            traceback=traceback.format_exc(),
            seconds=time.monotonic() - begun,
        )


def _compute(
    workspace: Workspace, config: Mapping[str, Any], tell: Callable[[Event], None]
) -> Event:
    model = workspace.open(config).build()
    source = model_source(config["model"]["name"], model)
    if source.sha256 != source_hash(type(model)):
        return Event(events.AGAIN)
    job = Job.of(config, workspace, source)
    state = look(job)
    if state is State.FINISHED:
        return Event(events.THERE)
    if state is State.BUSY:
        return Event(events.BUSY)
    train = partial(workspace.run, config, reporter=_EpochEvents(tell))
    try:
        run = train(overwrite=True) if state is State.STALE else train(resume=True)
    except CheckpointError:
        if state is not State.HALF_DONE:
            raise
        run = train(overwrite=True)  # what was kept is damaged
    return Event(events.FINISHED, mad=run.test["mad"], seconds=sum(run.record.durations.values()))


class _EpochEvents(Reporter):
    """Passes on how a training goes, but not every quick epoch."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._epochs = 0
        self._last = 0.0

    def on_start(self, start: RunStart) -> None:
        self._epochs = start.epochs
        self._tell(Event(events.STARTED, epoch=start.done, epochs=start.epochs))

    def on_epoch(self, row: EpochRow) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_EPOCHS:
            self._last = now
            self._tell(
                Event(events.EPOCH, epoch=row.epoch, epochs=self._epochs, mad=row.validation_mad)
            )

"""Computing one run of a sweep, wherever it is computed."""

import json
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.data.samples import SampleSet
from zoo.errors import CheckpointError, UserError
from zoo.experiments import events
from zoo.experiments.datasets import Datasets
from zoo.experiments.events import Event
from zoo.experiments.job import Code, Job
from zoo.experiments.state import State, look
from zoo.protocol.protocol import FoldData
from zoo.runs.files import StorageError
from zoo.runs.lock import RunBusyError
from zoo.runs.run import RunResult
from zoo.session import Session
from zoo.training.outcome import model_source, source_hash
from zoo.training.report import EpochRow, Reporter, RunStart
from zoo.training.run import run_key, train_run
from zoo.training.stop import TrainingStopped

MOST_BYTES = 300_000_000
"""Samples a process keeps for further runs."""

_SECONDS_BETWEEN_EPOCHS = 0.3


class Workshop:
    """Computes runs one after the other and keeps opened datasets and samples between them.

    Args:
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.
    """

    def __init__(self, runs: Path, data_root: Path | None = None) -> None:
        self.runs = runs
        self._datasets = Datasets(data_root)
        self._samples: OrderedDict[str, SampleSet] = OrderedDict()

    def compute(self, config: Mapping[str, Any], tell: Callable[[Event], None]) -> Event:
        """The run of `config`, resumed, begun or taken as it is; how it ended.

        Whatever goes wrong with the run is told, not raised.

        Raises:
            KeyboardInterrupt: asked to stop before the training had begun.
        """
        begun = time.monotonic()
        try:
            return self._compute(config, tell)
        except TrainingStopped as stopped:
            return Event(events.STOPPED, epoch=stopped.epoch, message=stopped.message)
        except StorageError as error:
            return Event(events.NO_ROOM, message=str(error))
        except RunBusyError as error:
            return Event(events.BUSY, message=str(error))
        except Exception as error:
            name = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            return Event(
                events.FAILED,
                message=f"{name}{error}".partition("\n")[0],
                traceback=traceback.format_exc(),
                seconds=time.monotonic() - begun,
            )

    def _compute(self, config: Mapping[str, Any], tell: Callable[[Event], None]) -> Event:
        session = Session.open(
            dict(config), self._datasets.root, self._datasets.chosen(config["dataset"])
        )
        model = session.build()
        source = model_source(config["model"]["name"], model)
        if source["sha256"] != source_hash(type(model)):
            return Event(events.AGAIN)
        key = run_key(config, session.dataset, session.protocol.hash())
        job = Job(config, key.path(self.runs), key.hash, key.title, Code.now(source))
        state = look(job)
        if state is State.FINISHED:
            return Event(events.THERE)
        if state is State.BUSY:
            return Event(events.BUSY)
        data = self._fold(session, int(config["fold"]))

        def train(overwrite: bool) -> RunResult:
            return train_run(
                session.build,
                data,
                config,
                dataset=session.dataset,
                runs=self.runs,
                resume=not overwrite,
                overwrite=overwrite,
                reporter=_Teller(tell),
            )

        try:
            run = train(overwrite=state is State.STALE)
        except CheckpointError:
            if state is not State.HALF_DONE:
                raise
            run = train(overwrite=True)  # what was kept is damaged
        return Event(
            events.FINISHED, mad=run.test["mad"], seconds=sum(run.record["durations"].values())
        )

    def _fold(self, session: Session, fold: int) -> FoldData:
        """A fold on samples that were made before, where they are the same."""
        config = session.config
        name = json.dumps(
            [config["dataset"], config["protocol"], session.streams, session.raw], sort_keys=True
        )
        session.samples = self._samples.pop(name, None)
        data = session.fold(fold)
        if session.samples is not None:
            self._samples[name] = session.samples
        while len(self._samples) > 1 and sum(map(_size, self._samples.values())) > MOST_BYTES:
            self._samples.popitem(last=False)
        return data


def _size(samples: SampleSet) -> int:
    return sum(stream.nbytes for stream in samples.streams.values())


class _Teller(Reporter):
    """Passes the news of a training on, but not every quick epoch."""

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

"""What a machine of a cluster does: one run in a folder of its own, sent back as bytes."""

import inspect
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry import MODELS
from zoo.errors import UserError
from zoo.experiments import events
from zoo.experiments.events import Event
from zoo.experiments.executors.payload import Files, Payload, read_files, write_files
from zoo.experiments.job import Job
from zoo.experiments.work import compute
from zoo.runs.environment import ZOO, versions
from zoo.runs.folder import RESUME
from zoo.training.source import source_hash
from zoo.workspace import Workspace


@dataclass(frozen=True)
class Order:
    """A run to be computed elsewhere.

    Attributes:
        job: the run, with its place on the machine that orders it.
        place: of the run, relative to the folder of runs.
        kept: the files it is to be resumed from; none begins it.
    """

    job: Job
    place: Path
    kept: Files = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """What came of it.

    Attributes:
        ending: how it ended.
        finished: every file of the finished run, or none.
        kept: the files a stopped run can be resumed from, or none.
        refused: why this machine cannot compute for the other; empty where it can.
        host: name of this machine.
    """

    ending: Event
    finished: Files = field(default_factory=dict)
    kept: Files = field(default_factory=dict)
    refused: str = ""
    host: str = field(default_factory=socket.gethostname)


class NodeProcess:
    """A process on some machine, made ready for the runs of one sweep."""

    def __init__(self, payload: Payload, fetch: Callable[[Any], Files]) -> None:
        self._room = tempfile.TemporaryDirectory(prefix="skeleton-zoo-")
        room = Path(self._room.name)
        self._workspace = Workspace(room / "runs", payload.unpack(room, fetch))

    def compute(self, order: Order) -> Delivery:
        """Compute one run and take it out of the room."""
        refused = _objection(order.job)
        if refused:
            return Delivery(Event(events.AGAIN), refused=refused)
        path = self._workspace.runs / order.place
        partial = path.with_name(f"{path.name}.partial")
        if order.kept:
            write_files(partial, order.kept)
        try:
            ending = compute(self._workspace, order.job.config, lambda event: None)
        except KeyboardInterrupt:
            ending = Event(events.STOPPED)
        finished = read_files(path) if ending.kind == events.FINISHED else {}
        kept = read_files(partial, f"{Path(RESUME).stem}*") if ending.kind == events.STOPPED else {}
        return Delivery(ending, finished, kept)


def _objection(job: Job) -> str:
    """Why runs computed here would not be what was ordered."""
    here = versions()[ZOO]
    if here != job.code.version:
        return f"it has {ZOO} {here}, this machine has {job.code.version}: install the same"
    try:
        model = MODELS.get(job.model).load()
    except UserError as error:
        return str(error)
    if inspect.isclass(model) and source_hash(model) != job.code.source.sha256:
        return f"it has other code of the model {job.model}: install the same there"
    return ""

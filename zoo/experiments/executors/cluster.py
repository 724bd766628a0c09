"""The executor of a Ray cluster: each run is computed on some machine and sent to the one store.

The ordering process holds a run's lock from the moment the run is ordered until it is in its place,
so that sweeps share a store whatever they are computed on. The machine that computes it does so in
a folder of its own, and sends the files back.
"""

import inspect
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from registry import MODELS
from zoo.build import to_plain
from zoo.errors import ConfigError, UserError, ZooError
from zoo.experiments import events
from zoo.experiments.events import Event
from zoo.experiments.executors.payload import Files, Payload, read_files, write_files
from zoo.experiments.executors.setup import Setup
from zoo.experiments.job import Job, State, look
from zoo.experiments.plan import Plan
from zoo.experiments.work import compute
from zoo.files import BusyError, StorageError, write_atomically
from zoo.runs.environment import ZOO, versions
from zoo.runs.folder import RECORD, RESUME, RunFolder, Start
from zoo.training.source import source_hash
from zoo.workspace import Workspace

_LOOK_AGAIN = 2.0


class RayExecutor:
    """Runs jobs as tasks of one CPU each on a Ray cluster.

    Args:
        plan: all runs.
        address: of the cluster's head; None for the one that Ray finds, or this machine alone.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers.
    """

    def __init__(self, plan: Plan, address: str | None = None) -> None:
        self._ray = _ray()
        self._own = not self._ray.is_initialized()
        if self._own:
            try:
                self._ray.init(address=address, log_to_driver=False, logging_level="ERROR")
            except (ConnectionError, ValueError) as error:
                raise ConfigError(f"no Ray cluster at {address}: {error}") from None
        setup = Setup.of_this_process(plan.runs, plan.data_root, {job.model for job in plan.jobs})
        sessions = (group.session for group in plan.groups)
        self._payload = self._ray.put(Payload.pack(setup, sessions, self._ray.put))
        self._task = self._ray.remote(num_cpus=1, max_retries=0)(_compute)
        self._at_work: dict[Any, tuple[Job, RunFolder]] = {}
        self._events: list[tuple[Job, Event]] = []
        self._stopping = False
        self._cpus, self._looked = 0, 0.0

    @property
    def cpus(self) -> int:
        """Processors of the cluster at this moment."""
        now = time.monotonic()
        if now - self._looked > _LOOK_AGAIN:
            self._cpus, self._looked = int(self._ray.cluster_resources().get("CPU", 0)), now
        return self._cpus

    @property
    def free(self) -> int:
        """Processors without a run."""
        return 0 if self._stopping else max(0, self.cpus - len(self._at_work) - len(self._events))

    def submit(self, job: Job) -> None:
        """Take the run's lock and order it."""
        folder = RunFolder(job.path)
        stale = look(job) is State.STALE
        try:
            start = folder.begin(resume=not stale, overwrite=stale)
        except BusyError as error:
            self._events.append((job, Event(events.BUSY, message=str(error))))
            return
        except StorageError as error:
            self._events.append((job, Event(events.NO_ROOM, message=str(error))))
            return
        if start is Start.FINISHED:
            self._events.append((job, Event(events.THERE)))
            return
        kept = read_files(job.partial, _KEPT) if start is Start.RESUME else {}
        # in a list, for Ray would fetch the payload anew with every task
        self._at_work[self._task.remote([self._payload], job, kept)] = job, folder

    def poll(self, seconds: float) -> list[tuple[Job, Event]]:
        """What has come back.

        Raises:
            ZooError: a machine of the cluster cannot compute for this one.
        """
        found, self._events = self._events, []
        if found or not self._at_work:
            time.sleep(0 if found else seconds)
            return found
        refs = list(self._at_work)
        done, _ = self._ray.wait(refs, num_returns=len(refs), timeout=seconds)
        return [self._received(ref) for ref in done]

    def stop(self) -> None:
        """Cancel what is at work; what it has computed comes back."""
        self._stopping = True
        for ref in self._at_work:
            self._ray.cancel(ref)

    def close(self) -> None:
        """Give up what is left, and leave the cluster."""
        self._stopping = True
        for ref, (_, folder) in self._at_work.items():
            self._ray.cancel(ref, force=True)
            folder.end()
        self._at_work.clear()
        if self._own:
            self._ray.shutdown()

    def _received(self, ref: Any) -> tuple[Job, Event]:
        job, folder = self._at_work.pop(ref)
        try:
            return job, self._ending(ref, job, folder)
        except StorageError as error:
            return job, Event(events.NO_ROOM, message=str(error))
        finally:
            folder.end()

    def _ending(self, ref: Any, job: Job, folder: RunFolder) -> Event:
        errors = self._ray.exceptions
        ending: Event
        files: Files
        try:
            ending, files = self._ray.get(ref)
        except (errors.TaskCancelledError, KeyboardInterrupt):
            return Event(events.STOPPED)
        except (errors.NodeDiedError, errors.ObjectLostError, errors.OwnerDiedError) as error:
            return Event(events.AGAIN, message=_first_line(error))
        except errors.RayTaskError as error:
            if isinstance(error.cause, ZooError):
                raise error.cause from None
            raise ZooError(
                f"a machine of the cluster cannot compute runs: {_first_line(error.cause)}. Is "
                "skeleton-zoo installed there?"
            ) from error
        except errors.RayError as error:
            return Event(events.LOST, message=f"on the cluster died: {_first_line(error)}")
        if ending.kind == events.FINISHED:
            record = json.loads(files.pop(RECORD))
            source, wanted = record["model"]["source"], to_plain(job.code.source)
            if source["sha256"] == wanted["sha256"]:
                record["model"]["source"] = wanted  # a plug-in lay in another folder there
            folder.finish(files, record)
        else:  # what a stopped run is resumed from: the tensors, then what points at them
            for name in sorted(files, key=lambda name: name == RESUME):
                write_atomically(job.partial / name, files[name])
        return ending


_KEPT = f"{Path(RESUME).stem}*"


class NodeProcess:
    """A process on some machine, made ready for the runs of one sweep."""

    def __init__(self, payload: Payload, fetch: Callable[[Any], Files]) -> None:
        self._room = tempfile.TemporaryDirectory(prefix="skeleton-zoo-")
        self._runs_there = payload.setup.runs
        room = Path(self._room.name)
        self._workspace = Workspace(room / "runs", payload.unpack(room, fetch))

    def compute(self, job: Job, kept: Files) -> tuple[Event, Files]:
        """Compute one run and take it out of the room.

        Args:
            job: the run, with its place on the machine that orders it.
            kept: the files it is to be resumed from; none begins it.

        Returns:
            How it ended, and every file of the finished run, or those that a stopped one can be
            resumed from.

        Raises:
            ZooError: runs computed here would not be what was ordered.
        """
        refused = _objection(job)
        if refused:
            raise ZooError(f"{socket.gethostname()} cannot compute for this machine: {refused}")
        path = self._workspace.runs / job.path.relative_to(self._runs_there)
        partial = path.with_name(job.partial.name)
        if kept:
            write_files(partial, kept)
        try:
            ending = compute(self._workspace, job.config, lambda event: None)
        except KeyboardInterrupt:
            ending = Event(events.STOPPED)
        if ending.kind == events.FINISHED:
            return ending, read_files(path)
        return ending, read_files(partial, _KEPT) if ending.kind == events.STOPPED else {}


def _compute(payload: list[Any], job: Job, kept: Files) -> tuple[Event, Files]:
    """The task: runs on some machine of the cluster."""
    return _process(payload[0]).compute(job, kept)


@cache
def _process(payload: Any) -> NodeProcess:
    """This process, made ready once for a sweep."""
    ray = _ray()
    return NodeProcess(ray.get(payload), ray.get)


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


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "Ray is not installed: pip install 'skeleton-zoo[ray]', here and on every machine of "
            "the cluster"
        ) from None
    return ray


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]

"""The executor of a Ray cluster: each run is computed on some machine and sent to the one store.

This process holds a run's lock from the moment the run is ordered until it is in its place, so
that sweeps share a store whatever they are computed on.
"""

import json
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from zoo.build import to_plain
from zoo.errors import ConfigError, ZooError
from zoo.experiments import events
from zoo.experiments.events import Event
from zoo.experiments.executors.node import Delivery, NodeProcess, Order
from zoo.experiments.executors.payload import Payload, read_files
from zoo.experiments.executors.setup import Setup
from zoo.experiments.job import Job, State, look
from zoo.experiments.plan import Plan
from zoo.files import BusyError, StorageError, write_atomically
from zoo.runs.folder import RECORD, RESUME, RunFolder, Start

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
        self._luggage = self._ray.put(Payload.pack(setup, sessions, self._ray.put))
        self._task = self._ray.remote(num_cpus=1, max_retries=0)(_compute)
        self._runs = plan.runs
        self._at_work: dict[Any, _Ordered] = {}
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
        order = Order(job, job.path.relative_to(self._runs), kept)
        # in a list, for Ray would fetch the payload anew with every task
        self._at_work[self._task.remote([self._luggage], order)] = _Ordered(job, folder)

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
        for ref, ordered in self._at_work.items():
            self._ray.cancel(ref, force=True)
            ordered.folder.end()
        self._at_work.clear()
        if self._own:
            self._ray.shutdown()

    def _received(self, ref: Any) -> tuple[Job, Event]:
        ordered = self._at_work.pop(ref)
        try:
            return ordered.job, self._ending(ref, ordered)
        except StorageError as error:
            return ordered.job, Event(events.NO_ROOM, message=str(error))
        finally:
            ordered.folder.end()

    def _ending(self, ref: Any, ordered: "_Ordered") -> Event:
        errors = self._ray.exceptions
        try:
            delivery: Delivery = self._ray.get(ref)
        except (errors.TaskCancelledError, KeyboardInterrupt):
            return Event(events.STOPPED)
        except (errors.NodeDiedError, errors.ObjectLostError, errors.OwnerDiedError) as error:
            return Event(events.AGAIN, message=_first_line(error))
        except errors.RayTaskError as error:
            raise ZooError(
                f"a machine of the cluster cannot compute runs: {_first_line(error.cause)}. Is "
                "skeleton-zoo installed there?"
            ) from error
        except errors.RayError as error:
            return Event(events.LOST, message=f"on the cluster died: {_first_line(error)}")
        if delivery.refused:
            raise ZooError(f"{delivery.host} cannot compute for this machine: {delivery.refused}")
        if delivery.finished:
            _put_in_place(ordered, delivery)
        elif delivery.kept:
            _keep(ordered.job, delivery)
        return delivery.ending


@dataclass(frozen=True)
class _Ordered:
    job: Job
    folder: RunFolder


_KEPT = f"{Path(RESUME).stem}*"


def _put_in_place(ordered: _Ordered, delivery: Delivery) -> None:
    files = dict(delivery.finished)
    record = json.loads(files.pop(RECORD))
    source, wanted = record["model"]["source"], to_plain(ordered.job.code.source)
    if source["sha256"] == wanted["sha256"]:
        record["model"]["source"] = wanted  # a plug-in lay in another folder there
    ordered.folder.finish(files, record)


def _keep(job: Job, delivery: Delivery) -> None:
    """Put down what a stopped run is resumed from: the tensors, then what points at them."""
    for name in sorted(delivery.kept, key=lambda name: name == RESUME):
        write_atomically(job.partial / name, delivery.kept[name])


def _compute(payload: list[Any], order: Order) -> Delivery:
    """The task: runs on some machine of the cluster."""
    return _process(payload[0]).compute(order)


@cache
def _process(payload: Any) -> NodeProcess:
    """This process, made ready once for a sweep."""
    ray = _ray()
    return NodeProcess(ray.get(payload), ray.get)


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

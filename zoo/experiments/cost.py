"""What runs will cost: from recorded durations where there are any, else from their size."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch

from zoo.errors import DataError, UserError
from zoo.experiments.plan import Group, Plan
from zoo.files import path_part
from zoo.nn.model import contract_of
from zoo.runs.folder import RECORD
from zoo.runs.record import RunRecord, read_record, settings_of
from zoo.training.cost import count_flops
from zoo.workspace import Session

FLOPS_PER_SECOND = 40e9
"""Of one core in training, where no run tells better.

A server's core of 2023 reached 9 to 93 with the zoo's networks, small and full, in batches of 8
and 32.
"""

_OVERHEAD = 0.5
_RECORDS_PER_FOLDER = 5


def expected_costs(plan: Plan) -> dict[Path, float]:
    """Expected seconds of every job, by its path."""
    costs = _Costs(plan)
    return {
        job.path: seconds
        for group in plan.groups
        for seconds in [costs.of(group)]
        for job in group.jobs
    }


@dataclass
class _Costs:
    plan: Plan
    _by_model: dict[str, list[RunRecord]] = field(default_factory=dict)
    _speed: float | None = None

    def of(self, group: Group) -> float:
        """Seconds of each run of a group."""
        if not group.jobs:
            return 0.0
        job, session = group.jobs[0], group.session
        same = settings_of(job.config["model"], {}, None)
        known = [
            record
            for record in self._recorded(job.model)
            if settings_of(record.model.params, {}, None) == same
        ]
        place = (*(job.config[kind]["name"] for kind in ("dataset", "protocol")), job.exercise)
        here = [
            _seconds(record)
            for record in known
            if (record.dataset.name, record.protocol.name, record.dataset.exercise) == place
        ]
        if here:
            return median(here)
        closed_form = contract_of(session.build()).closed_form
        epochs = 1 if closed_form else int(job.config["trainer"]["epochs"])
        work = _sample_count(session) * epochs
        if known:
            return median(_seconds(record) * work / _work(record) for record in known)
        flops = None if closed_form else _flops(session)
        return _OVERHEAD + (0 if flops is None else 3 * flops * work / self._flops_per_second())

    def _recorded(self, model: str) -> list[RunRecord]:
        if model not in self._by_model:
            self._by_model[model] = list(_records(self.plan.runs, model))
        return self._by_model[model]

    def _flops_per_second(self) -> float:
        """Of this machine in training; a step is a pass forward and two backward."""
        if self._speed is None:
            speeds = [
                3 * record.model.flops * _work(record) / _seconds(record)
                for model in sorted({job.model for job in self.plan.jobs})
                for record in self._recorded(model)
                if record.model.flops and _seconds(record) > 5
            ]
            self._speed = median(speeds) if speeds else FLOPS_PER_SECOND
        return self._speed


def _records(runs: Path, model: str) -> Iterator[RunRecord]:
    """The records of a few finished runs from every folder of a model."""
    for folder in sorted(runs.glob(f"*/*/*/{path_part(model)}")):
        files = sorted(folder.glob(f"*/{RECORD}"))
        for file in files[:: max(1, len(files) // _RECORDS_PER_FOLDER)]:
            with contextlib.suppress(DataError):  # damaged: it tells nothing
                yield read_record(file.parent)


def _seconds(record: RunRecord) -> float:
    return sum(record.durations.values())


def _work(record: RunRecord) -> float:
    """Samples × epochs."""
    return max(1.0, float(record.counts["train"].samples * record.epochs.trained))


def _sample_count(session: Session) -> float:
    """Training samples, about."""
    return len(session.dataset) * len(_one_recording(session)) * 0.7


def _one_recording(session: Session) -> Any:
    first = list(itertools.islice(session.dataset, 1))
    return session.protocol.samples(first, session.streams, raw=session.raw)


def _flops(session: Session) -> int | None:
    """Operations of one sequence forward, counted on the first recording."""
    try:
        samples = _one_recording(session)
        return count_flops(session.build(), samples.batch(torch.tensor([0])))
    except (UserError, RuntimeError):
        return None

"""What runs will cost: from recorded durations where there are any, else from their size."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from statistics import median

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
    models = sorted({job.model for job in plan.jobs})
    records = {model: list(_records(plan.runs, model)) for model in models}
    speeds = [
        3 * record.model.flops * _work(record) / _seconds(record)
        for known in records.values()
        for record in known
        if record.model.flops and _seconds(record) > 5
    ]
    speed = median(speeds) if speeds else FLOPS_PER_SECOND
    costs: dict[Path, float] = {}
    for group in plan.groups:
        if group.jobs:
            seconds = _cost(group, records[group.jobs[0].model], speed)
            costs |= dict.fromkeys((job.path for job in group.jobs), seconds)
    return costs


def _cost(group: Group, records: list[RunRecord], speed: float) -> float:
    """Seconds of each run of a group.

    Args:
        group: the runs.
        records: of finished runs of the same model.
        speed: operations a second of this machine in training; a step is a pass forward and two
            backward.
    """
    job, session = group.jobs[0], group.session
    same = settings_of(job.config["model"], {}, None)
    known = [record for record in records if settings_of(record.model.params, {}, None) == same]
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
    work = len(session.dataset) * len(session.first_samples()) * 0.7 * epochs  # samples, about
    if known:
        return median(_seconds(record) * work / _work(record) for record in known)
    flops = None if closed_form else _flops(session)
    return _OVERHEAD + (0 if flops is None else 3 * flops * work / speed)


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


def _flops(session: Session) -> int | None:
    """Operations of one sequence forward, counted on the first recording."""
    try:
        return count_flops(session.build(), session.first_samples().batch(torch.tensor([0])))
    except (UserError, RuntimeError):
        return None

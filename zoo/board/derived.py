"""Run folders that are made of other runs' scores, without a training of their own."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import torch

from registry import MODELS
from registry.yaml_files import to_yaml
from zoo.build import to_plain
from zoo.errors import ConfigError
from zoo.runs.environment import ZOO, hardware, versions
from zoo.runs.folder import CONFIG, HISTORY, PREDICTIONS, SPLIT, RunFolder
from zoo.runs.key import RunKey
from zoo.runs.record import Epochs, Member, PersonContext, RunModel, Source
from zoo.runs.run import Run, load_run
from zoo.runs.scores import Scores
from zoo.training.checkpoint import Checkpoint, trained_files
from zoo.training.result_files import history_csv


def write_derived(
    members: Mapping[str, Run],
    weights: Sequence[float],
    scores: Scores,
    *,
    name: str,
    params: Mapping[str, Any],
    made_by: str,
    root: Path,
    context: PersonContext | None = None,
) -> Run:
    """Keep scores that were made of those of M finished runs as a run like any other.

    Args:
        members: the runs by name, of one exercise, protocol and fold.
        weights: of each (M,).
        scores: what came of them.
        name: what the board calls it.
        params: what was chosen: equal for all exercises, folds and seeds of an entry.
        made_by: ``module:function`` that makes such scores.
        root: folder of all runs.
        context: what the scores also rest on.

    Raises:
        ConfigError: `name` is a registered model's.
    """
    if name in MODELS:
        raise ConfigError(f"{name!r} is a model's name; call it something else")
    runs = list(members.values())
    first = runs[0].record
    record = replace(
        first,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        key_hash="",
        seed=min(run.seed for run in runs),
        model=RunModel(
            name=name,
            params=dict(params),
            title=name,
            summary="",
            tags=_shared_tags(runs),
            paper="",
            doi="",
            streams=(),
            parameters=_sum(run.record.model.parameters for run in runs),
            flops=_sum(run.record.model.flops for run in runs),
            latency_ms=_sum(run.record.model.latency_ms for run in runs),
            closed_form=True,
            draws=any(run.record.model.draws for run in runs),
            source=Source(f"{ZOO} {versions()[ZOO]}", made_by, None),
        ),
        trainer=_trainer(runs),
        changed={},
        epochs=Epochs(trained=0, best=None, selected=0),
        metrics={},
        durations={"train": 0.0},
        hardware=hardware(),
        versions=versions(),
        sessions=(),
        files={},
        init_from=None,
        members=tuple(
            Member(called, run.record.key_hash, weight)
            for (called, run), weight in zip(members.items(), weights, strict=True)
        ),
        context=context,
    )
    key = RunKey.of(
        record.config,
        fingerprint=first.dataset.fingerprint,
        layout=first.dataset.layout,
        protocol_hash=first.protocol.hash,
    )
    checkpoint = Checkpoint(
        key=key.to_dict(),
        split_hash=first.split_hash,
        history=[],
        best_epoch=0,
        best_mad=math.inf,
        versions=versions(),
        sessions=[],
        tensors={"model": {"weights": torch.tensor(weights, dtype=torch.float64)}},
    )
    files = {
        CONFIG: to_yaml(record.config).encode(),
        SPLIT: (runs[0].path / SPLIT).read_bytes(),
        PREDICTIONS: scores.to_csv(),
        HISTORY: history_csv([]),
        **trained_files(checkpoint),
    }
    metrics = {part: scores.of(part).metrics(first.protocol.aggregate) for part in first.metrics}
    folder = RunFolder(key.path(root))
    folder.begin(overwrite=True)  # made in no time, and the members may have been trained anew
    try:
        folder.finish(files, to_plain(replace(record, key_hash=key.hash, metrics=metrics)))
    finally:
        folder.end()
    return load_run(folder.path)


def _shared_tags(runs: Sequence[Run]) -> tuple[str, ...]:
    """Tags that the models of all runs have: an ensemble of graph networks is one, too."""
    first, *others = (run.record.model.tags for run in runs)
    return tuple(tag for tag in first if all(tag in tags for tags in others))


def _trainer(runs: Sequence[Run]) -> dict[str, Any]:
    """What is said of the training of a run that nothing was trained for."""
    return {"exercises": "all"} if any(run.jointly_trained for run in runs) else {}


_Number = TypeVar("_Number", int, float)


def _sum(costs: Iterable[_Number | None]) -> _Number | None:
    """What all members cost together; None where it is not known of one."""
    known = list(costs)
    return None if None in known else sum(cost for cost in known if cost is not None)

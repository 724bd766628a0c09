"""What a finished training leaves in its run folder."""

import json
from collections.abc import Mapping
from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor

from registry import MODELS, PROTOCOLS
from registry.yaml_files import to_yaml
from zoo.build import to_plain
from zoo.catalogue import Card, blocks_of, card
from zoo.files import to_csv
from zoo.nn.model import contract_of
from zoo.protocol.protocol import FoldData
from zoo.protocol.split import PARTS
from zoo.runs.environment import hardware, versions
from zoo.runs.folder import CONFIG, HISTORY, PREDICTIONS, SPLIT
from zoo.runs.key import RunKey
from zoo.runs.record import (
    SCHEMA,
    Epochs,
    InitFrom,
    PartCounts,
    RunDataset,
    RunModel,
    RunProtocol,
    RunRecord,
    changed_settings,
)
from zoo.runs.scores import Scores, join
from zoo.training.checkpoint import Checkpoint, trained_files
from zoo.training.config import TrainerConfig
from zoo.training.cost import count_flops, count_parameters, measure_latency
from zoo.training.fold import FoldDataset
from zoo.training.report import EpochRow
from zoo.training.source import model_source
from zoo.training.trainer import Trainer


def scaler_tensors(data: FoldData) -> dict[str, dict[str, Tensor]]:
    """The fitted scalers as tensors, by group."""
    return {
        "stream_scaler": dict(data.stream_scaler.state_dict()),
        "target_scaler": dict(data.target_scaler.state_dict()),
    }


def part_counts(data: FoldData) -> dict[str, PartCounts]:
    """Samples, recordings and persons of each part."""
    split = data.split
    return {
        part: PartCounts(
            len(split.index(part)), len(split.recordings(part)), len(split.persons(part))
        )
        for part in PARTS
    }


def session(trainer: Trainer, name: str, after_epoch: int) -> dict[str, Any]:
    """What one process computes with, from the epoch after `after_epoch`; `name` is the model's."""
    device = trainer.device
    return {
        "after_epoch": after_epoch,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "source": to_plain(model_source(name, trainer.model)),
        "versions": versions(),
    }


def finished_record(
    key: RunKey,
    config: Mapping[str, Any],
    data: FoldData,
    dataset: FoldDataset,
    trainer: Trainer,
    checkpoint: Checkpoint,
    scores: Mapping[str, Scores],
    *,
    usual: Mapping[str, Any] | None,
    init_from: InitFrom | None,
    finish_seconds: float,
) -> RunRecord:
    """The content of ``run.json``.

    Args:
        key: of the run.
        config: its configuration.
        data: the fold.
        dataset: of the fold.
        trainer: after the training.
        checkpoint: of the model that is tested.
        scores: by part.
        usual: the configuration without a word from the user; None leaves ``changed`` empty.
        init_from: the run it started from.
        finish_seconds: what finishing took so far.
    """
    protocol, trained = data.protocol, len(checkpoint.history)
    how = protocol.aggregate
    mean = float(data.samples.target[data.tested.split.train].double().mean())
    kept_last = protocol.selection == "last" or trainer.config.keep == "last"
    chosen = not kept_last and not trainer.closed_form
    changed: Mapping[str, Any] = {}
    if usual is not None:
        settings = {**to_plain(TrainerConfig()), **usual["trainer"]}
        changed = changed_settings(
            config, {**usual, "trainer": settings}, closed_form=trainer.closed_form
        )
    return RunRecord(
        schema=SCHEMA,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        key_hash=key.hash,
        split_hash=data.split.hash,
        seed=config["seed"],
        fold=config["fold"],
        model=_model(config["model"], trainer),
        dataset=RunDataset(
            name=config["dataset"]["name"],
            params=_params(config["dataset"]),
            fingerprint=key.fingerprint,
            layout=key.layout,
            title=dataset.title,
            score_range=dataset.score_range,
            exercises=dict(dataset.exercise_titles),
            binary=data.samples.binary,
            hips_centred=dataset.hips_centred,
        ),
        protocol=_protocol(config["protocol"], key.protocol_hash, data),
        trainer=config["trainer"],
        changed=changed,
        counts=part_counts(data),
        epochs=Epochs(
            trained=trained,
            best=checkpoint.best_epoch or None,
            selected=checkpoint.best_epoch if chosen else trained - checkpoint.refit_after,
        ),
        metrics={part: rows.metrics(how) for part, rows in scores.items()},
        baseline={part: rows.with_predicted(mean).metrics(how) for part, rows in scores.items()},
        baseline_score=mean,
        durations={
            "train": sum(row.seconds for row in checkpoint.history),
            "finish": finish_seconds,
        },
        hardware=hardware(),
        versions=versions(),
        sessions=tuple(checkpoint.sessions),
        code=key.code,
        init_from=init_from,
    )


def _model(block: Mapping[str, Any], trainer: Trainer) -> RunModel:
    name, model, batch = block["name"], trainer.model, trainer.data.batch
    about = card(name) if name in MODELS else Card(name)
    return RunModel(
        name=name,
        params=_params(block),
        title=about.title,
        summary=about.summary,
        tags=about.tags,
        paper=about.paper,
        doi=about.doi,
        streams=contract_of(model).streams,
        parameters=count_parameters(model),
        flops=count_flops(model, batch),
        latency_ms=measure_latency(model, batch),
        closed_form=trainer.closed_form,
        draws=trainer.draws,
        source=model_source(name, model),
    )


def _protocol(block: Mapping[str, Any], digest: str, data: FoldData) -> RunProtocol:
    name, protocol = block["name"], data.protocol
    about = blocks_of(PROTOCOLS.get(name)).get("card", {}) if name in PROTOCOLS else {}
    return RunProtocol(
        name=name,
        params=_params(block),
        hash=digest,
        folds=protocol.split.num_folds(data.samples.columns),
        title=str(about.get("title") or name),
        summary=str(about.get("summary") or ""),
        leaky=protocol.leaky,
        leak_reason=protocol.leak_reason,
        warning=data.warning,
        selection=protocol.selection,
        aggregate=protocol.aggregate,
    )


def finished_files(
    config: Mapping[str, Any],
    data: FoldData,
    checkpoint: Checkpoint,
    scores: Mapping[str, Scores],
) -> dict[str, bytes]:
    """Name and content of every file beside ``run.json``."""
    return {
        CONFIG: to_yaml(config).encode(),
        SPLIT: (json.dumps(data.split.to_dict(), ensure_ascii=False) + "\n").encode(),
        PREDICTIONS: join(list(scores.values())).to_csv(),
        HISTORY: history_csv(checkpoint.history),
        **trained_files(checkpoint),
    }


def history_csv(history: list[EpochRow]) -> bytes:
    """One line per epoch; an empty field where there is no number."""
    return to_csv((f.name for f in fields(EpochRow)), map(astuple, history)).encode()


def _params(block: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in block.items() if k != "name"}

"""What a finished training leaves in its run folder."""

import csv
import inspect
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from registry import MODELS
from registry.yaml_files import to_yaml
from zoo.evaluation.metrics import mad
from zoo.protocol.protocol import FoldData
from zoo.protocol.split import PARTS
from zoo.runs.environment import hardware, versions
from zoo.runs.files import file_hash
from zoo.runs.folder import CONFIG, HISTORY, PREDICTIONS, SPLIT
from zoo.runs.key import RunKey
from zoo.runs.predictions import Predictions, join, written
from zoo.runs.run import SCHEMA, without_nan
from zoo.training.checkpoint import Checkpoint, trained_files
from zoo.training.cost import count_flops, count_parameters, measure_latency
from zoo.training.report import EpochRow
from zoo.training.trainer import Trainer


def true_table(data: FoldData, part: str) -> Predictions:
    """The samples of a part with their true scores, and NaN for the predicted ones."""
    samples = data.subset(part)
    true = written(samples.target.numpy())
    return Predictions(
        part=[part] * len(samples),
        person=[person or "" for person in samples.subject],
        group=list(samples.group),
        recording=list(samples.recording),
        segment=[int(segment) for segment in samples.segment],
        true=true,
        predicted=np.full_like(true, np.nan),
        binary=data.samples.binary,
    )


def predicted_table(data: FoldData, part: str, standardised: Tensor) -> Predictions:
    """The samples of a part with a model's scores for them.

    Args:
        data: the fold.
        part: ``validation`` or ``test``.
        standardised: (N,) the model's scores in standardised units.
    """
    scores = written(data.target_scaler.inverse(standardised).numpy())
    return true_table(data, part).with_predicted(scores)


def validation_mad(data: FoldData) -> Callable[[Tensor], float]:
    """From standardised validation scores to their MAD per recording, in score units."""
    table, how = true_table(data, "validation"), data.protocol.aggregate

    def measure(standardised: Tensor) -> float:
        scores = written(data.target_scaler.inverse(standardised).numpy())
        whole = table.with_predicted(scores).per_recording(how)
        return mad(whole.true, whole.predicted)

    return measure


def scaler_tensors(data: FoldData) -> dict[str, dict[str, Tensor]]:
    """The fitted scalers as tensors, by group."""
    return {
        "stream_scaler": dict(data.stream_scaler.state_dict()),
        "target_scaler": dict(data.target_scaler.state_dict()),
    }


def part_counts(data: FoldData) -> dict[str, dict[str, int]]:
    """Samples, recordings and persons of each part."""
    return {
        part: {
            "samples": len(data.split.index(part)),
            "recordings": len(data.split.recordings(part)),
            "persons": len(data.split.persons(part)),
        }
        for part in PARTS
    }


def session(trainer: Trainer, name: str, after_epoch: int) -> dict[str, Any]:
    """What one process computes with, from the epoch after `after_epoch`; `name` is the model's."""
    device = trainer.device
    return {
        "after_epoch": after_epoch,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "source": model_source(name, trainer.model),
        "versions": versions(),
    }


def finished_record(
    key: RunKey,
    data: FoldData,
    trainer: Trainer,
    tables: Mapping[str, Predictions],
    sessions: list[dict[str, Any]],
) -> dict[str, Any]:
    """The content of ``run.json``."""
    protocol, config, progress = data.protocol, key.config, trainer.progress
    how = protocol.aggregate
    mean = float(data.samples.target[data.split.train].double().mean())
    best = trainer.selection == "best" and not trainer.closed_form
    return without_nan(
        {
            "schema": SCHEMA,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "key_hash": key.hash,
            "model": {
                **_name_and_params(config["model"]),
                "parameters": count_parameters(trainer.model),
                "flops": count_flops(trainer.model, trainer.data.batch),
                "latency_ms": measure_latency(trainer.model, trainer.data.batch),
                "closed_form": trainer.closed_form,
                "source": model_source(config["model"]["name"], trainer.model),
            },
            "dataset": {
                **_name_and_params(config["dataset"]),
                "fingerprint": key.fingerprint,
                "layout": key.layout,
                **({"binary": True} if data.samples.binary else {}),
            },
            "protocol": {
                **_name_and_params(config["protocol"]),
                "hash": key.protocol_hash,
                "leaky": protocol.leaky,
                "leak_reason": protocol.leak_reason,
                "warning": data.warning,
                "selection": protocol.selection,
                "aggregate": how,
            },
            "split_hash": data.split.hash,
            "seed": config["seed"],
            "fold": config["fold"],
            "counts": part_counts(data),
            "epochs": {
                "trained": progress.epoch,
                "best": progress.best_epoch or None,
                "selected": progress.best_epoch if best else progress.epoch,
            },
            "metrics": {part: table.metrics(how) for part, table in tables.items()},
            "baseline": {
                part: table.with_predicted(mean).metrics(how) for part, table in tables.items()
            },
            "baseline_score": mean,
            "durations": {"train": sum(row.seconds for row in progress.history)},
            "hardware": hardware(),
            "versions": versions(),
            "sessions": sessions,
        }
    )


def finished_files(
    config: Mapping[str, Any],
    data: FoldData,
    checkpoint: Checkpoint,
    tables: Mapping[str, Predictions],
) -> dict[str, bytes]:
    """Name and content of every file beside ``run.json``."""
    return {
        CONFIG: to_yaml(config).encode(),
        SPLIT: (json.dumps(data.split.to_dict(), ensure_ascii=False) + "\n").encode(),
        PREDICTIONS: join(list(tables.values())).to_csv(),
        HISTORY: history_csv(checkpoint.history),
        **trained_files(checkpoint),
    }


def history_csv(history: list[EpochRow]) -> bytes:
    """One line per epoch; an empty field where there is no number."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [f.name for f in fields(EpochRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.to_dict() for row in history)
    return text.getvalue().encode()


def model_source(name: str, model: nn.Module | type) -> dict[str, str | None]:
    """Whose code the model is: registered owner, class, and SHA-256 of the file it stands in.

    The file is read once in a process, when it is first asked for: a class that was imported does
    not change when somebody edits its file.
    """
    cls = model if isinstance(model, type) else type(model)
    owner = MODELS.get(name).owner if name in MODELS else None
    return {
        "owner": owner,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "sha256": _imported_hash(cls),
    }


def source_hash(cls: type) -> str | None:
    """SHA-256 of the file `cls` stands in, as it is now; None where there is no such file."""
    try:
        file = inspect.getsourcefile(cls)
        return file_hash(Path(file)) if file else None
    except (OSError, TypeError):
        return None


@cache
def _imported_hash(cls: type) -> str | None:
    return source_hash(cls)


def _name_and_params(block: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": block["name"], "params": {k: v for k, v in block.items() if k != "name"}}

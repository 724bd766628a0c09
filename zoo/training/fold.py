"""The fold a model is trained and tested on: from a configuration, and to scores."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from zoo.data.batch import Prediction
from zoo.data.cross import CrossDataset
from zoo.data.dataset import SkeletonDataset, load_dataset
from zoo.evaluation.metrics import mad
from zoo.protocol.protocol import FoldData, Protocol, load_protocol
from zoo.runs.scores import Scores, shortest

FoldDataset = SkeletonDataset | CrossDataset
"""What folds are made of: one dataset, or one to train on and another to test on."""


def open_dataset(
    config: Mapping[str, Any],
    protocol: Protocol,
    data_root: Path | None = None,
    load: Callable[..., SkeletonDataset] = load_dataset,
) -> FoldDataset:
    """The scored recordings of the configured exercise, and those of the dataset to test on.

    Args:
        config: with ``dataset``.
        protocol: joins another dataset to it where it tests on one.
        data_root: where prepared datasets are; the usual place if None.
        load: called as `load_dataset` is.

    Raises:
        DataError: a dataset is not prepared, has no such exercise, or cannot be compared.
    """
    block = config["dataset"]
    params = {k: v for k, v in block.items() if k not in ("name", "exercise")}
    exercise = block.get("exercise")
    dataset = load(block["name"], data_root, **params).select(
        exercise=None if exercise is None else str(exercise)
    )
    return protocol.split.joined(dataset, lambda name: load(name, data_root))


def open_protocol(config: Mapping[str, Any]) -> Protocol:
    """The configured protocol.

    Raises:
        ConfigError: a key or a value that a protocol does not have.
    """
    block = config["protocol"]
    return load_protocol(block["name"], **{k: v for k, v in block.items() if k != "name"})


def open_fold(
    config: Mapping[str, Any],
    streams: Sequence[str],
    data_root: Path | None = None,
    *,
    raw: bool = False,
) -> tuple[FoldDataset, FoldData]:
    """The data and the configured fold of it, through the leakage gate.

    Args:
        config: with ``dataset``, ``protocol`` and ``fold``.
        streams: what the model needs.
        data_root: where prepared datasets are; the usual place if None.
        raw: the model takes segments as recorded, see `Protocol.samples`.
    """
    protocol = open_protocol(config)
    data = open_dataset(config, protocol, data_root)
    return data, protocol.fold(data, int(config["fold"]), streams, raw=raw)


def true_scores(data: FoldData, part: str) -> Scores:
    """The samples of a part with their true scores, and NaN for the predicted ones."""
    samples = data.subset(part)
    true = shortest(samples.target.numpy())
    return Scores(
        part=[part] * len(samples),
        person=[person or "" for person in samples.subject],
        group=list(samples.group),
        recording=list(samples.recording),
        sample=[int(segment) for segment in samples.segment],
        true=true,
        predicted=np.full_like(true, np.nan),
        binary=data.samples.binary,
    )


def predicted_scores(data: FoldData, part: str, said: Prediction) -> Scores:
    """The samples of a part with a model's scores for them, and deviations where it gives them.

    Args:
        data: the fold.
        part: ``validation`` or ``test``.
        said: what the model says of the N samples, in standardised units.
    """
    scaler, variance = data.target_scaler, said.log_variance
    deviation = None
    if variance is not None:
        deviation = shortest(scaler.inverse_variance(variance.exp()).sqrt().numpy())
    scores = shortest(scaler.inverse(said.score).numpy())
    return true_scores(data, part).with_predicted(scores, deviation)


def validation_mad(data: FoldData) -> Callable[[Tensor], float]:
    """From standardised validation scores to their MAD per recording, in score units."""
    table, how = true_scores(data, "validation"), data.protocol.aggregate

    def measure(standardised: Tensor) -> float:
        scores = shortest(data.target_scaler.inverse(standardised).numpy())
        whole = table.with_predicted(scores).per_recording(how)
        return mad(whole.true, whole.predicted)

    return measure

"""From a composed configuration to the fold a model is trained and tested on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.data.cross import CrossDataset
from zoo.data.dataset import SkeletonDataset, load_dataset
from zoo.protocol.protocol import FoldData, Protocol, load_protocol

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

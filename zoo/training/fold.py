"""From a composed configuration to the fold a model is trained and tested on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.data.cross import CrossDataset
from zoo.data.dataset import SkeletonDataset, load_dataset
from zoo.protocol.protocol import FoldData, Protocol, load_protocol


def open_dataset(config: Mapping[str, Any], data_root: Path | None = None) -> SkeletonDataset:
    """The scored recordings of the configured exercise.

    Raises:
        DataError: the dataset is not prepared, or has no such exercise.
    """
    block = config["dataset"]
    params = {k: v for k, v in block.items() if k not in ("name", "exercise")}
    dataset = load_dataset(block["name"], data_root, **params)
    exercise = block.get("exercise")
    return dataset.select(exercise=None if exercise is None else str(exercise))


def with_test_dataset(
    dataset: SkeletonDataset, protocol: Protocol, data_root: Path | None = None
) -> SkeletonDataset | CrossDataset:
    """`dataset`, joined by the one to test on where the protocol tests on another one.

    Raises:
        DataError: that one is not prepared, has no such exercise, or cannot be compared.
    """
    return protocol.split.joined(dataset, lambda name: load_dataset(name, data_root))


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
) -> tuple[SkeletonDataset | CrossDataset, FoldData]:
    """The data and the configured fold of it, through the leakage gate.

    Args:
        config: with ``dataset``, ``protocol`` and ``fold``.
        streams: what the model needs.
        data_root: where prepared datasets are; the usual place if None.
        raw: the model takes segments as recorded, see `Protocol.samples`.
    """
    protocol = open_protocol(config)
    data = with_test_dataset(open_dataset(config, data_root), protocol, data_root)
    return data, protocol.fold(data, int(config["fold"]), streams, raw=raw)

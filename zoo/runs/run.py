"""A finished run as it lies on the disk, and what was found in it."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from registry.yaml_files import read_yaml
from zoo.board.facts import dataset_facts
from zoo.errors import ConfigError, DataError
from zoo.runs.files import file_hash, read_json
from zoo.runs.folder import CONFIG, HISTORY, PREDICTIONS, RECORD, SPLIT
from zoo.runs.predictions import LevelMetrics, Metrics, Predictions, read_predictions

SCHEMA = 1
"""Version of ``run.json``; raised when a key changes its meaning."""

_KEYS = (
    "model", "dataset", "protocol", "split_hash", "key_hash", "seed", "fold", "metrics",
    "baseline", "files",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class RunResult:
    """A finished run folder.

    Attributes:
        path: the folder.
        record: ``run.json`` as it is.
        metrics: by part (``test``, ``validation``), level (``recording``, ``segment``) and name;
            in score units where they have one. What was undefined is NaN.
        baseline: the same of the mean training score of the same split.
    """

    path: Path
    record: Mapping[str, Any]
    metrics: Mapping[str, LevelMetrics] = field(repr=False)
    baseline: Mapping[str, LevelMetrics] = field(repr=False)

    @property
    def test(self) -> Metrics:
        """Metrics on the test part, per recording."""
        return self.metrics["test"]["recording"]

    @property
    def baseline_test(self) -> Metrics:
        """The mean training score's metrics on the test part, per recording."""
        return self.baseline["test"]["recording"]

    @property
    def improvement(self) -> float:
        """By how much of the mean score's test MAD the model's is lower; negative if higher."""
        return 1 - self.test["mad"] / self.baseline_test["mad"] if self.baseline_test["mad"] else 0

    @property
    def leaky(self) -> bool:
        """Whether the protocol lets a person stand on both sides."""
        return bool(self.record["protocol"]["leaky"])

    @property
    def binary(self) -> bool:
        """Whether what is predicted is right (1) or wrong (0)."""
        return bool(self.record["dataset"].get("binary", False))

    @cached_property
    def digits(self) -> int:
        """Decimals of its scores and of errors in them."""
        return dataset_facts(str(self.record["dataset"]["name"])).digits

    @cached_property
    def config(self) -> dict[str, Any]:
        """The composed configuration."""
        return read_yaml(self.path / CONFIG)

    @cached_property
    def split(self) -> dict[str, Any]:
        """Persons, recordings and samples of each part."""
        return read_json(self.path / SPLIT)

    @cached_property
    def predictions(self) -> Predictions:
        """True and predicted scores of validation and test samples."""
        return replace(read_predictions(self.path / PREDICTIONS), binary=self.binary)

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One mapping per epoch: epoch, lr, loss, validation_mad, seconds; NaN for none."""
        with (self.path / HISTORY).open(encoding="utf-8", newline="") as file:
            return [
                {key: float(value) if value else math.nan for key, value in row.items()}
                for row in csv.DictReader(file)
            ]

    def altered_files(self) -> list[str]:
        """Names of files that are missing or no longer what the run wrote, sorted."""
        return sorted(
            name
            for name, digest in self.record["files"].items()
            if not (self.path / name).is_file() or file_hash(self.path / name) != digest
        )


def load_run(path: Path | str) -> RunResult:
    """The finished run in the folder `path`.

    Raises:
        DataError: it is no run, not finished, damaged, or of a newer zoo.
    """
    folder = Path(path)
    record_file = folder / RECORD
    if not record_file.is_file():
        if (folder.with_name(f"{folder.name}.partial")).is_dir() or folder.suffix == ".partial":
            raise DataError(
                f"the run {folder} is not finished: train it again with the same settings and "
                "--resume"
            )
        raise DataError(f"{folder} is no run folder: it has no {RECORD}")
    record = read_json(record_file)
    schema = record.get("schema")
    if schema != SCHEMA:
        raise DataError(f"{record_file} has schema {schema!r}, this zoo reads {SCHEMA}")
    missing = [key for key in _KEYS if key not in record]
    if missing:
        raise DataError(
            f"{record_file} is damaged: {', '.join(missing)} missing. Train the run again with "
            "--overwrite"
        )
    try:
        metrics = {part: _metrics(levels) for part, levels in record["metrics"].items()}
        baseline = {part: _metrics(levels) for part, levels in record["baseline"].items()}
        result = RunResult(folder, record, metrics, baseline)
        _ = result.test["mad"], result.baseline_test["mad"], result.leaky, record["files"].items()
    except (AttributeError, KeyError, TypeError, ValueError, ConfigError) as error:
        raise DataError(f"{record_file} is damaged ({error!r})") from None
    return result


def without_nan(value: Any) -> Any:
    """Nested containers with NaN and infinity as None, for JSON."""
    if isinstance(value, Mapping):
        return {str(k): without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _metrics(levels: Mapping[str, Mapping[str, float | None]]) -> LevelMetrics:
    return {
        level: {name: math.nan if v is None else v for name, v in values.items()}
        for level, values in levels.items()
    }

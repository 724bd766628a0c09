"""The table every figure is computed from: true and predicted score of every sample."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import DataError
from zoo.evaluation.aggregate import Aggregated, aggregate
from zoo.evaluation.metrics import measure

COLUMNS = ("part", "person", "group", "recording", "segment", "true", "predicted")

Metrics = dict[str, float]
LevelMetrics = dict[str, Metrics]
"""Metrics by level: ``recording`` and ``segment``."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """True and predicted scores of samples, in score units.

    Attributes:
        part: ``validation`` or ``test``, of each sample.
        person: who performed it; empty where the dataset does not say.
        group: clinical group.
        recording: recording it was cut from.
        segment: number of the sample within its recording.
        true: (S,) float64.
        predicted: (S,) float64.
        binary: whether the true scores are 1 (right) and 0 (wrong), see `Adapter.binary`.
    """

    part: list[str]
    person: list[str]
    group: list[str]
    recording: list[str]
    segment: list[int]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    binary: bool = False

    def __len__(self) -> int:
        return len(self.part)

    def of(self, part: str) -> "Predictions":
        """The rows of one part."""
        return self.at([i for i, p in enumerate(self.part) if p == part])

    def at(self, rows: Sequence[int]) -> "Predictions":
        """The rows with these numbers."""
        return Predictions(
            [self.part[i] for i in rows],
            [self.person[i] for i in rows],
            [self.group[i] for i in rows],
            [self.recording[i] for i in rows],
            [self.segment[i] for i in rows],
            self.true[list(rows)],
            self.predicted[list(rows)],
            self.binary,
        )

    def with_predicted(self, predicted: ArrayLike) -> "Predictions":
        """The same samples with other predictions (S,), or with one for all."""
        values = np.broadcast_to(np.asarray(predicted, dtype=np.float64), self.true.shape)
        return replace(self, predicted=values)

    def per_recording(self, how: str) -> Aggregated:
        """One true and one predicted score a recording.

        Args:
            how: ``mean`` or ``median`` over the samples of one recording; with ``none`` every
                sample stands for itself.
        """
        return aggregate(self.recording, self.true, self.predicted, how)

    def metrics(self, how: str) -> LevelMetrics:
        """Metrics per recording (predictions aggregated by `how`) and per segment.

        A binary target has those for binary targets too.
        """
        whole = self.per_recording(how)
        return {
            "recording": measure(whole.true, whole.predicted, binary=self.binary),
            "segment": measure(self.true, self.predicted, binary=self.binary),
        }

    def to_csv(self) -> bytes:
        """The table as CSV; numbers are written so that reading gives them back exactly."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        columns = (self.part, self.person, self.group, self.recording, self.segment)
        numbers = (map(repr, self.true.tolist()), map(repr, self.predicted.tolist()))
        writer.writerows(zip(*columns, *numbers, strict=True))
        return text.getvalue().encode()


def join(tables: Sequence[Predictions]) -> Predictions:
    """The rows of several tables, one after the other."""
    return Predictions(
        [v for t in tables for v in t.part],
        [v for t in tables for v in t.person],
        [v for t in tables for v in t.group],
        [v for t in tables for v in t.recording],
        [v for t in tables for v in t.segment],
        np.concatenate([t.true for t in tables]) if tables else np.zeros(0),
        np.concatenate([t.predicted for t in tables]) if tables else np.zeros(0),
        bool(tables) and all(t.binary for t in tables),
    )


def read_predictions(path: Path) -> Predictions:
    """The table in a ``predictions.csv``.

    Raises:
        DataError: it is missing, has other columns, a row of the wrong width, or a score that is
            no finite number; the message names the line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            if tuple(next(reader, ())) != COLUMNS:
                raise DataError(f"{path}, line 1: expected the columns {', '.join(COLUMNS)}")
            rows = list(reader)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no table of predictions: {error}") from None
    try:
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
        part, person, group, recording, segment, true, predicted = map(list, columns)
        scores = np.array([list(map(float, true)), list(map(float, predicted))])
        if not (np.isfinite(scores).all() and all(map(str.isdecimal, segment))):
            raise ValueError
    except ValueError:
        raise _first_fault(path) from None
    return Predictions(part, person, group, recording, list(map(int, segment)), *scores)


def _first_fault(path: Path) -> DataError:
    """What is wrong with the first line that cannot be read."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if len(row) != len(COLUMNS):
                return DataError(f"{where}: {len(row)} fields, expected {len(COLUMNS)}")
            for text in row[5:]:
                if not _finite(text):
                    return DataError(f"{where}: {text!r} is no finite number")
            if not row[4].isdecimal():
                return DataError(f"{where}: segment {row[4]!r} is no whole number")
    return DataError(f"{path} is no table of predictions")


def written(values: ArrayLike) -> NDArray[np.float64]:
    """Scores (S,) float32 as the shortest decimals that name them, in float64.

    Metrics are computed from these, so whoever reads the table gets the same ones to the last bit.
    """
    return np.array([float(str(v)) for v in np.asarray(values, dtype=np.float32)])


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False

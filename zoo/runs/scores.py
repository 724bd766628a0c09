"""The one table of scores: what every figure, interval and comparison is computed from."""

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from registry.outside import read_text
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.errors import DataError
from zoo.evaluation.aggregate import AGGREGATES, aggregate, rows_by_recording
from zoo.evaluation.metrics import measure
from zoo.files import to_csv

COLUMNS = ("part", "person", "group", "recording", "sample", "true", "predicted", "deviation")

LARGEST = 500_000_000
"""Bytes that a table of predictions may have."""
LONGEST_NAME = 300
MOST = 1e30
"""No score, true or predicted, is as large; the squares of those below are numbers, too."""

UNKNOWN_PEOPLE = ("", UNKNOWN_SUBJECT)
"""In place of a person where the dataset does not say who performs."""

Metrics = Mapping[str, float]
LevelMetrics = Mapping[str, Metrics]
"""Metrics by level: ``recording`` and ``sample``."""


@dataclass(frozen=True, eq=False)
class Scores:
    """True and predicted scores, in score units; a row a sample, or a row a recording.

    Attributes:
        part: ``validation`` or ``test``, of each row.
        person: who performed it; one of `UNKNOWN_PEOPLE` where the dataset does not say.
        group: clinical group.
        recording: recording it is, or was cut from.
        sample: number of the sample within its recording; 0 for a whole recording.
        true: (S,) float64.
        predicted: (S,) float64.
        deviation: (S,) float64, how far off the model expects to be; None where it does not say.
        binary: whether the true scores are 1 (right) and 0 (wrong), see `Adapter.binary`.
    """

    part: Sequence[str]
    person: Sequence[str]
    group: Sequence[str]
    recording: Sequence[str]
    sample: Sequence[int]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    deviation: NDArray[np.float64] | None = None
    binary: bool = False

    def __len__(self) -> int:
        return len(self.part)

    @property
    def names(self) -> list[tuple[str, str, int]]:
        """Part, recording and number of each row, which no other row has."""
        return list(zip(self.part, self.recording, self.sample, strict=True))

    @property
    def who(self) -> list[str]:
        """The person of each row, or the recording where nobody says who performed it."""
        return [
            recording if person in UNKNOWN_PEOPLE else person
            for person, recording in zip(self.person, self.recording, strict=True)
        ]

    def of(self, part: str) -> "Scores":
        """The rows of one part."""
        return self.at([i for i, p in enumerate(self.part) if p == part])

    def at(self, rows: Iterable[int]) -> "Scores":
        """The rows with these numbers."""
        at = list(rows)
        texts: dict[str, Any] = {n: [getattr(self, n)[i] for i in at] for n in COLUMNS[:5]}
        deviation = None if self.deviation is None else self.deviation[at]
        true, predicted = self.true[at], self.predicted[at]
        return replace(self, **texts, true=true, predicted=predicted, deviation=deviation)

    def with_predicted(
        self, predicted: ArrayLike, deviation: NDArray[np.float64] | None = None
    ) -> "Scores":
        """The same rows with other predictions (S,), or with one for all."""
        values = np.broadcast_to(np.asarray(predicted, dtype=np.float64), self.true.shape)
        return replace(self, predicted=values, deviation=deviation)

    def per_recording(self, how: str) -> "Scores":
        """One row a recording, in the order in which recordings first appear.

        Args:
            how: ``mean`` or ``median`` over the samples of one recording; with ``none`` every
                sample stands for itself. Deviations are averaged: samples of one recording err
                alike, so their mean is as uncertain as they are.

        Raises:
            ConfigError: another `how`.
            DataError: a recording has two true scores.
        """
        if how in AGGREGATES and len(set(self.recording)) == len(self):
            return self
        predicted, members = (
            aggregate(self.recording, self.predicted, how),
            rows_by_recording(self.recording),
        )
        for name, at in members.items():
            true = self.true[at]
            if np.ptp(true) > 0:
                raise DataError(
                    f"the samples of recording {name} have different true scores: {true.min():g} "
                    f"and {true.max():g}"
                )
        if how == "none":
            return self
        deviation = None if self.deviation is None else aggregate(self.recording, self.deviation)
        rows = self.at([at[0] for at in members.values()])
        return replace(rows, sample=[0] * len(rows), predicted=predicted, deviation=deviation)

    def metrics(self, how: str) -> LevelMetrics:
        """Metrics per recording (predictions aggregated by `how`) and per sample.

        A binary target has those for binary targets too.
        """
        levels = {"recording": self.per_recording(how), "sample": self}
        return {
            level: measure(rows.true, rows.predicted, binary=self.binary)
            for level, rows in levels.items()
        }

    def to_csv(self) -> bytes:
        """The table as CSV; numbers are written so that reading gives them back exactly."""
        texts = (self.part, self.person, self.group, self.recording, self.sample)
        scores = (self.true.tolist(), self.predicted.tolist())
        deviation = [None] * len(self) if self.deviation is None else self.deviation.tolist()
        return to_csv(COLUMNS, zip(*texts, *scores, deviation, strict=True)).encode()


def join(tables: Sequence[Scores]) -> Scores:
    """The rows of several tables, one after the other."""
    texts: dict[str, Any] = {
        name: [v for t in tables for v in getattr(t, name)] for name in COLUMNS[:5]
    }
    deviations = [t.deviation for t in tables if t.deviation is not None]
    return Scores(
        **texts,
        true=np.concatenate([np.zeros(0), *(t.true for t in tables)]),
        predicted=np.concatenate([np.zeros(0), *(t.predicted for t in tables)]),
        deviation=np.concatenate(deviations) if deviations else None,
        binary=bool(tables) and all(t.binary for t in tables),
    )


def read_scores(path: Path, *, binary: bool = False) -> Scores:
    """The table in a ``predictions.csv``.

    Args:
        path: the file.
        binary: see `Scores`.

    Raises:
        DataError: it is missing, has other columns, a row of the wrong width, or a score that is
            no finite number; the message names the line.
    """
    text = read_text(path, LARGEST, error=DataError)
    try:
        reader = csv.reader(io.StringIO(text, newline=""))
        if tuple(next(reader, ())) != COLUMNS:
            raise DataError(f"{path}, line 1: expected the columns {', '.join(COLUMNS)}")
        rows = list(reader)
    except csv.Error as error:
        raise DataError(f"{path} is no table of predictions: {error}") from None
    try:
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
        # Thousands of tables name the same people: their names are kept once.
        part, person, group, recording = (list(map(sys.intern, c)) for c in columns[:4])
        sample, true, predicted, deviation = columns[4:]
        numbers = [true, predicted, deviation] if any(deviation) else [true, predicted]
        scores = np.array([list(map(float, column)) for column in numbers])
        if not ((np.abs(scores) < MOST).all() and all(map(_counts, sample))):  # no NaN is less
            raise ValueError
        if len(text) > LONGEST_NAME * len(rows) and any(map(_too_long, rows)):
            raise ValueError
    except ValueError:
        raise _first_fault(path, text) from None
    return Scores(
        part,
        person,
        group,
        recording,
        list(map(int, sample)),
        scores[0],
        scores[1],
        scores[2] if len(scores) > 2 else None,
        binary,
    )


def _first_fault(path: Path, text: str) -> DataError:
    """What is wrong with the first line that cannot be used."""
    reader = csv.reader(io.StringIO(text, newline=""))
    next(reader)
    rows = [(reader.line_num, row) for row in reader]
    all_deviate = any(row[7] for _, row in rows if len(row) == len(COLUMNS))
    for line, row in rows:
        where = f"{path}, line {line}"
        if len(row) != len(COLUMNS):
            return DataError(f"{where}: {len(row)} fields, expected {len(COLUMNS)}")
        if _too_long(row):
            return DataError(f"{where}: a name has more than {LONGEST_NAME} characters")
        for cell in row[5:] if all_deviate else row[5:7]:
            if not _plausible(cell):
                return DataError(f"{where}: {cell[:40]!r} is no finite number below {MOST:g}")
        if not _counts(row[4]):
            return DataError(f"{where}: sample {row[4][:40]!r} is no whole number below a billion")
    return DataError(f"{path} is no table of predictions")


def shortest(values: ArrayLike) -> NDArray[np.float64]:
    """Scores (S,) float32 as the shortest decimals that name them, in float64.

    Metrics are computed from these, so whoever reads the table gets the same ones to the last bit.
    """
    return np.array([float(str(v)) for v in np.asarray(values, dtype=np.float32)])


def _too_long(row: Sequence[str]) -> bool:
    return any(len(cell) > LONGEST_NAME for cell in row[:4])


def _counts(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


def _plausible(text: str) -> bool:
    try:
        return abs(float(text)) < MOST
    except ValueError:
        return False

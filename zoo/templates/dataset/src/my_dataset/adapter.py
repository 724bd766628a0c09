"""My dataset: ``people.csv`` and a text file for each recording, as the laboratory keeps them.

``people.csv`` has the columns file, person, group, exercise and score. A line of a recording is a
frame: x, y and z of the Kinect's 25 joints in millimetres, z up.
"""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from registry import register_dataset
from zoo.data.adapters.base import (
    Adapter,
    FaultError,
    PrepareReport,
    Problem,
    Progress,
    Reader,
    faults_in,
)
from zoo.data.adapters.rows import read_rows
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError

TABLE = "people.csv"
COLUMNS = ("file", "person", "group", "exercise", "score")
JOINTS = 25


@register_dataset("my_dataset")
class MyDataset(Adapter, Reader):
    """Reads the folder, and any file of it alone, so that a model can score a new one."""

    version = 1  # raise it whenever the same files would give other numbers
    layout = "kinect-v2"  # `zoo.skeleton`: the joints and their order
    fps = 30.0
    score_range = (0.0, 50.0)
    exercises = MappingProxyType({"squat": "Squat", "lift": "Lifting both arms"})
    suffixes = (".txt",)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """Yields the recordings that the table lists; one with a fault is told and left out."""
        assert source is not None
        rows = _table(source / TABLE)
        for done, row in enumerate(rows, start=1):
            name = Path(row["file"]).stem
            try:
                (recording,) = self.read_file(source / row["file"], report)
            except FaultError as error:
                report.skip(name, error.problem)
            else:
                yield replace(
                    recording,
                    subject=row["person"],
                    group=row["group"],
                    exercise=row["exercise"],
                    scores=_scores(row, done + 1, name, report),
                )
            progress(done, len(rows), name)

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """The recording in one file, in metres with y up; nothing after it knows the sensor."""
        with faults_in(file.name):
            rows = read_rows(file, 3 * JOINTS, meaning=" (25 × x, y, z in millimetres)")
        x, y, z = np.moveaxis(rows.values.reshape(-1, JOINTS, 3) / 1000, -1, 0)
        yield Recording(
            id=file.stem,
            subject=UNKNOWN_SUBJECT,
            group="",
            exercise="",
            session="",
            layout=self.layout,
            fps=self.fps,
            positions=np.stack([x, z, -y], axis=-1).astype(np.float32),
        )


def _table(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        raise DataError(f"{file}: no such file; is this the folder of the dataset?")
    with file.open(newline="", encoding="utf-8-sig") as opened:
        rows = list(csv.DictReader(opened))
    lacking = [column for column in COLUMNS if rows and column not in rows[0]]
    if lacking or not rows:
        raise DataError(f"{file}, line 1: expected the columns {', '.join(COLUMNS)}, and rows")
    return rows


def _scores(row: dict[str, str], line: int, name: str, report: PrepareReport) -> dict[str, float]:
    """The score; one that is no number is told, and the recording kept without it."""
    try:
        return {"total": float(row["score"])} if row["score"] else {}
    except ValueError:
        report.fault(name, Problem("score", TABLE, line, repr(row["score"]), "a number or nothing"))
        return {}

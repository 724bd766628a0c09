"""One session of KIMORE from its own files, without the rest of the dataset."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import PrepareReport, Problem
from zoo.data.adapters.kimore_frames import (
    JOINTS,
    check_lengths,
    jumps,
    read_frames,
    read_orientations,
    read_positions,
    read_seconds,
)
from zoo.data.adapters.kimore_scores import ScoreReader
from zoo.data.adapters.kimore_tree import Tree, child, session_at
from zoo.data.adapters.rows import RowError, Rows
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError

LAYOUT = "kinect-v2"
FPS = 30.0

_STEMS = ("JointPosition", "JointOrientation", "TimeStamp")


def read_session(file: Path, report: PrepareReport) -> Recording:
    """The session that `file` belongs to; see `KimoreAdapter.read_file`.

    Args:
        file: ``JointPosition*.csv`` or a file of that form, ``JointOrientation*.csv``, or the
            folder ``Raw`` or ``Es`` of the session.
        report: told of what was mended and of oddities.

    Raises:
        DataError: the session cannot be used.
    """
    return _FileReader(file, report).read()


def is_session(path: Path) -> bool:
    """Whether `path` is called like a file of joints of a session, or is the folder of one."""
    if path.is_dir():
        return any(_has_stem(f, "JointPosition") for f in (child(path, "Raw") or path).iterdir())
    return _has_stem(path, "JointPosition") or _has_stem(path, "JointOrientation")


class _FileReader:
    """Reads one session from its files alone."""

    def __init__(self, file: Path, report: PrepareReport) -> None:
        self._positions = _positions_file(file)
        self._report = report
        self._session = session_at(self._positions.parent)
        self._id = self._session.id if self._session else self._positions.stem

    def read(self) -> Recording:
        file = self._positions
        with _faults_as_errors(file):
            positions, tracked = read_positions(self._rows(file))
        orientations = None
        beside = _beside(file, "JointOrientation")
        if beside is not None:
            with _faults_as_errors(beside):
                rows = self._rows(beside)
                check_lengths(rows, positions, file)
                orientations, _ = read_orientations(rows, positions)
        for note in jumps(positions):
            self._report.note(f"{self._id}: {note}")
        session = self._session
        return Recording(
            id=self._id,
            subject=session.subject if session else UNKNOWN_SUBJECT,
            group=session.group if session else "",
            exercise=session.exercise if session else "",
            session="1",
            layout=LAYOUT,
            fps=FPS,
            positions=positions,
            orientations=orientations,
            tracked=tracked,
            timestamps=self._timestamps(len(positions)),
            scores=self._scores(),
        )

    def _rows(self, file: Path) -> Rows:
        rows = read_frames(file)
        if rows.widths != (JOINTS * 4,):
            self._report.note(
                f"{self._id}: {file.name} has rows of several bodies; the first is taken"
            )
        return rows

    def _timestamps(self, frames: int) -> NDArray[np.float64] | None:
        file = _beside(self._positions, "TimeStamp")
        if file is None:
            return None
        try:
            return read_seconds(file, frames)
        except RowError as error:
            self._report.fault(self._id, _problem(error, file))
            return None

    def _scores(self) -> dict[str, float]:
        session = self._session
        if session is None or not session.workbooks():
            return {}
        found = ScoreReader(Tree(session.person, [session])).scores(session, [session])
        for problem in found.problems:
            self._report.fault(self._id, problem)
        return found.scores


def _positions_file(file: Path) -> Path:
    """The file of positions that `file`, or the folder `file`, stands for.

    Raises:
        DataError: there is none, or there are several that differ.
    """
    if file.is_dir():
        folder = child(file, "Raw") or file
        found = [f for f in sorted(folder.iterdir()) if _has_stem(f, "JointPosition")]
        if len({f.read_bytes() for f in found}) > 1:
            names = ", ".join(f.name for f in found)
            raise DataError(f"{folder}: {len(found)} different files ({names}): name one of them")
        if not found:
            raise DataError(
                f"{folder}: found no JointPosition*.csv, expected the Raw or Es folder of one "
                "session of KIMORE"
            )
        return found[0]
    if not _has_stem(file, "JointOrientation"):
        return file
    beside = _beside(file, "JointPosition")
    if beside is None:
        raise DataError(
            f"{file}: found orientations alone, expected the JointPosition*.csv of the same stamp "
            "beside them"
        )
    return beside


def _beside(file: Path, stem: str) -> Path | None:
    """The session's file of another kind, in the same folder.

    Its name has the same stamp; where there is no such file but one of each kind, these belong
    together. Upper and lower case do not matter.
    """
    own = next((kind for kind in _STEMS if _has_stem(file, kind)), None)
    if own is None:
        return None
    inside = list(file.parent.iterdir())
    wanted = f"{stem}{file.name[len(own) :]}".casefold()
    same = [f for f in inside if f.name.casefold() == wanted]
    others = [f for f in inside if _has_stem(f, stem)]
    if same:
        return same[0]
    alone = sum(_has_stem(f, own) for f in inside) == 1
    return others[0] if alone and len(others) == 1 else None


def _has_stem(file: Path, stem: str) -> bool:
    name = file.name.casefold()
    return name.startswith(stem.casefold()) and name.endswith(".csv")


@contextmanager
def _faults_as_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except RowError as error:
        raise DataError(str(_problem(error, file))) from None


def _problem(error: RowError, file: Path) -> Problem:
    expected = error.expected
    if error.kind == "row-width":
        expected += f": {JOINTS} joints of 4 numbers"
    return Problem(error.kind, str(file), error.line, error.found, expected)

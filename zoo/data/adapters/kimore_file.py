"""One session of KIMORE from its own files, without the rest of the dataset."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

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
from zoo.data.adapters.kimore_tree import Session, Tree, child, session_at
from zoo.data.adapters.rows import RowError, Rows
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError

LAYOUT = "kinect-v2"
FPS = 30.0

_STEMS = ("JointPosition", "JointOrientation", "TimeStamp")


class SessionFaultError(Exception):
    """A session that cannot be used; carries the `Problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class SessionFiles(NamedTuple):
    """The files of one session; None for those that are not there."""

    positions: Path
    orientations: Path | None
    timestamps: Path | None


def read_arrays(
    name: str, files: SessionFiles, report: PrepareReport, shown: Callable[[Path], str]
) -> tuple[dict[str, Any], tuple[int, ...] | None]:
    """The arrays of a session by their names in `Recording`.

    Args:
        name: id of the recording.
        files: of the session.
        report: told of faulty time stamps, which are left out, and of oddities.
        shown: a path as messages show it.

    Returns:
        The arrays, and the columns that w, x, y, z of the quaternions stand in, if there are any.

    Raises:
        SessionFaultError: positions or orientations cannot be used.
    """

    @contextmanager
    def faults_of(file: Path) -> Iterator[None]:
        try:
            yield
        except RowError as error:
            expected = error.expected
            if error.kind == "row-width":
                expected += f": {JOINTS} joints of 4 numbers"
            found = Problem(error.kind, shown(file), error.line, error.found, expected)
            raise SessionFaultError(found) from None

    def rows_of(file: Path) -> Rows:
        rows = read_frames(file)
        if rows.widths != (JOINTS * 4,):
            widths = " or ".join(str(width) for width in rows.widths)
            report.note(
                f"{name}: rows of {file.name}, of several bodies, hold {widths} values; the first "
                f"{JOINTS * 4} are the skeleton"
            )
        return rows

    with faults_of(files.positions):
        positions, tracked = read_positions(rows_of(files.positions))
    arrays: dict[str, Any] = {"positions": positions, "tracked": tracked}
    order = None
    if files.orientations is not None:
        with faults_of(files.orientations):
            rows = rows_of(files.orientations)
            check_lengths(rows, positions, files.positions)
            arrays["orientations"], order = read_orientations(rows, positions)
    if files.timestamps is not None:
        try:
            with faults_of(files.timestamps):
                arrays["timestamps"] = read_seconds(files.timestamps, len(positions))
        except SessionFaultError as error:
            report.fault(name, error.problem)
    for note in jumps(positions):
        report.note(f"{name}: {note}")
    return arrays, order


def recording_of(
    name: str, session: Session | None, arrays: dict[str, Any], scores: dict[str, float]
) -> Recording:
    """The recording of a session; None is one of which nobody knows who performs what."""
    return Recording(
        id=name,
        subject=session.subject if session else UNKNOWN_SUBJECT,
        group=session.group if session else "",
        exercise=session.exercise if session else "",
        session="1",
        layout=LAYOUT,
        fps=FPS,
        scores=scores,
        **arrays,
    )


def read_session(file: Path, report: PrepareReport) -> Recording:
    """The session that `file` belongs to; see `KimoreAdapter.read_file`.

    Args:
        file: ``JointPosition*.csv`` or a file of that form, ``JointOrientation*.csv``, or the
            folder ``Raw`` or ``Es`` of the session.
        report: told of what was mended and of oddities.

    Raises:
        DataError: the session cannot be used.
    """
    positions = _positions_file(file)
    session = session_at(positions.parent)
    name = session.id if session else positions.stem
    beside = (_beside(positions, stem) for stem in _STEMS[1:])
    try:
        arrays, _ = read_arrays(name, SessionFiles(positions, *beside), report, str)
    except SessionFaultError as error:
        raise DataError(str(error)) from None
    scores: dict[str, float] = {}
    if session is not None and session.workbooks():
        found = ScoreReader(Tree(session.person, [session])).scores(session, [session])
        for problem in found.problems:
            report.fault(name, problem)
        scores = found.scores
    return recording_of(name, session, arrays, scores)


def is_session(path: Path) -> bool:
    """Whether `path` is called like a file of joints of a session, or is the folder of one."""
    if path.is_dir():
        return any(_has_stem(f, "JointPosition") for f in (child(path, "Raw") or path).iterdir())
    return _has_stem(path, "JointPosition") or _has_stem(path, "JointOrientation")


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

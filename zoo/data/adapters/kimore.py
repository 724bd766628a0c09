"""KIMORE (Capecci et al. 2019, doi 10.1109/TNSRE.2019.2923060): Kinect v2, clinical scores.

A frame is a row: of positions 25 × (x, y, z, state) in metres, of orientations 25 quaternions
x, y, z, w. Kinect gives no orientation to the joints at the ends of the body (head, feet, hand
tips, thumbs); their quaternions are all zero in every published frame and become the identity.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import Adapter, PrepareReport, Problem, Progress
from zoo.data.adapters.kimore_scores import ScoreReader
from zoo.data.adapters.kimore_tree import Session, Tree, read_tree
from zoo.data.adapters.rows import RowError, Rows, numbered_lines, read_rows
from zoo.data.recording import NOT_TRACKED, TRACKED, Recording

JOINTS = 25
END_JOINTS = (3, 15, 19, 21, 22, 23, 24)
"""Head, feet, hand tips and thumbs: Kinect gives them no orientation."""

EXERCISES = {
    "1": "lifting of the arms",
    "2": "lateral tilt of the trunk with the arms extended",
    "3": "rotation of the trunk",
    "4": "rotation of the pelvis in the transverse plane",
    "5": "squat",
}

_BODIES = (1, 2, 3)  # four published files have rows of two or three bodies; the first counts
_NORM_TOLERANCE = 0.01
_JUMP_METRES = 0.5
_TICK_SECONDS = 1e-7


class SessionError(Exception):
    """A session that cannot be used; carries the `Problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class KimoreAdapter(Adapter):
    """Reads KIMORE's official folders.

    Scores: ``total`` (cTS, 0–50) = ``primary`` (cPO, 0–15) + ``control`` (cCF, 0–35). A session
    whose score is missing is kept without it. One without positions or with a faulty file is left
    out; one without an orientation file is kept with positions alone.
    """

    name = "kimore"
    version = 1
    layout = "kinect_v2"
    title = "KIMORE"
    fps = 30.0
    score_range = (0.0, 50.0)
    exercises = EXERCISES

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `Adapter.read`; recordings come sorted by person and exercise."""
        assert source is not None
        tree = read_tree(source)
        for problem in tree.problems:
            report.skip(problem.file, problem)
        scores = ScoreReader(tree)
        done = 0
        for _, group in groupby(tree.sessions, key=lambda session: session.subject):
            siblings = list(group)
            for session in siblings:
                try:
                    recording = _read_session(tree, session, scores, siblings, report)
                except SessionError as error:
                    report.skip(session.id, error.problem)
                else:
                    yield recording
                done += 1
                progress(done, len(tree.sessions), session.id)


def _read_session(
    tree: Tree,
    session: Session,
    reader: ScoreReader,
    siblings: list[Session],
    report: PrepareReport,
) -> Recording:
    positions_file = _only_file(tree, session, "JointPosition", report)
    orientations_file = _only_file(tree, session, "JointOrientation", report)
    if positions_file is None:
        place = tree.name(session.folder or session.person)
        found = "no JointPosition*.csv" if session.folder else f"no folder Es{session.exercise}"
        if orientations_file is not None:
            found += ", only orientations"
        raise SessionError(
            Problem("no-positions", place, None, found, "Raw/JointPosition*.csv of the session")
        )
    rows = _rows(tree, session, positions_file, report)
    positions, tracked = _positions(tree, positions_file, rows)
    orientations = None
    if orientations_file is None:
        place = tree.name(positions_file.parent)
        report.fault(
            session.id,
            Problem("no-orientations", place, None, "positions alone", "JointOrientation*.csv"),
        )
    else:
        rows = _rows(tree, session, orientations_file, report)
        if len(rows.values) != len(positions):
            raise SessionError(
                Problem(
                    "unequal-lengths",
                    tree.name(orientations_file),
                    int(rows.lines[-1]),
                    f"{len(rows.values)} frames of orientations",
                    f"{len(positions)} as in {positions_file.name}",
                )
            )
        orientations = _orientations(tree, orientations_file, rows)
    timestamps = _timestamps(tree, session, len(positions), report)
    scores = reader.scores(session, siblings)
    for problem in scores.problems:
        report.fault(session.id, problem)
    for note in [*scores.notes, *_jumps(positions)]:
        report.note(f"{session.id}: {note}")
    return Recording(
        id=session.id,
        subject=session.subject,
        group=session.group,
        exercise=session.exercise,
        session="1",
        layout=KimoreAdapter.layout,
        fps=KimoreAdapter.fps,
        positions=positions,
        orientations=orientations,
        tracked=tracked,
        timestamps=timestamps,
        scores=scores.scores,
    )


def _only_file(tree: Tree, session: Session, stem: str, report: PrepareReport) -> Path | None:
    """The session's one file of this kind; None where there is none."""
    files = session.raw_files(stem)
    if len(files) > 1:
        if len({file.read_bytes() for file in files}) > 1:
            names = ", ".join(file.name for file in files)
            raise SessionError(
                Problem(
                    "several-files",
                    tree.name(files[0].parent),
                    None,
                    f"{len(files)} different files ({names})",
                    f"one {stem}*.csv; keep the right one",
                )
            )
        report.note(f"{session.id}: {len(files)} equal copies of {files[0].name}")
    return files[0] if files else None


def _rows(tree: Tree, session: Session, file: Path, report: PrepareReport) -> Rows:
    try:
        rows = read_rows(file, JOINTS * 4, _BODIES)
    except RowError as error:
        raise SessionError(_problem(tree, file, error)) from None
    if rows.widths != (JOINTS * 4,):
        widths = " or ".join(str(width) for width in rows.widths)
        report.note(
            f"{session.id}: rows of {file.name} hold {widths} values; "
            f"the first {JOINTS * 4} are the skeleton"
        )
    return rows


def _positions(tree: Tree, file: Path, rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    frames = rows.values.reshape(-1, JOINTS, 4)
    states = frames[..., 3]
    known = (states == np.round(states)) & (states >= NOT_TRACKED) & (states <= TRACKED)
    if not known.all():
        frame, joint = np.argwhere(~known)[0]
        raise SessionError(
            Problem(
                "tracking-state",
                tree.name(file),
                int(rows.lines[frame]),
                f"{states[frame, joint]:g} as state of joint {joint}",
                "0 (lost), 1 (inferred) or 2 (tracked)",
            )
        )
    return np.ascontiguousarray(frames[..., :3]), states.astype(np.uint8)


def _orientations(tree: Tree, file: Path, rows: Rows) -> NDArray[np.float32]:
    quaternions = rows.values.reshape(-1, JOINTS, 4)[..., [3, 0, 1, 2]].astype(np.float64)
    norms = np.linalg.norm(quaternions, axis=-1)
    ends = np.zeros(JOINTS, dtype=bool)
    ends[list(END_JOINTS)] = True
    absent = (norms == 0) & ends
    quaternions[absent] = (1.0, 0.0, 0.0, 0.0)
    norms[absent] = 1.0
    if (np.abs(norms - 1) > _NORM_TOLERANCE).any():
        frame, joint = np.argwhere(np.abs(norms - 1) > _NORM_TOLERANCE)[0]
        length = norms[frame, joint]
        raise SessionError(
            Problem(
                "zero-quaternion" if length == 0 else "quaternion-length",
                tree.name(file),
                int(rows.lines[frame]),
                f"a quaternion of length {length:.4g} for joint {joint}",
                "length 1 (only head, feet, hand tips and thumbs have none)",
            )
        )
    return (quaternions / norms[..., None]).astype(np.float32)


def _timestamps(
    tree: Tree, session: Session, frames: int, report: PrepareReport
) -> NDArray[np.float64] | None:
    """Seconds from the first frame, where a sound file of time stamps is there."""
    try:
        file = _only_file(tree, session, "TimeStamp", report)
        if file is None:
            return None
        return _seconds(tree, file, frames)
    except SessionError as error:
        report.fault(session.id, error.problem)
        return None


def _seconds(tree: Tree, file: Path, frames: int) -> NDArray[np.float64]:
    try:
        numbered = numbered_lines(file)
    except RowError as error:
        raise SessionError(_problem(tree, file, error)) from None
    ticks: list[int] = []
    for number, line in numbered:
        text = line.partition(",")[0].strip()
        try:
            ticks.append(int(text) if text.lstrip("-").isdigit() else round(float(text)))
        except (ValueError, OverflowError):
            found = f"{text[:40]!r} in the first column"
            raise SessionError(
                Problem("time-stamps", tree.name(file), number, found, "ticks of 100 ns")
            ) from None
    seconds = (np.array(ticks, dtype=object) - ticks[0]).astype(np.float64) * _TICK_SECONDS
    problem: tuple[int, str, str] | None = None
    if len(ticks) != frames:
        problem = numbered[-1][0], f"{len(ticks)} time stamps", f"{frames}, one per frame"
    elif (np.diff(seconds) < 0).any():
        frame = int(np.flatnonzero(np.diff(seconds) < 0)[0]) + 1
        problem = numbered[frame][0], "a time before the previous one", "times in order"
    if problem is not None:
        raise SessionError(Problem("time-stamps", tree.name(file), *problem))
    return seconds


def _jumps(positions: NDArray[np.float32]) -> list[str]:
    """Names frames at which the whole skeleton leaps; the sensor took another body for it."""
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=-1)
    leaps = np.median(steps, axis=1)
    frames = np.flatnonzero(leaps > _JUMP_METRES) + 1
    if not len(frames):
        return []
    shown = ", ".join(str(frame) for frame in frames[:6]) + (", …" if len(frames) > 6 else "")
    return [f"the skeleton jumps by up to {leaps.max():.2f} m (frames {shown}); kept as it is"]


def _problem(tree: Tree, file: Path, error: RowError) -> Problem:
    return Problem(error.kind, tree.name(file), error.line, error.found, error.expected)

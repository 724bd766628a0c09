"""KIMORE (Capecci et al. 2019, doi 10.1109/TNSRE.2019.2923060): Kinect v2, clinical scores."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from registry import register_reader
from zoo.data.adapters.base import Adapter, PrepareReport, Problem, Progress, Reader
from zoo.data.adapters.kimore_file import (
    FPS,
    LAYOUT,
    SessionFaultError,
    SessionFiles,
    is_session,
    read_arrays,
    read_session,
    recording_of,
)
from zoo.data.adapters.kimore_frames import SCALAR_FIRST
from zoo.data.adapters.kimore_scores import ScoreReader
from zoo.data.adapters.kimore_tree import Session, Tree, read_tree
from zoo.data.recording import Recording

EXERCISES = {
    "1": "lifting of the arms",
    "2": "lateral tilt of the trunk with the arms extended",
    "3": "rotation of the trunk",
    "4": "rotation of the pelvis in the transverse plane",
    "5": "squat",
}


@register_reader("kimore")
class KimoreAdapter(Adapter, Reader):
    """Reads KIMORE's official folders.

    Scores: ``total`` (cTS, 0–50) = ``primary`` (cPO, 0–15) + ``control`` (cCF, 0–35). A session
    whose score is missing is kept without it. One without positions or with a faulty file is left
    out; one without an orientation file is kept with positions alone.
    """

    name = "kimore"
    version = 1
    layout = LAYOUT
    title = "KIMORE"
    fps = FPS
    score_range = (0.0, 50.0)
    exercises = EXERCISES
    suffixes = (".csv",)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `Adapter.read`; recordings come sorted by person and exercise."""
        assert source is not None
        tree = read_tree(source)
        for problem in tree.problems:
            report.skip(problem.file, problem)
        reader = _SessionReader(tree, report)
        done = 0
        for _, group in groupby(tree.sessions, key=lambda session: session.subject):
            siblings = list(group)
            for session in siblings:
                try:
                    recording = reader.read(session, siblings)
                except SessionFaultError as error:
                    report.skip(session.id, error.problem)
                else:
                    yield recording
                done += 1
                progress(done, len(tree.sessions), session.id)
        if reader.scalar_first:
            report.note(
                f"quaternions stand as w, x, y, z in {reader.scalar_first} recordings (told by the "
                "direction of the bones; descriptions of the dataset say x, y, z, w)"
            )

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`."""
        return is_session(path)

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One session, from its ``JointPosition*.csv``; see `Reader.read_file`.

        Orientations and time stamps are taken from the files of the same stamp beside it. The
        ``JointOrientation*.csv``, the ``Raw`` folder and the ``Es`` folder stand for the session
        as well. Inside the official folders the person, the exercise and, where the session has
        its own sheet, the scores are known.
        """
        yield read_session(file, report)


class _SessionReader:
    """Reads the sessions of one tree and tells the report of what it finds.

    Attributes:
        scalar_first: number of sessions so far whose quaternions have w first.
    """

    def __init__(self, tree: Tree, report: PrepareReport) -> None:
        self._tree = tree
        self._report = report
        self._scores = ScoreReader(tree)
        self.scalar_first = 0

    def read(self, session: Session, siblings: list[Session]) -> Recording:
        """One session.

        Args:
            session: which one.
            siblings: all sessions of the same person.

        Raises:
            SessionFaultError: it cannot be used.
        """
        files = SessionFiles(*self._joint_files(session), self._timestamps(session))
        arrays, order = read_arrays(session.id, files, self._report, self._tree.name)
        self.scalar_first += order == SCALAR_FIRST
        scores = self._scores.scores(session, siblings)
        for problem in scores.problems:
            self._report.fault(session.id, problem)
        for note in scores.notes:
            self._report.note(f"{session.id}: {note}")
        return recording_of(session.id, session, arrays, scores.scores)

    def _joint_files(self, session: Session) -> tuple[Path, Path | None]:
        positions = self._only_file(session, "JointPosition")
        orientations = self._only_file(session, "JointOrientation")
        place = self._tree.name(session.folder or session.person)
        if positions is None:
            found = "no JointPosition*.csv" if session.folder else f"no folder Es{session.exercise}"
            found += ", only orientations" if orientations else ""
            wanted = "Raw/JointPosition*.csv of the session"
            raise SessionFaultError(Problem("no-positions", place, None, found, wanted))
        if orientations is None:
            wanted = "Raw/JointOrientation*.csv too"
            problem = Problem("no-orientations", place, None, "positions alone", wanted)
            self._report.fault(session.id, problem)
        return positions, orientations

    def _only_file(self, session: Session, stem: str) -> Path | None:
        """The session's one file of this kind; None where there is none."""
        files = session.raw_files(stem)
        if len(files) > 1:
            if len({file.read_bytes() for file in files}) > 1:
                place = self._tree.name(files[0].parent)
                names = ", ".join(file.name for file in files)
                found = f"{len(files)} different files ({names})"
                wanted = f"one {stem}*.csv; keep the right one"
                raise SessionFaultError(Problem("several-files", place, None, found, wanted))
            self._report.note(f"{session.id}: {len(files)} equal copies of {files[0].name}")
        return files[0] if files else None

    def _timestamps(self, session: Session) -> Path | None:
        try:
            return self._only_file(session, "TimeStamp")
        except SessionFaultError as error:
            self._report.fault(session.id, error.problem)
            return None

"""KIMORE (Capecci et al. 2019, doi 10.1109/TNSRE.2019.2923060): Kinect v2, clinical scores."""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from registry import register_reader
from zoo.data.adapters.base import (
    Adapter,
    FaultError,
    PrepareReport,
    Problem,
    Progress,
    Reader,
    faults_in,
)
from zoo.data.adapters.kimore_frames import (
    SCALAR_FIRST,
    read_frames,
    read_orientations,
    read_positions,
    read_seconds,
)
from zoo.data.adapters.kimore_scores import ScoreReader
from zoo.data.adapters.kimore_tree import (
    HEALTHY,
    Session,
    Tree,
    child,
    files_in,
    read_tree,
    session_at,
)
from zoo.data.bodies import performer
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError

_STEMS = ("JointPosition", "JointOrientation", "TimeStamp")

Files = tuple[Path, Path | None, Path | None]
"""Positions, orientations and time stamps of one session; None for those that are not there."""


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
    layout = "kinect-v2"
    fps = 30.0
    score_range = (0.0, 50.0)
    exercises = EXERCISES
    healthy = HEALTHY
    suffixes = (".csv",)
    beside = MappingProxyType(
        {"orientation": "the JointOrientation*.csv of the same session, beside the positions"}
    )

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `Adapter.read`; recordings come sorted by person and exercise."""
        assert source is not None
        tree = read_tree(source, report)
        score_reader = ScoreReader(tree)
        done = scalar_first = 0
        for _, group in groupby(tree.sessions, key=lambda session: session.subject):
            siblings = list(group)
            for session in siblings:
                try:
                    files = _session_files(tree, session, report)
                    arrays, order = _read_arrays(session.id, files, report, tree.name)
                except FaultError as error:
                    report.skip(session.id, error.problem)
                else:
                    scalar_first += order == SCALAR_FIRST
                    scores = score_reader.scores(session, siblings, report)
                    shown = tree.name(files[0])
                    yield self._recording(session.id, session, arrays, scores, shown)
                done += 1
                progress(done, len(tree.sessions), session.id)
        if scalar_first:
            report.note(
                f"quaternions stand as w, x, y, z in {scalar_first} recordings (as seen from the "
                "direction of the bones; descriptions of the dataset say x, y, z, w)"
            )

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by name, or by the files of a session."""
        if path.is_dir():
            return bool(files_in(child(path, "Raw") or path, "JointPosition", ".csv"))
        return _stem_of(path) in _STEMS[:2]

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One session, from its ``JointPosition*.csv``; see `Reader.read_file`.

        Orientations and time stamps are taken from the files of the same stamp beside it. The
        ``JointOrientation*.csv``, the ``Raw`` folder and the ``Es`` folder stand for the session
        as well. Inside the official folders the person, the exercise and, where the session has
        its own sheet, the scores are known.
        """
        positions = _positions_file(file)
        session = session_at(positions.parent)
        name = session.id if session else positions.stem
        files = positions, _beside(positions, _STEMS[1]), _beside(positions, _STEMS[2])
        arrays, _ = _read_arrays(name, files, report, str)
        scores: dict[str, float] = {}
        if session is not None and session.workbooks():
            reader = ScoreReader(Tree(session.person, [session]))
            scores = reader.scores(session, [session], report)
        yield self._recording(name, session, arrays, scores, str(positions))

    def _recording(
        self,
        name: str,
        session: Session | None,
        arrays: dict[str, Any],
        scores: dict[str, float],
        source: str,
    ) -> Recording:
        """The recording of a session; None is one of which nobody knows who performs what."""
        return Recording(
            id=name,
            subject=session.subject if session else UNKNOWN_SUBJECT,
            group=session.group if session else "",
            exercise=session.exercise if session else "",
            session="1",
            layout=self.layout,
            fps=self.fps,
            scores=scores,
            source=source,
            **arrays,
        )


def _session_files(tree: Tree, session: Session, report: PrepareReport) -> Files:
    """The files of a session in the official folders.

    Raises:
        FaultError: there are no positions, or several files of joints that differ.
    """

    def only(stem: str) -> Path | None:
        files = session.raw_files(stem)
        if len(files) > 1:
            if len({file.read_bytes() for file in files}) > 1:
                place = tree.name(files[0].parent)
                found = f"{len(files)} different files ({', '.join(file.name for file in files)})"
                wanted = f"one {stem}*.csv; keep the right one"
                raise FaultError("several-files", None, found, wanted, place)
            report.note(f"{session.id}: {len(files)} equal copies of {files[0].name}")
        return files[0] if files else None

    positions, orientations = only("JointPosition"), only("JointOrientation")
    place = tree.name(session.folder or session.person)
    if positions is None:
        found = "no JointPosition*.csv" if session.folder else f"no folder Es{session.exercise}"
        found += ", only orientations" if orientations else ""
        wanted = "Raw/JointPosition*.csv of the session"
        raise FaultError("no-positions", None, found, wanted, place)
    if orientations is None:
        wanted = "Raw/JointOrientation*.csv too"
        problem = Problem("no-orientations", place, None, "positions alone", wanted)
        report.fault(session.id, problem)
    try:
        return positions, orientations, only("TimeStamp")
    except FaultError as error:
        report.fault(session.id, error.problem)
        return positions, orientations, None


def _read_arrays(
    name: str, files: Files, report: PrepareReport, shown: Callable[[Path], str]
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
        FaultError: positions or orientations cannot be used.
    """
    positions_file, orientations_file, timestamps_file = files
    with faults_in(shown(positions_file)):
        bodies = [read_positions(rows) for rows in read_frames(positions_file)]
    own = performer(bodies)
    positions, tracked = bodies[own]
    if len(bodies) > 1:
        report.note(
            f"{name}: {len(bodies)} bodies in {positions_file.name}; number {own + 1} counts, the "
            "tracked one that moves"
        )
    arrays: dict[str, Any] = {"positions": positions, "tracked": tracked}
    order = None
    if orientations_file is not None:
        with faults_in(shown(orientations_file)):
            every = read_frames(orientations_file)
            rows = every[min(own, len(every) - 1)]
            if len(rows.values) != len(positions):
                found = f"{len(rows.values)} frames of orientations"
                wanted = f"{len(positions)} as in {positions_file.name}"
                raise FaultError("unequal-lengths", int(rows.lines[-1]), found, wanted)
            arrays["orientations"], order = read_orientations(rows, positions)
    if timestamps_file is not None:
        try:
            with faults_in(shown(timestamps_file)):
                arrays["timestamps"] = read_seconds(timestamps_file, len(positions))
        except FaultError as error:
            report.fault(name, error.problem)
    return arrays, order


def _positions_file(file: Path) -> Path:
    """The file of positions that `file`, or the folder `file`, stands for.

    Raises:
        DataError: there is none, or there are several that differ.
    """
    if file.is_dir():
        folder = child(file, "Raw") or file
        found = files_in(folder, "JointPosition", ".csv")
        if len({f.read_bytes() for f in found}) > 1:
            names = ", ".join(f.name for f in found)
            raise DataError(f"{folder}: {len(found)} different files ({names}): name one of them")
        if not found:
            raise DataError(
                f"{folder}: found no JointPosition*.csv, expected the Raw or Es folder of one "
                "session of KIMORE"
            )
        return found[0]
    if _stem_of(file) != "JointOrientation":
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
    own = _stem_of(file)
    if own is None:
        return None
    wanted = f"{stem}{file.name[len(own) :]}".casefold()
    others = files_in(file.parent, stem, ".csv")
    same = [f for f in others if f.name.casefold() == wanted]
    if same:
        return same[0]
    alone = len(files_in(file.parent, own, ".csv")) == 1
    return others[0] if alone and len(others) == 1 else None


def _stem_of(file: Path) -> str | None:
    """What the CSV file holds by its name, one of `_STEMS`."""
    name = file.name.casefold()
    stems = (stem for stem in _STEMS if name.startswith(stem.casefold()))
    return next(stems, None) if name.endswith(".csv") else None

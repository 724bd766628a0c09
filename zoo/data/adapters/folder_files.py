"""The files that the rows of a folder's table name, and the recordings in them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from registry import did_you_mean
from zoo.data.adapters.base import FaultError, PrepareReport, Problem, Reader
from zoo.data.adapters.table import Row
from zoo.data.readers import readers_of
from zoo.data.recording import Recording
from zoo.errors import DataError
from zoo.words import some

TABLE = "recordings.csv"


@dataclass
class Files:
    """The recordings in a folder's files.

    Attributes:
        source: the folder.
        reader: makes a reader for files of a frame rate; None: of the one that they say.
    """

    source: Path
    reader: Callable[[float | None], Reader]
    _listed: set[Path] = field(default_factory=set, repr=False)
    _last: tuple[Path, float | None, list[Recording], PrepareReport] | None = field(
        default=None, repr=False
    )

    def recording(
        self, file: Path, name: str, fps: float | None, report: PrepareReport
    ) -> Recording:
        """A recording in a file.

        Args:
            file: of the folder.
            name: id of the recording in a file that holds several; empty for the only one.
            fps: frames a second; None: as the reader has them.
            report: told of what was mended and of oddities.

        Raises:
            FaultError: the file cannot be read, or holds no such recording.
        """
        self._listed.add(file)
        try:
            found = self._read(file, fps, report)
            ids = [recording.id for recording in found]
            if name and name not in ids:
                expected = f"one of {some(ids)}. {did_you_mean(name, ids)}"
                raise FaultError("recording", None, f"no recording {name}", expected)
            if not name and len(found) != 1:
                raise FaultError(
                    "recordings",
                    None,
                    f"{len(found)} recordings ({some(ids)})",
                    f"one; name it in a column recording of {TABLE}, a row for each",
                )
        except FaultError as error:
            raise self._placed(error.problem, file) from None
        recording = found[ids.index(name)] if name else found[0]
        if fps is None or fps == recording.fps or recording.timestamps is not None:
            return recording
        return replace(recording, fps=fps)

    def shown(self, file: Path) -> str:
        """A file as messages call it."""
        return file.relative_to(self.source).as_posix()

    def without_a_row(self) -> list[str]:
        """Files that look like recordings and were not asked for, beside those that were."""
        suffixes = {file.suffix.lower() for file in self._listed}
        reader = self.reader(None)
        return sorted(
            self.shown(file)
            for folder in {file.parent for file in self._listed}
            for file in folder.iterdir()
            if file not in self._listed and file.name != TABLE
            if file.suffix.lower() in suffixes and reader.looks_like(file)
        )

    def _read(self, file: Path, fps: float | None, report: PrepareReport) -> list[Recording]:
        """All recordings of a file; of one with many they are read once."""
        if self._last is None or self._last[:2] != (file, fps):
            told = PrepareReport(report.strict)
            try:
                found = list(self.reader(fps).read_file(file, told))
            except FaultError:
                raise
            except DataError as error:
                raise FaultError("unreadable", None, str(error), "a readable recording") from None
            self._last = (file, fps, found, told)
        _, _, found, told = self._last
        report.problems += told.problems
        report.notes += told.notes
        return found

    def _placed(self, problem: Problem, file: Path) -> FaultError:
        """A fault of a file with its place in the folder, and what the file looks like instead."""
        others = readers_of(file)
        own = self.reader(None).looks_like(file)
        like = f"; it looks like a file of {' or '.join(others)}" if others and not own else ""
        return FaultError(
            problem.kind, problem.line, problem.found, f"{problem.expected}{like}", self.shown(file)
        )


def file_of(source: Path, row: Row) -> Path:
    """The file that a row names.

    Raises:
        FaultError: it names none, one outside the folder, or one that is not there.
    """
    name = row.cells["file"].replace("\\", "/")
    if not name:
        raise FaultError("file", row.line, "an empty cell as file", "a file of this folder")
    within = PurePosixPath(name)
    if within.is_absolute() or ".." in within.parts or ":" in within.parts[0]:
        raise FaultError("file", row.line, f"file {name!r}", "a path inside this folder")
    file = source.joinpath(*within.parts)
    if not file.exists():
        beside = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
        near = did_you_mean(file.name, beside)
        hint = f". {near}" if near.startswith("Did") else ""
        raise FaultError("missing", row.line, f"no file {name}", f"a file of this folder{hint}")
    return file


def id_of(row: Row) -> str:
    """The id of a row's recording: its own, or the file without its ending."""
    file = PurePosixPath(row.cells["file"].replace("\\", "/"))
    stem = str(file.with_suffix("") if file.suffix else file)
    part = row.cells.get("recording", "")
    return row.cells.get("id") or (f"{stem}/{part}" if part else stem)


def fps_of(row: Row) -> float | None:
    """The frame rate in a row; None where it says nothing.

    Raises:
        FaultError: it is no number above 0.
    """
    expected = "frames a second, above 0"
    rate = row.number("fps", expected)
    if rate is not None and rate <= 0:
        raise FaultError("fps", row.line, f"fps {rate:g}", expected)
    return rate


def require_once(seen: dict[str, int], name: str, row: Row, what: str) -> None:
    """Note that a row names something.

    Raises:
        FaultError: a row before it named the same.
    """
    if name in seen:
        raise FaultError(
            "twice", row.line, f"{what} again", f"each once; it stands in line {seen[name]} already"
        )
    seen[name] = row.line

"""What readers of datasets have in common whose files are named by their recording."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoo.data.adapters.base import (
    Adapter,
    FaultError,
    PrepareReport,
    Problem,
    Progress,
    Reader,
    faults_in,
)
from zoo.data.recording import UNKNOWN_SUBJECT, Identity, Recording
from zoo.errors import DataError


@dataclass
class Loaded:
    """What a file holds.

    Attributes:
        arrays: arrays of the recording by name, as in `Recording`.
        faults: what is wrong with the file and costs less than the recording.
        notes: oddities that cost nothing.
        scores: scores that the name does not tell.
        extra: what else the name does not tell.
    """

    arrays: dict[str, Any]
    faults: list[FaultError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


class NamedFilesAdapter(Adapter, Reader):
    """A dataset of text files, each a recording.

    Attributes:
        example: path of a published file, for messages.
    """

    example: str
    suffixes = (".txt",)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `Adapter.read`; recordings come sorted by id."""
        assert source is not None
        found: dict[str, tuple[Identity, Path]] = {}
        for file in self._files(source):
            shown, named = file.relative_to(source).as_posix(), self._named(file)
            if named is None:
                wanted = f"a name such as {self.example}"
                report.note(f"{shown} is ignored: found {file.name}, expected {wanted}")
            elif named.id in found:
                first = found[named.id][1].relative_to(source).as_posix()
                wanted = f"one file of {named.id}, not {first} too"
                problem = Problem("several-files", shown, None, "a second file", wanted)
                report.skip(shown, problem)
            else:
                found[named.id] = named, file
        if not found:
            inside = ", ".join(sorted(entry.name for entry in source.iterdir())[:5]) or "nothing"
            raise DataError(
                f"{source} is no folder of {self.title}: expected files such as {self.example}, "
                f"found {inside}"
            )
        for done, key in enumerate(sorted(found), start=1):
            named, file = found[key]
            shown = file.relative_to(source).as_posix()
            try:
                recording = self._recording(named, file, shown, report)
            except FaultError as error:
                report.skip(key, error.problem)
            else:
                yield recording
            progress(done, len(found), key)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`."""
        return path.is_file() and self._named(path) is not None

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        if file.is_dir():
            raise DataError(f"{file} is a folder; name one file, such as {self.example}")
        named = self._named(file) or Identity(file.stem, UNKNOWN_SUBJECT, "", "", "")
        yield self._recording(named, file, str(file), report)

    @abstractmethod
    def _files(self, source: Path) -> list[Path]:
        """Files that may be recordings, sorted; empty where the dataset is not there."""

    @abstractmethod
    def _named(self, file: Path) -> Identity | None:
        """What name and place of a file say; None for another name."""

    @abstractmethod
    def _load(self, file: Path) -> Loaded:
        """Reads a file.

        Raises:
            FaultError: the recording cannot be used.
        """

    def _recording(
        self, named: Identity, file: Path, shown: str, report: PrepareReport
    ) -> Recording:
        with faults_in(shown):
            loaded = self._load(file)
        for fault in loaded.faults:
            report.fault(named.id, replace(fault.problem, file=shown))
        for note in loaded.notes:
            report.note(f"{named.id}: {note}")
        scores, extra = {**named.scores, **loaded.scores}, {**named.extra, **loaded.extra}
        whole = replace(named, scores=scores, extra=extra)
        return Recording(
            **vars(whole), layout=self.layout, fps=self.fps, source=shown, **loaded.arrays
        )


def folders_within(source: Path, depth: int) -> list[Path]:
    """`source` and the folders at most `depth` below it, the nearest first, without hidden ones."""
    found, level = [source], [source]
    for _ in range(depth):
        level = sorted(
            entry
            for folder in level
            for entry in folder.iterdir()
            if entry.is_dir() and not entry.name.startswith(".")
        )
        found += level
    return found


def text_files(folder: Path) -> list[Path]:
    """Files that end with ``.txt``, sorted by name, without hidden ones."""
    files = (f for f in folder.iterdir() if f.suffix.lower() == ".txt" and f.is_file())
    return sorted(f for f in files if not f.name.startswith("."))

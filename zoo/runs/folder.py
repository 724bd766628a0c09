"""The life of a run folder: begun, resumable, finished.

While it is computed, a run lives in ``NAME.partial``: the state to resume from, and at the end the
finished files. The finished folder appears under its name by one rename, whole.

    .NAME.partial.lock                   held by the process that writes
    NAME.partial/resume.json             points at the tensors beside it; written after them
    NAME.partial/run.tmp/                finished files being written
    NAME.partial/run/                    all of them are written: only the renames are left
    NAME.partial/old/                    the run that is being replaced
"""

import os
import shutil
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from zoo.errors import ZooError
from zoo.files import (
    BusyError,
    WriteLock,
    file_hash,
    storage_error,
    sync_folder,
    to_json,
    write_atomically,
)

RECORD, CONFIG, SPLIT = "run.json", "config.yaml", "split.json"
PREDICTIONS, HISTORY = "predictions.csv", "history.csv"
CHECKPOINT, SIDECAR = "checkpoint.safetensors", "checkpoint.json"
RESUME = "resume.json"

BUNDLE = ".zoo"
"""Ending of a bundle, the one file that `zoo.export` makes of a run."""

LARGEST_FILE = 8_000_000_000
"""Bytes that no file of a run exceeds: a larger one is another's."""


class RunExistsError(ZooError):
    """The run is there already, finished or half done, and nobody said what to do with it.

    Attributes:
        finished: the folder of the finished run; None where it is half done.
    """

    def __init__(self, message: str, finished: Path | None = None) -> None:
        super().__init__(message)
        self.finished = finished


class Start(Enum):
    """What a run does after `RunFolder.begin`."""

    NEW = "new"
    RESUME = "resume"
    FINISHED = "finished"


class RunFolder:
    """The folder of one run.

    Args:
        path: where the finished run stands or will stand.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(f"{path.name}.partial")
        self._lock = WriteLock(self.partial)

    @property
    def resume_file(self) -> Path:
        """The JSON file a resumed run starts from."""
        return self.partial / RESUME

    def begin(self, *, resume: bool = False, overwrite: bool = False) -> Start:
        """Take the run's lock and say where to start; `end` must follow.

        Args:
            resume: go on with a half-done run, or take a finished one as it is.
            overwrite: compute it anew; a finished run is replaced at the end, not before.

        Returns:
            ``FINISHED``: the run is at `path` and no lock is held; ``RESUME``: the state is in
            `resume_file`; ``NEW``: nothing is kept.

        Raises:
            RunExistsError: there is a run and neither `resume` nor `overwrite` is given.
            BusyError: another process is writing it.
            StorageError: the folder cannot be made.
        """
        if self.path.exists() and not self.partial.exists() and not overwrite:
            self._lock.sweep()
            return self._finished(resume)
        try:
            self._lock.acquire()
        except BusyError as error:
            raise BusyError(
                f"{error}. Wait for it, or stop it and go on with resume=True"
            ) from None
        try:
            self._recover()
            half_done = self.resume_file.is_file()
            if half_done and not (resume or overwrite):
                raise RunExistsError(
                    f"a run of exactly these settings was begun in {self.partial} and not "
                    "finished: add resume=True to go on with it, or overwrite=True to start anew"
                )
            if half_done and not overwrite:
                return Start.RESUME
            if self.path.exists() and not overwrite:
                self.end()
                return self._finished(resume)
            self.resume_file.unlink(missing_ok=True)
            shutil.rmtree(self.partial)
            self._make()
        except BaseException:
            self.end()
            raise
        return Start.NEW

    def end(self) -> None:
        """Release the lock; a folder in which nothing is kept is removed."""
        if self._lock.held and not self.resume_file.is_file() and not self._committed.is_dir():
            shutil.rmtree(self.partial, ignore_errors=True)
        self._lock.release()

    def finish(self, files: Mapping[str, bytes], record: Mapping[str, object]) -> None:
        """Write the finished run and put it in its place.

        Args:
            files: content by file name.
            record: goes into ``run.json``, with the SHA-256 of every file added as ``files``.

        Raises:
            StorageError: no room; what can be resumed stays.
        """
        being_written = self.partial / "run.tmp"
        shutil.rmtree(being_written, ignore_errors=True)
        try:
            being_written.mkdir()
        except OSError as error:
            raise storage_error(being_written, 0, error) from error
        for name, content in files.items():
            write_atomically(being_written / name, content)
        hashes = {name: file_hash(being_written / name) for name in sorted(files)}
        write_atomically(being_written / RECORD, to_json({**record, "files": hashes}))
        _rename(being_written, self._committed)
        self._publish()

    @property
    def _committed(self) -> Path:
        return self.partial / "run"

    def _finished(self, resume: bool) -> Start:
        if resume:
            return Start.FINISHED
        raise RunExistsError(
            f"a run of exactly these settings on exactly these data is finished in {self.path}: "
            "add resume=True to take it as it is, or overwrite=True to compute it anew",
            self.path,
        )

    def _recover(self) -> None:
        """Complete what a killed process had decided, and sweep up what it left."""
        if self._committed.is_dir():
            self._publish()
        self._make()
        for leftover in self.partial.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
        shutil.rmtree(self.partial / "run.tmp", ignore_errors=True)
        shutil.rmtree(self.partial / "old", ignore_errors=True)

    def _publish(self) -> None:
        self.resume_file.unlink(missing_ok=True)
        old = self.partial / "old"
        if self.path.exists():
            shutil.rmtree(old, ignore_errors=True)
            _rename(self.path, old)
        _rename(self._committed, self.path)
        shutil.rmtree(self.partial, ignore_errors=True)

    def _make(self) -> None:
        try:
            self.partial.mkdir(exist_ok=True)
        except OSError as error:
            raise storage_error(self.partial, 0, error) from error


def _rename(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)  # noqa: PTH104 - named in the tests that let it fail
        sync_folder(source.parent)
        sync_folder(target.parent)
    except OSError as error:
        raise storage_error(target, 0, error) from error

"""One process at a time in a folder; the lock falls away with the process that holds it."""

import contextlib
import os
from pathlib import Path

from zoo.errors import ZooError
from zoo.runs.files import storage_error

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: no lock, two writers are the user's to avoid
    fcntl = None  # type: ignore[assignment]


class RunBusyError(ZooError):
    """Another process is writing the same run."""


class FolderLock:
    """An exclusive lock on ``folder/lock``, released on `release` or when the process dies.

    The folder may be removed by its holder before it releases the lock; whoever waited for it
    then notices that the locked file is no longer the one in the folder and starts anew.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "lock"
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock, and the folder is still the one it locked."""
        return self._handle is not None and self._is_in_place(self._handle)

    def acquire(self) -> None:
        """Take the lock, making the folder if need be.

        Raises:
            RunBusyError: another process holds it.
            StorageError: the folder cannot be made.
        """
        while True:
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o644)
            except FileNotFoundError:
                continue  # its holder has just removed the folder
            except OSError as error:
                raise storage_error(self.file, 0, error) from error
            try:
                if fcntl is not None:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.pread(handle, 40, 0).decode(errors="replace") or "another process"
                os.close(handle)
                raise RunBusyError(
                    f"{holder} is writing {self.file.parent}. Wait for it, or stop it and go on "
                    "with --resume"
                ) from None
            if self._is_in_place(handle):
                self._handle = handle
                self._sign(handle)
                return
            os.close(handle)

    def release(self) -> None:
        """Let go; again is harmless."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @staticmethod
    def _sign(handle: int) -> None:
        with contextlib.suppress(OSError):  # a full disk keeps the lock, only its note is missing
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()}".encode(), 0)

    def _is_in_place(self, handle: int) -> bool:
        try:
            there = self.file.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(handle)
        return (there.st_ino, there.st_dev) == (mine.st_ino, mine.st_dev)


def locked(folder: Path) -> bool:
    """Whether a process holds the lock of `folder` at this moment; nothing is made or changed."""
    try:
        handle = os.open(folder / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False

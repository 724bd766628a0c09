"""Putting a whole folder in place at once, so that nobody ever sees half of it.

A new folder is filled under a hidden name beside its target and swapped in by one system call
where the platform has one (Linux, macOS), else by two renames that the next call can complete.
A process that dies leaves a hidden folder, which the next writer removes. Writers take turns by a
lock that the operating system releases with the process.
"""

import ctypes
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_NEW, _OLD = "new-", "old-"
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS are both 2
_AT_FDCWD = -100


@contextmanager
def replaced_folder(target: Path, on_wait: Callable[[], None] | None = None) -> Iterator[Path]:
    """A new empty folder that takes the place of `target` when the block ends without an error.

    Until then `target` is untouched; after an error or an interrupt the new folder is removed.
    Only one writer is inside the block at a time, also between processes.

    Args:
        target: the folder to make or to replace.
        on_wait: called once if another process is inside the block already.

    Raises:
        OSError: the file system refuses; `target` is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(_hidden(target, "lock"), on_wait) as alone:
        if alone:
            _clear_leftovers(target)
        staging = _hidden(target, _NEW + secrets.token_hex(4))
        staging.mkdir()
        try:
            yield staging
            _sync(staging)
            _put(staging, target)
            _sync(target.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def recover(target: Path) -> bool:
    """Brings back a `target` whose replacement died between two renames; True if it did."""
    if target.exists() or not _leftovers(target, _OLD):
        return False
    with _locked(_hidden(target, "lock"), None) as alone:
        return alone and _restore(target)


def _hidden(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{suffix}")


def _leftovers(target: Path, kind: str) -> list[Path]:
    start = _hidden(target, kind).name
    if not target.parent.is_dir():
        return []
    return sorted(f for f in target.parent.iterdir() if f.name.startswith(start) and f.is_dir())


def _restore(target: Path) -> bool:
    for old in _leftovers(target, _OLD):
        if not target.exists():
            old.rename(target)
            return True
    return False


def _clear_leftovers(target: Path) -> None:
    _restore(target)
    for folder in [*_leftovers(target, _NEW), *_leftovers(target, _OLD)]:
        shutil.rmtree(folder, ignore_errors=True)


def _put(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
    elif not _exchange(staging, target):
        old = _hidden(target, _OLD + secrets.token_hex(4))
        target.rename(old)
        try:
            staging.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swaps two folders in one step; False where the platform cannot."""
    if sys.platform not in ("linux", "darwin"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    name = "renameat2" if sys.platform == "linux" else "renamex_np"
    function = getattr(libc, name, None)
    if function is None:
        return False
    a, b = os.fsencode(one), os.fsencode(other)
    if sys.platform == "linux":
        return function(_AT_FDCWD, a, _AT_FDCWD, b, _EXCHANGE) == 0
    return function(a, b, _EXCHANGE) == 0


def _sync(folder: Path) -> None:
    """Flushes a folder's entries to the disk, where the platform lets one open a folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


@contextmanager
def _locked(file: Path, on_wait: Callable[[], None] | None) -> Iterator[bool]:
    """Holds the lock of `file`; yields False where the file system has no locks."""
    with file.open("a+b") as handle:
        yield _lock(handle.fileno(), on_wait)


if sys.platform == "win32":
    import msvcrt
    import time

    def _lock(descriptor: int, on_wait: Callable[[], None] | None) -> bool:
        while True:
            try:
                os.lseek(descriptor, 0, os.SEEK_SET)
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if on_wait is not None:
                    on_wait()
                    on_wait = None
                time.sleep(0.2)

else:
    import fcntl

    def _lock(descriptor: int, on_wait: Callable[[], None] | None) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is not None:
                on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            return False
        return True

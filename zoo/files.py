"""Files and folders that are written whole or not at all, by one process at a time."""

import contextlib
import csv
import ctypes
import errno
import hashlib
import io
import json
import math
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from registry.outside import read_bytes
from zoo.errors import DataError, ZooError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_OUR_FAULT_NOT = _NO_ROOM | {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EBUSY,
    errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip


class StorageError(ZooError):
    """A file cannot be written: no room left, no permission, a failing disk."""


class BusyError(ZooError):
    """Another process is writing the same file or folder."""


class WriteLock:
    """The right to write `target`, for one process at a time; it falls away with the process.

    The lock is a hidden file beside the target, which is gone when nobody holds it.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.file = target.with_name(f".{target.name}.lock")
        self._lock = FileLock(self.file, thread_local=False)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock.is_locked

    def acquire(self, on_wait: Callable[[], None] | None = None, *, wait: bool = False) -> None:
        """Take the lock; the folder the target stands in is made if need be.

        Args:
            on_wait: called once where another process holds it, before waiting for it.
            wait: wait for another process instead of raising.

        Raises:
            BusyError: another process holds it, and `wait` is False.
            StorageError: the folder cannot be made or written.
        """
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                if not wait:
                    raise BusyError(f"{self._holder()} is writing {self.target}") from None
                if on_wait is not None:
                    on_wait()
                self._lock.acquire(poll_interval=0.02)
        except OSError as error:
            raise storage_error(self.file, 0, error) from error
        with contextlib.suppress(OSError):  # where the lock keeps others from reading, or no room
            self.file.write_text(f"process {os.getpid()}", encoding="utf-8")

    def release(self) -> None:
        """Let go; again is harmless."""
        if not self.held:
            return
        # POSIX: while it is still held, so that nobody else's is removed. Windows removes no file
        # that is open, so there it goes after the lock, unless somebody has it already.
        # What no longer can be removed must not hide the error that ended the writing.
        posix = os.name == "posix"
        if posix:
            _remove(self.file)
        self._lock.release()
        if not posix:
            _remove(self.file)

    def sweep(self) -> None:
        """Remove the file of a lock that a killed process held; one that is held stays."""
        if self.file.is_file():
            with contextlib.suppress(BusyError, StorageError):
                self.acquire()
                self.release()

    def _holder(self) -> str:
        try:
            return self.file.read_text(encoding="utf-8")[:40] or "another process"
        except (OSError, UnicodeDecodeError):
            return "another process"


def is_being_written(target: Path) -> bool:
    """Whether a process holds the `WriteLock` of `target` at this moment; nothing is changed."""
    lock = WriteLock(target)
    if not lock.file.is_file():
        return False
    try:
        with FileLock(lock.file, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part.

    The bytes go to a temporary file beside it, are forced to the disk, and are renamed.

    Raises:
        StorageError: it cannot be written; the old file, if any, is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - named in the tests that let it fail
        sync_folder(path.parent)
    except OSError as error:
        _remove(temporary)
        raise storage_error(path, len(content), error) from error
    except BaseException:
        _remove(temporary)
        raise


def _remove(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


def storage_error(path: Path, size: int, error: OSError) -> Exception:
    """`error` as a `StorageError` where a user can mend it, else as it is."""
    if error.errno not in _OUR_FAULT_NOT:
        return error
    if error.errno in _NO_ROOM:
        return StorageError(
            f"no room to write {path}: {size / 1e6:.1f} MB are needed, {free_space(path)} "
            f"({error.strerror})"
        )
    return StorageError(f"cannot write {path}: {error.strerror}")


def free_space(path: Path) -> str:
    """How much room there is for `path`, in words."""
    try:
        return f"{shutil.disk_usage(path.parent).free / 1e6:.1f} MB are free"
    except OSError:
        return "free space unknown"


def sync_folder(folder: Path) -> None:
    """Force the names in `folder` to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows does not open folders
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


def file_hash(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def replaced_folder(target: Path, on_wait: Callable[[], None] | None = None) -> Iterator[Path]:
    """A new empty folder that takes the place of `target` when the block ends without an error.

    It is filled under a hidden name and swapped in by one system call where the platform has one
    (Linux, macOS), else by two renames that `recover` completes. Until then `target` is untouched;
    after an error or an interrupt the new folder is removed, and what a killed process left behind
    is removed by the next writer. Only one writer is inside the block at a time, also between
    processes.

    Args:
        target: the folder to make or to replace.
        on_wait: called once if another process is inside the block already.

    Raises:
        OSError, StorageError: the file system refuses; `target` is as it was.
    """
    with _locked(target, on_wait):
        _restore(target)
        for folder in [*_leftovers(target, _NEW), *_leftovers(target, _OLD)]:
            shutil.rmtree(folder, ignore_errors=True)
        staging = _hidden(target, _NEW + secrets.token_hex(4))
        staging.mkdir()
        try:
            yield staging
            sync_folder(staging)
            _put(staging, target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def recover(target: Path) -> bool:
    """Brings back a `target` whose replacement died between two renames; True if it did."""
    if target.exists() or not _leftovers(target, _OLD):
        return False
    with _locked(target):
        return _restore(target)


_NEW, _OLD = "new-", "old-"
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS are both 2
_AT_FDCWD = -100


@contextlib.contextmanager
def _locked(target: Path, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    lock = WriteLock(target)
    lock.acquire(on_wait, wait=True)
    try:
        yield
    finally:
        lock.release()


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


def to_json(value: Any) -> bytes:
    """Readable JSON; a number that is not finite is refused, for JSON has no word for it."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()


def json_hash(value: Any) -> str:
    """SHA-256 (hex) over canonical JSON: sorted keys, no spaces; what is no JSON as its text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def to_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table as CSV, a line each; None is an empty field."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def read_json(path: Path, limit: int = 64_000_000) -> dict[str, Any]:
    """A JSON object from a file that may have been tampered with.

    Raises:
        DataError: it is missing, no regular file, larger than `limit` bytes, no JSON object, deeper
            than any of ours, or holds a number that is not finite or beyond 64 bits.
    """
    content = read_bytes(path, limit, error=DataError)
    try:
        value = json.loads(
            content, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite
        )
        if _HALF.search(content):  # half a character is no text: it could not be printed
            json.dumps(value, ensure_ascii=False).encode()
        if _seems_deep(content):
            _require_shallow(value)
    except RecursionError:
        raise DataError(f"{path} is nested too deeply to be one of ours") from None
    except UnicodeError:
        raise DataError(f"{path} is no JSON: its text is no valid Unicode") from None
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a {type(value).__name__}, expected a JSON object")
    return value


def path_part(name: str) -> str:
    """`name` as one harmless path component; names of plug-ins and datasets are only data."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:64].lstrip(".") or "_"
    if safe == name and not name.endswith(".partial"):
        return safe
    return f"{safe[:55]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_DEEPEST = 50
_MOST_DIGITS = 18


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits.lstrip('-'))} digits is too large")
    return int(digits)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {byte: 1 if byte in b"[{" else -1 for byte in b"[]{}"}


def _seems_deep(content: bytes) -> bool:
    """Whether brackets, those in texts among them, are deeper within each other than `_DEEPEST`."""
    if content.count(b"[") + content.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for byte in content.translate(None, _NO_BRACKETS):
        depth += _STEP[byte]
        if depth > _DEEPEST:
            return True
    return False


def _require_shallow(value: Any) -> None:
    """Refuse containers that lie deeper within each other than `_DEEPEST`."""
    level = [value]
    for _ in range(_DEEPEST):
        below = [v.values() if isinstance(v, dict) else v for v in level]
        level = [item for items in below for item in items if isinstance(item, dict | list)]
        if not level:
            return
    raise RecursionError

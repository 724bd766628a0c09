"""Files that are written whole or not at all."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import DataError, ZooError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_OUR_FAULT_NOT = _NO_ROOM | {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}


class StorageError(ZooError):
    """A file cannot be written: no room left, no permission, a failing disk."""


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
        temporary.unlink(missing_ok=True)
        raise storage_error(path, len(content), error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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


def to_json(value: Any) -> bytes:
    """Readable JSON; a number that is not finite is refused, for JSON has no word for it."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()


def read_json(path: Path, limit: int = 64_000_000) -> dict[str, Any]:
    """A JSON object from a file that may have been tampered with.

    Raises:
        DataError: it is missing, larger than `limit` bytes, or no JSON object.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise DataError(f"{path} has {size} bytes, more than the {limit} it may have")
        value = json.loads(path.read_bytes(), parse_constant=_no_constant)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except RecursionError:
        raise DataError(f"{path} is nested too deeply to be one of ours") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a {type(value).__name__}, expected a JSON object")
    return value


def differences(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs between two nested mappings, as ``key: THEN then, NOW now``."""
    found: list[str] = []
    for key in sorted({*then, *now}, key=str):
        path, a, b = f"{prefix}{key}", then.get(key), now.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += differences(a, b, f"{path}.")
        elif a != b or (key in then) != (key in now):
            shown_a = repr(a) if key in then else "nothing"
            shown_b = repr(b) if key in now else "nothing"
            found.append(f"{path}: {shown_a} then, {shown_b} now")
    return found


def path_part(name: str) -> str:
    """`name` as one harmless path component; names of plug-ins and datasets are only data."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:64].lstrip(".") or "_"
    if safe == name and not name.endswith(".partial"):
        return safe
    return f"{safe[:55]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")

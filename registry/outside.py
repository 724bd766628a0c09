"""The door for files that anybody may have put there: regular ones, of a bounded size.

A pipe would block, a device would never end, a folder is none. Whoever reads a file that the zoo
did not write in this process, or that somebody may have changed since, reads it through here.
"""

import os
import stat
from pathlib import Path

from registry.errors import ConfigError, ZooError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_bytes(file: Path, limit: int, *, error: type[ZooError] = ConfigError) -> bytes:
    """The content of a regular file.

    Args:
        file: or a link to one.
        limit: bytes that such a file may have.
        error: class of the errors.

    Raises:
        ZooError: `error`, if it is missing, no regular file, too large, or cannot be read.
    """
    try:
        # Without waiting: to open a pipe waits for its other end.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
        try:
            there = os.fstat(handle)
            if not stat.S_ISREG(there.st_mode):
                raise error(f"{_shown(file)} is {_kind(there.st_mode)}, expected a file")
            size = there.st_size
            content = b"" if size > limit else _content(handle, size, limit)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise error(f"{_shown(file)} does not exist") from None
    except IsADirectoryError:
        raise error(f"{_shown(file)} is a folder, expected a file") from None
    except (OSError, ValueError) as fault:  # ValueError: a name with a zero byte
        mode = _mode(file)
        if mode and not stat.S_ISREG(mode):
            raise error(f"{_shown(file)} is {_kind(mode)}, expected a file") from None
        reason = getattr(fault, "strerror", None) or fault
        raise error(f"{_shown(file)} cannot be read: {reason}") from None
    if max(size, len(content)) > limit:
        size = max(size, len(content))
        raise error(f"{_shown(file)} has {size} bytes, more than the {limit} it may have")
    return content


def _content(handle: int, size: int, limit: int) -> bytes:
    """What an open file holds, read to its end, whatever it says of its size; or just too much."""
    parts = [os.read(handle, size + 1)]
    total = len(parts[0])
    while parts[-1] and total <= limit:
        parts.append(os.read(handle, 1 << 20))
        total += len(parts[-1])
    return b"".join(parts)


def read_text(file: Path, limit: int, *, error: type[ZooError] = ConfigError) -> str:
    """The text of a regular file in UTF-8; otherwise as `read_bytes`.

    Raises:
        ZooError: also where it is not UTF-8; the message names the line.
    """
    content = read_bytes(file, limit, error=error)
    try:
        return content.decode()
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        byte = content[fault.start]
        raise error(f"{_shown(file)}, line {line}: found byte {byte:#x}, expected UTF-8") from None


_BINARY = getattr(os, "O_BINARY", 0)


def _kind(mode: int) -> str:
    return next((words for check, words in _KINDS if check(mode)), "no regular file")


def _mode(file: Path) -> int:
    try:
        return file.stat().st_mode
    except (OSError, ValueError):
        return 0


def _shown(file: Path) -> str:
    """The path without what would break a line or a terminal, and not endlessly long."""
    text = str(file)
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= 400 else f"{text[:200]}…{text[-160:]}"

"""Files from outside as bytes, text and JSON: bounded, in the encodings people have."""

import codecs
import json
import math
from pathlib import Path
from typing import Any

from zoo.data.adapters.base import FaultError

LIMIT = 512 * 2**20
"""Bytes of a file above which it is no recording of a person."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def read_bytes(file: Path, limit: int = LIMIT) -> bytes:
    """The content of a file.

    Raises:
        FaultError: no regular file, unreadable, empty, or larger than `limit`.
    """
    try:
        if not file.is_file():
            found = "a folder" if file.is_dir() else "no regular file"
            raise FaultError("unreadable", None, found, "a file")
        size = file.stat().st_size
        if size > limit:
            raise FaultError(
                "too-large", None, f"{size / 2**20:.0f} MB", f"at most {limit / 2**20:.0f} MB"
            )
        data = file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise FaultError("unreadable", None, reason, "a readable file") from None
    if not data.strip(b"\0 \t\r\n"):
        found = f"an empty file of {len(data)} bytes" if not data else "only blanks"
        raise FaultError("empty", None, found, "a recording")
    return data


def read_text(file: Path) -> str:
    """The text of a file, line ends as line feeds: Unicode by its mark, else UTF-8, else cp1252.

    Raises:
        FaultError: as `read_bytes`.
    """
    return decoded(read_bytes(file))


def decoded(data: bytes) -> str:
    """Bytes as text; see `read_text`. It never fails: what is no text is found as such later."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            text = data.removeprefix(mark).decode(name, errors="replace")
            break
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def head_of(path: Path, size: int = 65536) -> str:
    """How a file begins; empty for a folder or what cannot be read. It never raises."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as opened:
            return decoded(opened.read(size))
    except (OSError, ValueError):
        return ""


def read_json(file: Path) -> Any:
    """What a JSON file holds, or a list of the lines of a file of one JSON value a line.

    NaN, Infinity and null are taken; what they mean is the reader's to say.

    Raises:
        FaultError: as `read_bytes`, no JSON, cut short, or nested too deep.
    """
    text = read_text(file)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if error.msg == "Extra data" and len(lines) > 1:
            return _lines(text)
        raise _no_json(error, text) from None
    except (RecursionError, MemoryError):
        raise FaultError(
            "nesting", None, "lists in lists without end", "frames of joints"
        ) from None
    except ValueError as error:  # a number of thousands of digits
        raise FaultError("json", None, str(error), "numbers of coordinates") from None


def number(value: Any) -> float:
    """A number of JSON, NaN for null.

    Raises:
        FaultError: it is something else.
    """
    if value is None:
        return math.nan
    if type(value) not in (int, float):
        raise FaultError("not-a-number", None, f"{str(value)[:40]!r} as a coordinate", "a number")
    return float(value) if abs(value) < 1e300 else math.nan


def _lines(text: str) -> list[Any]:
    values = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise FaultError("json", number, str(error), "one JSON value a line") from None
    return values


def _no_json(error: json.JSONDecodeError, text: str) -> FaultError:
    if not text[error.pos :].strip():
        return FaultError("truncated", error.lineno, "the end of the file", "more JSON")
    place = f"{text[error.pos : error.pos + 20]!r} at column {error.colno} ({error.msg})"
    return FaultError("json", error.lineno, place, "JSON")

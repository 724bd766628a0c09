"""Reading numeric text files: fast when they are sound, exact about the place when they are not."""

import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError

BOM = b"\xef\xbb\xbf"
TEXT = "latin-1"  # never fails; what is no number is found as such
MOST_BYTES = 1_000_000_000
"""Of a text file: 14 times the largest one published (STGCN-rehab's exercise 3, 70 MB)."""


@dataclass(frozen=True)
class Rows:
    """What a file holds.

    Attributes:
        values: (rows, width) float32.
        lines: line of each row in the file, counted from 1 (rows,).
        widths: how many values the rows have in the file; larger than `width` where only the
            first ones were taken.
        broken: the fault of a last row that breaks off and was left out; None where none does.
    """

    values: NDArray[np.float32]
    lines: NDArray[np.int64]
    widths: tuple[int, ...]
    broken: FaultError | None = None


def read_rows(file: Path, width: int, multiples: tuple[int, ...] = (1,), meaning: str = "") -> Rows:
    """Reads comma-separated rows of numbers; blank lines and one comma after a row are allowed.

    Args:
        file: the file.
        width: values per row.
        multiples: a row may also have so many times `width` values; the first are taken.
        meaning: what the values are, behind their number in messages.

    Raises:
        FaultError: the file cannot be read, is empty or cut short, a row has another width, or a
            value is no finite number.
    """
    numbered = numbered_lines(file)
    lines = [line for _, line in numbered]
    commas = [line.count(",") for line in lines]
    allowed = {m * width - 1 + extra: m * width for m in multiples for extra in (0, 1)}
    if width == 1:  # here a comma more would be a value more
        allowed = {m - 1: m for m in multiples}
    others = [str(m * width) for m in multiples if m != 1]
    known = f" (or {' or '.join(others)}, of which the first {width} count)" if others else ""
    wanted = f"{width} values{known}{meaning}"
    for (number, line), count in zip(numbered, commas, strict=True):
        if count not in allowed or (count == allowed[count] and not line.rstrip().endswith(",")):
            last = number == numbered[-1][0] and len(numbered) > 1
            kind = "truncated" if last and count < commas[0] else "row-width"
            raise FaultError(kind, number, f"{_values(line)} values", wanted)
    if len(set(commas)) == 2 and commas[-1] == commas[0] - 1 and not _ends_with_newline(file):
        raise FaultError(
            "truncated",
            numbered[-1][0],
            f"a last row that breaks off after {lines[-1][-20:]!r}",
            "a comma and a line end, as after the other rows",
        )
    try:
        values = np.loadtxt(
            lines,
            dtype=np.float32,
            delimiter=",",
            usecols=range(width),
            comments=None,
            ndmin=2,
        )
    except ValueError:
        raise _locate(numbered, width) from None
    if not np.isfinite(values).all():
        raise _locate(numbered, width)
    numbers = np.array([number for number, _ in numbered], dtype=np.int64)
    return Rows(values, numbers, tuple(sorted({allowed[count] for count in commas})))


def read_spaced_rows(file: Path, width: int) -> Rows:
    """Reads rows of numbers separated by spaces; blank lines are allowed.

    A last row that breaks off costs itself alone (`Rows.broken`).

    Args:
        file: the file.
        width: values per row.

    Raises:
        FaultError: as `read_rows`.
    """
    numbered = [(number, line.split()) for number, line in numbered_lines(file)]
    broken = None
    if len(numbered) > 1 and len(numbered[-1][1]) < width:
        number, row = numbered.pop()
        wanted = f"{width} values separated by spaces; the row is left out"
        broken = FaultError("truncated", number, f"a last row of {len(row)} values", wanted)
    for number, row in numbered:
        if len(row) != width:
            wanted = f"{width} values separated by spaces"
            raise FaultError("row-width", number, f"{len(row)} values", wanted)
    fields = [row for _, row in numbered]
    numbers = np.array([number for number, _ in numbered], dtype=np.int64)
    commas = [(n, ",".join(row)) for n, row in zip(numbers.tolist(), fields, strict=True)]
    try:
        values = np.array(fields).astype(np.float32)
    except ValueError:
        raise _locate(commas, width) from None
    if not np.isfinite(values).all():
        raise _locate(commas, width)
    return Rows(values, numbers, (width,), broken)


def numbered_lines(file: Path) -> list[tuple[int, str]]:
    """The lines that are not blank, each with its number, counted from 1.

    Raises:
        FaultError: the file cannot be read or has no such line.
    """
    try:
        known = file.stat()
        if not stat.S_ISREG(known.st_mode):
            raise FaultError("unreadable", None, "no regular file", "a text file")
        if known.st_size > MOST_BYTES:
            size = f"a file of {known.st_size / 1e9:.1f} GB"
            raise FaultError("too-large", None, size, f"at most {MOST_BYTES / 1e9:g} GB")
        data = file.read_bytes().removeprefix(BOM)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FaultError("unreadable", None, reason, "a readable file") from None
    text = data.decode(TEXT).replace("\r\n", "\n").replace("\r", "\n")
    numbered = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not numbered:
        found = f"an empty file of {len(data)} bytes" if not data else "only blank lines"
        raise FaultError("empty", None, found, "rows of numbers")
    return numbered


def first_line(file: Path) -> str:
    """The first line of a file; empty where there is none or the file cannot be read."""
    try:
        with file.open(encoding=TEXT) as opened:
            return opened.readline()
    except OSError:
        return ""


def _values(line: str) -> int:
    fields = line.split(",")
    return len(fields) - (len(fields) > 1 and not fields[-1].strip())


def _ends_with_newline(file: Path) -> bool:
    return file.read_bytes().endswith((b"\n", b"\r"))


def _locate(numbered: list[tuple[int, str]], width: int) -> FaultError:
    """The first value that is no finite number; slow, for a file known to have one."""
    for number, line in numbered:
        for column, text in enumerate(line.split(",")[:width], start=1):
            shown = f"{text.strip()[:40]!r} as value {column}"
            try:
                with np.errstate(over="ignore"):
                    value = np.float32(float(text))
            except ValueError:
                return FaultError("not-a-number", number, shown, "a number")
            if not np.isfinite(value):
                return FaultError("not-finite", number, shown, "a finite number")
    return FaultError("unreadable", None, "values that are no plain decimals", "numbers")

"""Tables of numbers in text files: any usual separator, decimal commas, a header or none."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError
from zoo.data.readers.text import head_of, read_text

Floats = NDArray[np.float64]

LOST = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "inf", "-inf", "+inf", "infinity"})
"""What stands for no number."""

PARTS = {
    "x": "x", "y": "y", "z": "z",
    "confidence": "confidence", "conf": "confidence", "c": "confidence", "score": "confidence",
    "likelihood": "confidence", "visibility": "confidence", "vis": "confidence",
    "v": "confidence", "prob": "confidence", "probability": "confidence", "p": "confidence",
    "state": "state", "tracked": "state", "trackingstate": "state", "tracking": "state",
    "presence": "presence",
}  # fmt: skip
"""What a column of a joint can be, by how it is called."""

_PART = "|".join(sorted(PARTS, key=len, reverse=True))
_BETWEEN = r"[\s_.:/|\-]+"
_AFTER = re.compile(rf"(.*\S){_BETWEEN}\(?({_PART})\)?", re.IGNORECASE)
_BEFORE = re.compile(rf"({_PART}){_BETWEEN}(\S.*)", re.IGNORECASE)
_NUMBER_AFTER = re.compile(r"(x|y|z|v|c|p)(\d+)", re.IGNORECASE)
_NUMBER_BEFORE = re.compile(r"(\d+)(x|y|z|v|c|p)", re.IGNORECASE)
_CAPITAL = re.compile(r"(.*[a-z0-9)])(X|Y|Z)")
_TIME = re.compile(
    r"(?:time|times|timestamps?|time[\s_]stamps?|t|seconds|secs?)"
    r"(?:[\s_\[(]*(s|secs?|seconds|ms|msec|millis|milliseconds|us|µs|microseconds|ns|nanoseconds)"
    r"[\])]*)?",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"(?:frames?(?:[\s_]?(?:no|nr|id|num|number|index|idx|#))?\.?#?|index|idx|unnamed:\s*\d+|)",
    re.IGNORECASE,
)
_UNITS = {"s": "s", "m": "ms", "u": "µs", "µ": "µs", "n": "ns"}


@dataclass(frozen=True)
class Table:
    """The cells of a text file.

    Attributes:
        header: names of the columns, stripped; empty where there is no header.
        rows: cells (rows, columns), stripped.
        lines: line of each row in the file, counted from 1.
        comma: True where decimals stand behind a comma.
    """

    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    comma: bool

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0]) if self.rows else len(self.header)

    def numbers(self, columns: Sequence[int]) -> Floats:
        """The numbers of some columns (rows, columns), NaN for a cell without one.

        Raises:
            FaultError: a cell that holds neither a number nor one of `LOST`.
        """
        found = np.empty((len(self.rows), len(columns)))
        for i, row in enumerate(self.rows):
            try:
                found[i] = [float(row[column]) for column in columns]
            except ValueError:
                found[i] = [self._number(i, column) for column in columns]
        found[~np.isfinite(found)] = np.nan
        return found

    def _number(self, row: int, column: int) -> float:
        text = self.rows[row][column]
        if text.lower() in LOST:
            return np.nan
        try:
            return float(text.replace(",", ".") if self.comma else text)
        except ValueError:
            name = self.header[column] if self.header else f"value {column + 1}"
            found = f"{text[:40]!r} as {name[:60]}"
            raise FaultError("not-a-number", self.lines[row], found, "a number") from None


@dataclass
class Columns:
    """What the columns of a header are.

    Attributes:
        joints: joint → part (x, y, z, confidence, state) → column.
        time: column of the time, or None.
        unit: of the time: s, ms, µs, ns; empty where the name does not say.
        frame: column of the frames' numbers, or None.
        others: columns that are none of these.
    """

    joints: dict[str, dict[str, int]] = field(default_factory=dict)
    time: int | None = None
    unit: str = ""
    frame: int | None = None
    others: list[int] = field(default_factory=list)


def read_table(file: Path) -> Table:
    """The table in a text file; blank lines and one separator after every row are allowed.

    Raises:
        FaultError: unreadable or empty, or rows of different lengths.
    """
    table = table_of(read_text(file))
    if not table.rows:
        raise FaultError("empty", None, "a header alone", "rows of numbers")
    for number, row in zip(table.lines, table.rows, strict=True):
        width = len(table.header) or table.width
        if len(row) != width:
            last = number == table.lines[-1] and len(row) < width and len(table.rows) > 1
            kind = "truncated" if last else "row-width"
            raise FaultError(kind, number, f"{len(row)} values", f"{width} as in the first line")
    return table


def glance(path: Path) -> Table | None:
    """The first rows of a file that are as long as the first; None where it is no text."""
    text = head_of(path)
    if not text or "\0" in text:
        return None
    whole, _, last = text.rpartition("\n")
    try:
        table = table_of(whole or last)
    except FaultError:
        return None
    even = [row for row in table.rows if len(row) == (len(table.header) or table.width)]
    return Table(table.header, even, table.lines[: len(even)], table.comma)


def columns_of(header: Sequence[str]) -> Columns:
    """What the columns of a header are, by their names."""
    found = Columns()
    for place, name in enumerate(header):
        joint, part = split_name(name)
        timed = _TIME.fullmatch(name)
        if timed is not None and found.time is None:
            found.time, found.unit = place, _UNITS.get((timed[1] or " ")[0].lower(), "")
        elif _FRAME.fullmatch(name):
            if found.frame is None:
                found.frame = place
        elif part and part not in found.joints.get(joint, {}):
            found.joints.setdefault(joint, {})[part] = place
        else:
            found.others.append(place)
    incomplete = [j for j, parts in found.joints.items() if not {"x", "y"} <= parts.keys()]
    for joint in incomplete:
        found.others += found.joints.pop(joint).values()
    return found


def frame_numbers(table: Table, columns: Columns) -> list[int] | None:
    """Numbers of the frames, where a column has whole ones and none has times."""
    if columns.frame is None or columns.time is not None:
        return None
    numbers = table.numbers([columns.frame])[:, 0]
    whole = np.isfinite(numbers) & (numbers == np.round(numbers)) & (np.abs(numbers) < 2**50)
    return [int(number) for number in numbers] if whole.all() else None


def split_name(name: str) -> tuple[str, str]:
    """Joint and part of a column: ``Nose_x``, ``x_Nose``, ``x1`` or ``NoseX``; empty of others."""
    name = re.sub(r"[()\[\]'\",]+", " ", name).strip()
    name = re.sub(r"\s+(m|mm|cm|px)$", "", name)
    for pattern, joint, part in (
        (_AFTER, 1, 2),
        (_BEFORE, 2, 1),
        (_NUMBER_AFTER, 2, 1),
        (_NUMBER_BEFORE, 1, 2),
        (_CAPITAL, 1, 2),
    ):
        match = pattern.fullmatch(name)
        if match is not None:
            return match[joint].strip(), PARTS[match[part].lower()]
    return "", ""


def numbered_header(cells: Sequence[str]) -> bool:
    """Whether a first row counts its columns, from 0 or 1, as pandas writes without names."""
    counted = [cell for cell in cells if cell]
    if len(counted) < max(len(cells) - 1, 4) or not all(cell.isdecimal() for cell in counted):
        return False
    numbers = [int(cell[:9]) for cell in counted]
    return numbers in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))


def table_of(text: str) -> Table:
    """The table in a text, rows of unequal lengths too.

    Raises:
        FaultError: a row that cannot be cut into cells.
    """
    numbered = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not numbered:
        return Table((), [], [], False)
    first = numbered[0][1]
    separator = next((s for s in (";", "\t", ",") if s in first), None)
    quoted = '"' in text
    cells: list[list[str]] = []
    for number, line in numbered:
        try:
            row = (
                next(csv.reader([line], delimiter=separator or " "))
                if quoted and separator
                else (line.split(separator))
            )
        except csv.Error as error:
            raise FaultError("table", number, str(error), "cells and separators") from None
        cells.append([cell.strip() for cell in row])
    if separator and all(not row[-1] for row in cells) and len({len(row) for row in cells}) == 1:
        cells = [row[:-1] for row in cells]
    header = cells[0] if _is_header(cells[0]) else []
    rows = cells[1:] if header else cells
    lines = [number for number, _ in numbered][1 if header else 0 :]
    comma = separator in (";", "\t") and any("," in cell for row in rows[:50] for cell in row)
    return Table(tuple(header), rows, lines, comma)


def _is_header(cells: Sequence[str]) -> bool:
    if numbered_header(cells):
        return True
    return any(cell.lower() not in LOST and not is_number(cell) for cell in cells) and not any(
        "." in cell and is_number(cell) for cell in cells
    )


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with a decimal point or comma."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True

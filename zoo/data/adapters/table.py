"""Tables that people keep in spreadsheets: a header, then a row an item, as CSV."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.data.adapters.base import FaultError
from zoo.data.readers.text import decoded, read_bytes

MOST_BYTES = 64_000_000

_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Attributes:
        columns: names in the header, in lower case, as they stand from the left.
        rows: every row that is not blank.
    """

    columns: tuple[str, ...]
    rows: tuple["Row", ...]


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        line: in the file, counted from 1.
        cells: text by column, without blanks around it; empty cells are empty texts.
    """

    line: int
    cells: Mapping[str, str]

    def number(self, column: str, expected: str) -> float | None:
        """The number in a cell; None for an empty one. A decimal comma is a decimal point.

        Raises:
            FaultError: it is no finite number.
        """
        text = self.cells.get(column, "")
        if not text:
            return None
        value = number_of(text)
        if value is None:
            raise FaultError("not-a-number", self.line, f"{column} {text!r}", expected)
        return value


def number_of(text: str) -> float | None:
    """The finite number that a text is, with a decimal point or comma; None if it is none."""
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    plain = not text.strip("+-.0123456789eE")  # not nan, inf or 1_000
    return value if plain and abs(value) < float("inf") else None


def read_table(file: Path) -> Table:
    """Reads a table: comma, semicolon or tab between cells, UTF-8, UTF-16 or Windows-1252.

    That is what spreadsheets write, in whatever country. Cells may be quoted.

    Raises:
        FaultError: it cannot be read, has no header, names a column twice, or a row has more cells
            than the header.
    """
    text = _text(file)
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: list[str] | None = None
    rows = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if columns is None:
                columns = _columns(cells, reader.line_num)
                continue
            if any(cells[len(columns) :]):
                raise FaultError(
                    "row-width",
                    reader.line_num,
                    f"{len(cells)} cells",
                    f"{len(columns)}, as in the header (a cell with {separator!r} in it stands in "
                    "quotes)",
                )
            cells += [""] * (len(columns) - len(cells))
            named = zip(columns, cells, strict=False)
            rows.append(Row(reader.line_num, {name: cell for name, cell in named if name}))
    except csv.Error as error:
        raise FaultError("table", reader.line_num, str(error), "a table as CSV") from None
    if columns is None:
        raise FaultError("empty", None, "an empty file", "a header with the names of columns")
    return Table(tuple(filter(None, columns)), tuple(rows))


def _columns(cells: list[str], line: int) -> list[str]:
    names = [cell.lower() for cell in cells]
    for name, count in Counter(filter(None, names)).items():
        if count > 1:
            raise FaultError("column", line, f"{count} columns called {name!r}", "each name once")
    return names


def _text(file: Path) -> str:
    if not file.exists():
        raise FaultError("missing", None, "no such file", "a table as CSV")
    data = read_bytes(file, MOST_BYTES)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FaultError("workbook", None, "a workbook", "a table, saved as CSV")
    text = decoded(data)
    if "\0" in text:
        raise FaultError("encoding", None, "bytes that are no text", "a table as CSV")
    return text

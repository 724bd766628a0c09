"""KIMORE's clinical scores, from its workbooks."""

import math
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from zoo.data.adapters.base import FaultError, PrepareReport, Problem
from zoo.data.adapters.kimore_tree import Session, Tree

SCORES = {"TS": ("total", 50.0), "PO": ("primary", 15.0), "CF": ("control", 35.0)}
"""Column code → name of the score and its highest value; the lowest is 0."""

_HEADER = re.compile(r"clinical\s+(TS|PO|CF)\s+Ex\s*#?\s*([1-5])", re.IGNORECASE)
_SUBJECT = ("", "Subject ID")
_EXPECTED = "a sheet with the columns 'Subject ID', 'clinical TS Ex#1' … 'clinical CF Ex#5'"
_SUM_TOLERANCE = 0.02
_MOST_BYTES = 50_000_000

Cell = object


@dataclass
class Sheet:
    """The scores of one person, as one workbook gives them.

    Attributes:
        file: the workbook, as messages show it.
        line: row of the values in the sheet, counted from 1.
        cells: (column code, exercise) → cell.
    """

    file: str
    line: int
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)


class ScoreReader:
    """Reads the scores of sessions.

    The sheet in any ``Es`` folder covers all five exercises of a person: a session takes its own
    folder's, and where that is missing or cannot be used another one of the same person.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._sheets: dict[Path, Sheet | Problem] = {}

    def scores(
        self, session: Session, siblings: list[Session], report: PrepareReport
    ) -> dict[str, float]:
        """The scores of one session by name, without those that are missing or impossible.

        Args:
            session: whose scores.
            siblings: all sessions of the same person.
            report: told what is missing or impossible, and of oddities that cost nothing.
        """
        sheet = self._find(session, siblings, report)
        if sheet is None:
            return {}
        scores: dict[str, float] = {}
        empty: list[str] = []
        for code, (name, highest) in SCORES.items():
            value = _score(sheet, code, session.exercise, highest)
            if value is None:
                empty.append(code)
            elif isinstance(value, Problem):
                report.fault(session.id, value)
            else:
                scores[name] = value
        if empty:
            found = f"no value of clinical {', '.join(empty)} for exercise {session.exercise}"
            wanted = "TS, PO and CF as numbers"
            report.fault(session.id, Problem("no-score", sheet.file, sheet.line, found, wanted))
        if len(scores) == len(SCORES):
            off = scores["total"] - scores["primary"] - scores["control"]
            if abs(off) > _SUM_TOLERANCE:
                report.note(
                    f"{session.id}: total differs from primary + control by {off:.2f}; kept"
                )
        return scores

    def _find(
        self, session: Session, siblings: list[Session], report: PrepareReport
    ) -> Sheet | None:
        told = False
        for other in sorted(siblings, key=lambda s: s is not session):
            for file in other.workbooks():
                read = self._sheet(file, session.subject)
                if isinstance(read, Sheet):
                    if other is not session:
                        report.note(f"{session.id}: no scores of its own, taken from {read.file}")
                    return read
                if other is session:
                    report.fault(session.id, read)
                    told = True
        if not told:
            folder = self._tree.name(session.folder or session.person)
            wanted = f"Label/ClinicalAssessment_{session.subject}.xlsx"
            problem = Problem("no-workbook", folder, None, "no workbook with scores", wanted)
            report.fault(session.id, problem)
        return None

    def _sheet(self, file: Path, subject: str) -> Sheet | Problem:
        if file not in self._sheets:
            try:
                self._sheets[file] = _read_sheet(file, self._tree.name(file), subject)
            except FaultError as error:
                self._sheets[file] = error.problem
        return self._sheets[file]


def _require_small(file: Path, shown: str) -> None:
    """That a workbook, which is a zip file, is as small as it says once it is unpacked.

    Raises:
        FaultError: it is too large, or no sound zip file.
    """
    try:
        with zipfile.ZipFile(file) as book:
            size = sum(entry.file_size for entry in book.infolist())
            if size > _MOST_BYTES:
                found = f"a workbook that unpacks to {size / 1e6:.0f} MB"
                wanted = f"at most {_MOST_BYTES / 1e6:g} MB"
                raise FaultError("too-large", None, found, wanted, shown)
            damaged = book.testzip()  # reads no more than was announced
            if damaged is not None:
                raise zipfile.BadZipFile(f"{damaged} in it is damaged, or larger than it says")
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError,
            RuntimeError) as error:  # fmt: skip
        raise FaultError("broken-workbook", None, f"{error}", "an Excel workbook", shown) from None


def _read_sheet(file: Path, shown: str, subject: str) -> Sheet:
    _require_small(file, shown)
    try:
        with CalamineWorkbook.from_path(file) as book:
            sheets = [
                book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                for name in book.sheet_names
            ]
    except (CalamineError, OSError) as error:
        raise FaultError("broken-workbook", None, f"{error}", "an Excel workbook", shown) from None
    first: list[list[Cell]] = next((rows for rows in sheets if rows), [])
    for rows in sheets:
        for number, row in enumerate(rows, start=1):
            columns = _columns(row)
            if len(columns) == len(SCORES) * 5 + 1:
                return _values(shown, rows, number, columns, subject)
    head = ", ".join(repr(str(cell)) for cell in first[0][:3]) if first else "an empty sheet"
    raise FaultError("wrong-sheet", 1, head, _EXPECTED, shown)


def _columns(row: list[Cell]) -> dict[tuple[str, str], int]:
    """Where the header row has which score; empty for any other row."""
    found: dict[tuple[str, str], int] = {}
    for column, cell in enumerate(row):
        text = " ".join(str(cell).split())
        if match := _HEADER.fullmatch(text):
            found[match[1].upper(), match[2]] = column
        elif text.casefold() == _SUBJECT[1].casefold():
            found[_SUBJECT] = column
    return found


def _values(
    shown: str,
    rows: list[list[Cell]],
    header: int,
    columns: dict[tuple[str, str], int],
    subject: str,
) -> Sheet:
    """The row of `subject` below the header in line `header`."""
    named: list[str] = []
    for number, row in enumerate(rows[header:], start=header + 1):
        name = str(row[columns[_SUBJECT]]).strip()
        if name.casefold() == subject.casefold():
            return Sheet(shown, number, {key: row[column] for key, column in columns.items()})
        if name:
            named.append(name)
    found = f"the scores of {', '.join(named[:3])}" if named else "no row of values"
    raise FaultError("wrong-sheet", header + 1, found, f"the scores of {subject}", shown)


def _score(sheet: Sheet, code: str, exercise: str, highest: float) -> float | Problem | None:
    """The score in one cell, None where the cell is empty."""
    cell = sheet.cells[code, exercise]
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        value = float(cell) if isinstance(cell, int | float | str) else math.nan
    except ValueError:
        value = math.nan
    if isinstance(cell, bool) or not 0 <= value <= highest:
        expected = f"clinical {code} of exercise {exercise}, a number from 0 to {highest:g}"
        return Problem("bad-score", sheet.file, sheet.line, repr(cell), expected)
    return value

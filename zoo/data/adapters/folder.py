"""A folder of recordings as a dataset: ``recordings.csv`` says whose, ``dataset.yaml`` what.

No code is needed: the files are read by a reader of the registry, which ``dataset.yaml`` names.
"""

import inspect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from registry import READERS, did_you_mean
from zoo.data.adapters.base import Adapter, FaultError, PrepareReport, Problem, Progress, Reader
from zoo.data.adapters.description import FILL_IN, Description
from zoo.data.adapters.table import Row, Table, number_of, read_table
from zoo.data.readers import load_reader, readers_of
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import load_layout, own_layout
from zoo.words import some

TABLE = "recordings.csv"

COLUMNS = ("file", "person", "exercise", "group", "session", "score", "fps", "id")
"""Columns with a meaning; ``score_NAME`` is a part of the score, any other is kept as it is."""

PART = "score_"


class FolderAdapter(Adapter, Reader):
    """Reads a folder with ``recordings.csv`` and ``dataset.yaml``; see docs/own-recordings.md.

    Args:
        reader: name of the reader of the files.
        settings: of the reader.
        layout: name of the skeleton layout where the files do not fix it, or joints as in
            ``configs/layout``; None leaves it to the reader.

    Raises:
        ConfigError: the reader has no such setting.
        RegistryError: there is no such reader or layout.
    """

    def __init__(
        self,
        reader: str,
        settings: Mapping[str, Any] | None = None,
        layout: str | Mapping[str, Any] | None = None,
    ) -> None:
        self.reader = reader
        self._settings = dict(settings or {})
        if isinstance(layout, Mapping):
            layout = own_layout(layout).name
        if layout is not None and "layout" in reader_settings(reader):
            self._settings["layout"] = layout
        made = self._reader()
        self.layout = made.layout
        self.suffixes = made.suffixes

    @classmethod
    def parameters_of(cls, source: Path) -> dict[str, Any]:
        """The arguments that ``dataset.yaml`` in `source` gives.

        Where it leaves the layout to the files, it is the one of the first that can be read.

        Raises:
            DataError: as `Description.read`, or an argument that is none.
        """
        described = Description.read(source)
        params: dict[str, Any] = {
            "reader": described.reader,
            "settings": dict(described.settings),
            "layout": described.layout,
        }
        with described.at("reader"):
            takes = reader_settings(described.reader)
        with described.at("layout"):
            if isinstance(described.layout, Mapping):
                own_layout(described.layout)
            elif described.layout is not None:
                load_layout(described.layout)
            unused = described.layout is not None and "layout" not in takes
            if unused and load_reader(described.reader).layout != described.layout:
                raise ConfigError(
                    f"layout is given, but the reader {described.reader} has one of its own: "
                    "delete this line"
                )
        with described.at("settings"):
            adapter = cls(**params)
        if not adapter.layout:
            adapter.look(source)
            first = adapter._first(source)
            params["layout"] = None if first is None else first.layout
        return params

    def look(self, source: Path | None) -> None:
        """Takes what ``dataset.yaml`` says; see `Adapter.look`."""
        assert source is not None
        described = Description.read(source)
        self.title, self.citation = described.title, described.citation
        self.licence, self.url = described.licence, described.url
        self.score_range = described.scores.range
        self.binary = described.scores.binary
        self.exercises = dict(described.exercises)
        self.fps = self._usual_fps(source)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """Yields a recording for each row of the table; see `Adapter.read`."""
        assert source is not None
        table = self._table(source)
        _note_oddities(table, report)
        numbers = _columns_of_numbers(table)
        files: dict[str, int] = {}
        ids: dict[str, int] = {}
        said: dict[str, list[str]] = {}
        for done, row in enumerate(table.rows, start=1):
            shown = row.cells["file"]
            key = _id_of(row)
            try:
                file = _inside(source, row)
                _once(files, str(file), row, f"the file {shown}")
                _once(ids, key, row, f"the id {key}")
                exercise = self._exercise(row)
                fps = _fps(row)
            except FaultError as error:
                report.skip(key, replace(error.problem, file=TABLE))
            else:
                recording = self._one(file, source, key, fps, report, said)
                if recording is not None:
                    yield replace(
                        recording,
                        id=key,
                        subject=row.cells.get("person") or UNKNOWN_SUBJECT,
                        group=row.cells.get("group", ""),
                        exercise=exercise,
                        session=row.cells.get("session", ""),
                        scores=self._scores(row, key, report),
                        extra={**recording.extra, **_extra(row, numbers)},
                    )
            progress(done, len(table.rows), key)
        for note, keys in said.items():
            whose = "all recordings" if len(keys) == len(table.rows) > 1 else some(keys)
            report.note(f"{whose}: {note}")
        self._note_files_without_a_row(source, {Path(name) for name in files}, report)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`."""
        return self._reader().looks_like(path)

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """A file of the same form, wherever it is; see `Reader.read_file`."""
        yield from self._reader().read_file(file, report)

    def _reader(self, fps: float | None = None) -> Reader:
        own = {"fps": fps} if fps is not None and "fps" in reader_settings(self.reader) else {}
        return load_reader(self.reader, **{**self._settings, **own})

    def _one(
        self,
        file: Path,
        source: Path,
        key: str,
        fps: float | None,
        report: PrepareReport,
        said: dict[str, list[str]],
    ) -> Recording | None:
        """The one recording of a file; None where it cannot be used, which the report is told.

        What its reader notes is gathered in `said`, with the recordings of which it is true.
        """
        shown = file.relative_to(source).as_posix()
        own = PrepareReport(report.strict)
        try:
            found = list(self._reader(fps).read_file(file, own))
            if len(found) != 1:
                raise FaultError(
                    "recordings", None, f"{len(found)} recordings",
                    f"one: a row of {TABLE} is a recording",
                )  # fmt: skip
            if found[0].layout != self.layout:
                what = f"joints of the layout {found[0].layout}"
                raise FaultError("layout", None, what, f"{self.layout}, as the other recordings")
        except FaultError as error:
            others = [name for name in readers_of(file) if name != self.reader]
            like = f"; it looks like a file of {' or '.join(others)}" if others else ""
            problem = error.problem
            report.skip(key, replace(problem, file=shown, expected=f"{problem.expected}{like}"))
            return None
        except DataError as error:
            report.skip(key, Problem("unreadable", shown, None, str(error), "a readable recording"))
            return None
        for problem in own.problems:
            report.fault(key, replace(problem, file=shown))
        for note in own.notes:
            said.setdefault(note.removeprefix(f"{found[0].id}: "), []).append(key)
        (recording,) = found
        if fps is None or fps == recording.fps or recording.timestamps is not None:
            return recording
        return replace(recording, fps=fps)

    def _table(self, source: Path) -> Table:
        """The table, looked at as a whole.

        Raises:
            DataError: it cannot be read, lacks a column, or something is still to be filled in.
        """
        file = source / TABLE
        try:
            table = read_table(file)
        except FaultError as error:
            more = f". {Description.HOW_TO_BEGIN}" if error.problem.kind == "missing" else ""
            raise DataError(f"{replace(error.problem, file=str(file))}{more}") from None
        for column in ("file", "person", *(("exercise",) if len(self.exercises) > 1 else ())):
            if column not in table.columns:
                near = did_you_mean(column, table.columns)
                raise DataError(f"{file}, line 1: it has no column {column!r}. {near}")
        unfilled = [(row, c) for row in table.rows for c, v in row.cells.items() if v == FILL_IN]
        if unfilled:
            row, column = unfilled[0]
            more = f" ({len(unfilled) - 1} more cells like this)" if len(unfilled) > 1 else ""
            raise DataError(
                f"{file}, line {row.line}: found {FILL_IN} as {column}, expected "
                f"{self._expected(column)}{more}"
            )
        if not table.rows:
            raise DataError(f"{file}: no row stands below the header, expected one a recording")
        return table

    def _expected(self, column: str) -> str:
        low, high = self.score_range
        return {
            "person": "who performs, under a name that is the same in all their recordings; "
            "nothing where nobody knows",
            "exercise": f"one of {', '.join(self.exercises)}",
            "score": f"a number from {low:g} to {high:g}; nothing where there is no score",
            "fps": "frames a second",
        }.get(column, "a value, or nothing")

    def _exercise(self, row: Row) -> str:
        name = row.cells.get("exercise", "")
        if not name and len(self.exercises) == 1:
            return next(iter(self.exercises))
        if name not in self.exercises:
            near = did_you_mean(name, self.exercises)
            raise FaultError(
                "exercise", row.line, f"exercise {name!r}",
                f"one of the exercises in dataset.yaml. {near}",
            )  # fmt: skip
        return name

    def _scores(self, row: Row, key: str, report: PrepareReport) -> dict[str, float]:
        """The scores of a row; one that is none is told and left out."""
        low, high = self.score_range
        scores = {}
        for column in row.cells:
            if column != "score" and not column.startswith(PART):
                continue
            total = column == "score"
            expected = self._expected("score") if total else "a number, or nothing"
            try:
                value = row.number(column, expected)
                if value is not None and total and not low <= value <= high:
                    raise FaultError("score-range", row.line, f"score {value:g}", expected)
                if value is not None and total and self.binary and value not in (0, 1):
                    raise FaultError("score-range", row.line, f"score {value:g}", "1 or 0")
            except FaultError as error:
                report.fault(key, replace(error.problem, file=TABLE))
            else:
                if value is not None:
                    scores["total" if total else column.removeprefix(PART)] = value
        return scores

    def _usual_fps(self, source: Path) -> float:
        """The commonest frame rate of the table, else the settings', else that of a recording."""
        rates = [number_of(row.cells.get("fps", "")) for row in self._table(source).rows]
        counted = Counter(rate for rate in rates if rate is not None and rate > 0)
        if counted:
            return counted.most_common(1)[0][0]
        first = self._first(source)
        return 30.0 if first is None else first.fps  # nothing can be read: `read` will tell

    def _first(self, source: Path) -> Recording | None:
        """The first recording of the table that can be read."""
        for row in self._table(source).rows:
            try:
                recordings = self._reader(_fps(row)).read_file(
                    _inside(source, row), PrepareReport()
                )
                return next(iter(recordings))
            except (DataError, StopIteration):
                continue
        return None

    def _note_files_without_a_row(
        self, source: Path, listed: set[Path], report: PrepareReport
    ) -> None:
        suffixes = {file.suffix.lower() for file in listed if file.suffix}
        folders = {file.parent for file in listed}
        reader = self._reader()
        extra = sorted(
            file.relative_to(source).as_posix()
            for folder in folders
            if folder.is_dir()
            for file in folder.iterdir()
            if file not in listed and file.name not in (TABLE, f"{TABLE}~")
            if file.suffix.lower() in suffixes and reader.looks_like(file)
        )
        if extra:
            shown = ", ".join(extra[:5]) + (" and more" if len(extra) > 5 else "")
            report.note(f"{len(extra)} files have no row in {TABLE} and were left out: {shown}")


def reader_settings(name: str) -> list[str]:
    """What a reader can be told when it is made: the parameters of its class."""
    return list(inspect.signature(READERS.get(name).load()).parameters)


def _id_of(row: Row) -> str:
    own = row.cells.get("id", "")
    file = PurePosixPath(row.cells["file"].replace("\\", "/"))
    return own or str(file.with_suffix("") if file.suffix else file)


def _inside(source: Path, row: Row) -> Path:
    """The file that a row names.

    Raises:
        FaultError: it names none, one outside the folder, or one that is not there.
    """
    name = row.cells["file"].replace("\\", "/")
    if not name:
        raise FaultError("file", row.line, "an empty cell as file", "a file of this folder")
    within = PurePosixPath(name)
    if within.is_absolute() or ".." in within.parts or ":" in within.parts[0]:
        raise FaultError("file", row.line, f"file {name!r}", "a path inside this folder")
    file = source.joinpath(*within.parts)
    if not file.exists():
        known = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
        near = f". {did_you_mean(file.name, known)}" if len(known) > 1 else ""
        near = near if "Did you mean" in near else ""
        raise FaultError("missing", row.line, f"no file {name}", f"a file of this folder{near}")
    return file


def _once(seen: dict[str, int], name: str, row: Row, what: str) -> None:
    if name in seen:
        raise FaultError(
            "twice", row.line, f"{what} again", f"each once; it stands in line {seen[name]} already"
        )
    seen[name] = row.line


def _fps(row: Row) -> float | None:
    expected = "frames a second, above 0"
    rate = row.number("fps", expected)
    if rate is not None and rate <= 0:
        raise FaultError("fps", row.line, f"fps {rate:g}", expected)
    return rate


def _columns_of_numbers(table: Table) -> set[str]:
    """Columns in which every cell that is not empty is a number."""
    return {
        column
        for column in table.columns
        if all(number_of(text) is not None for row in table.rows if (text := row.cells[column]))
    }


def _extra(row: Row, numbers: set[str]) -> dict[str, Any]:
    """What stands in columns of no meaning here."""
    return {
        column: number_of(text) if column in numbers else text
        for column, text in row.cells.items()
        if text and column not in COLUMNS and not column.startswith(PART)
    }


def _note_oddities(table: Table, report: PrepareReport) -> None:
    nobody = sum(not row.cells["person"] for row in table.rows)
    if nobody:
        report.note(
            f"{nobody} of {len(table.rows)} rows of {TABLE} name no person: no split can keep "
            "people apart, so no honest one is possible"
        )
    if "score" not in table.columns:
        report.note(f"{TABLE} has no column score: nothing can be trained on these recordings")

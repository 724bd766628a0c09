"""A folder of recordings as a dataset: ``recordings.csv`` says whose, ``dataset.yaml`` what.

No code is needed: the files are read by a reader of the registry, which ``dataset.yaml`` names.
"""

import inspect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from registry import READERS, did_you_mean
from zoo.data.adapters.base import Adapter, FaultError, PrepareReport, Progress, Reader, faults_in
from zoo.data.adapters.description import FILE, FILL_IN, Description
from zoo.data.adapters.folder_files import TABLE, Files, file_of, fps_of, id_of, require_once
from zoo.data.adapters.table import Row, Table, number_of, read_table
from zoo.data.readers import load_reader
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import load_layout, own_layout
from zoo.words import some

COLUMNS = ("file", "recording", "person", "exercise", "group", "session", "score", "fps", "id")
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
        self.healthy, self.showable = described.healthy, described.showable
        self.exercises = dict(described.exercises)
        self.fps = self._usual_fps(source)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """Yields a recording for each row of the table; see `Adapter.read`.

        What a row leaves empty is what the file says itself, where it says anything.
        """
        assert source is not None
        table = self._table(source)
        numbers = _columns_of_numbers(table)
        files = Files(source, self._reader)
        seen: dict[str, int] = {}
        said: dict[str, list[str]] = {}
        nobody = unscored = 0
        for done, row in enumerate(table.rows, start=1):
            key, own = id_of(row), PrepareReport(report.strict)
            try:
                recording, exercise = self._recording(row, files, seen, own)
            except FaultError as error:
                report.skip(key, error.problem)
            else:
                shown = files.shown(file_of(source, row))
                for problem in own.problems:
                    report.fault(key, replace(problem, file=shown))
                for note in own.notes:
                    said.setdefault(note.removeprefix(f"{recording.id}: "), []).append(key)
                subject = row.cells["person"] or recording.subject
                nobody += subject == UNKNOWN_SUBJECT
                scores = {**recording.scores, **self._scores(row, key, report)}
                unscored += "total" not in scores
                yield replace(
                    recording,
                    source=shown,
                    id=key,
                    subject=subject,
                    group=row.cells.get("group") or recording.group,
                    exercise=exercise,
                    session=row.cells.get("session") or recording.session,
                    scores=scores,
                    extra={**recording.extra, **_extra(row, numbers)},
                )
            progress(done, len(table.rows), key)
        for note, keys in said.items():
            whose = "all recordings" if len(keys) == len(table.rows) > 1 else some(keys)
            report.note(f"{whose}: {note}")
        if nobody:
            report.note(
                f"{nobody} of {len(table.rows)} recordings name no person: no split can keep "
                "people apart, so no honest one is possible"
            )
        if unscored:
            report.note(
                f"{unscored} of {len(table.rows)} recordings have no score: they are kept, and "
                "neither trained on nor tested"
            )
        left = files.without_a_row()
        if left:
            report.note(f"files without a row in {TABLE} were left out: {some(left)}")

    def _recording(
        self, row: Row, files: Files, seen: dict[str, int], report: PrepareReport
    ) -> tuple[Recording, str]:
        """The recording of a row as its file has it, and its exercise.

        Raises:
            FaultError: the row or the file cannot be used.
        """
        with faults_in(TABLE):
            file, fps = file_of(files.source, row), fps_of(row)
            name = row.cells.get("recording", "")
            what = f"{name} of the file" if name else "the file"
            require_once(seen, f"{file}/{name}", row, f"{what} {row.cells['file']}")
            require_once(seen, f"id {id_of(row)}", row, f"the id {id_of(row)}")
        recording = files.recording(file, name, fps, report)
        if recording.layout != self.layout:
            found = f"joints of the layout {recording.layout}"
            expected = f"{self.layout}, as the other recordings"
            raise FaultError("layout", None, found, expected, files.shown(file))
        with faults_in(TABLE):
            return recording, self._exercise(row, recording.exercise)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`."""
        return self._reader().looks_like(path)

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """A file of the same form, wherever it is; see `Reader.read_file`."""
        yield from self._reader().read_file(file, report)

    def mend(self, setting: str, seems: str, recording: Recording) -> str:
        """See `Reader.mend`."""
        return self._reader().mend(setting, seems, recording)

    def advice(self, setting: str, seems: str, recording: Recording) -> str:
        """See `Adapter.advice`."""
        value = self.mend(setting, seems, recording)
        return value and f"write `{setting}: {value}` under `settings:` in {FILE}"

    def _reader(self, fps: float | None = None) -> Reader:
        own = {"fps": fps} if fps is not None and "fps" in reader_settings(self.reader) else {}
        return load_reader(self.reader, **{**self._settings, **own})

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

    def _exercise(self, row: Row, own: str) -> str:
        """The exercise of a row; `own` is what the file says."""
        name = row.cells.get("exercise") or own
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
                reader = self._reader(fps_of(row))
                return next(iter(reader.read_file(file_of(source, row), PrepareReport())))
            except (DataError, StopIteration):
                continue
        return None


def reader_settings(name: str) -> list[str]:
    """What a reader can be told when it is made: the parameters of its class."""
    return list(inspect.signature(READERS.get(name).load()).parameters)


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

"""The two files that make a folder of recordings a dataset, written as far as they can be."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from zoo.data.adapters.base import FaultError
from zoo.data.adapters.description import FILE, FILL_IN
from zoo.data.adapters.folder import TABLE
from zoo.data.adapters.table import read_table
from zoo.data.names import guess
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.survey import Survey
from zoo.errors import DataError
from zoo.files import to_csv, write_atomically

_COLUMNS = ("file", "recording", "person", "exercise", "group", "session", "score")
_ONLY = "1"
"""Id of the exercise where names do not tell of any."""


@dataclass(frozen=True)
class Begun:
    """What was written.

    Attributes:
        written: the files; one that was there already is not among them.
        guessed: columns of the table that were guessed from names.
        to_fill: file, line and what is to be written there.
        unlisted: recordings without a row, where the table was there already.
    """

    written: tuple[Path, ...]
    guessed: tuple[str, ...]
    to_fill: tuple[str, ...]
    unlisted: tuple[str, ...] = ()


def begin(found: Survey) -> Begun:
    """Write ``recordings.csv`` and ``dataset.yaml`` into a folder; what is there already stays.

    Raises:
        DataError: both are there, or the table that is there cannot be read.
        StorageError: the folder cannot be written.
    """
    table, description = found.folder / TABLE, found.folder / FILE
    if table.exists() and description.exists():
        raise DataError(
            f"{table} and {FILE} are there already and were left as they are: delete one to have "
            "it written anew"
        )
    unlisted: list[str] = []
    rows, guessed = _rows(found)
    exercises = sorted({row["exercise"] for row in rows})
    if table.exists():
        guessed = ()
        exercises, unlisted = _known(table, found.files)
    written = []
    for file, make in (
        (table, lambda: _table(rows)),
        (description, lambda: _description(found, exercises, guessed)),
    ):
        if not file.exists():
            write_atomically(file, make().encode())
            written.append(file)
    return Begun(tuple(written), guessed, tuple(_to_fill(written)), tuple(unlisted))


def _known(table: Path, files: Iterable[str]) -> tuple[list[str], list[str]]:
    """Exercises that a table names, and files that it does not."""
    try:
        rows = read_table(table).rows
    except FaultError as error:
        raise DataError(f"{table}: {error}") from None
    exercises = sorted({name for row in rows if (name := row.cells.get("exercise"))})
    listed = {row.cells.get("file", "").replace("\\", "/") for row in rows}
    return exercises or [_ONLY], [file for file in files if file not in listed]


def _rows(found: Survey) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """A row for each recording, and which columns are guesses."""
    usual = {"person": FILL_IN, "exercise": _ONLY, "score": FILL_IN}
    if not found.told:
        guessed = guess(found.files)
        columns = {"file": found.files, **guessed}
        guesses = [
            {**usual, **{column: values[i] for column, values in columns.items()}}
            for i in range(len(found.files))
        ]
        return guesses, tuple(guessed)
    rows = []
    for file in found.files:
        recordings = found.told.get(file, ())
        for one in recordings:
            said = {
                "person": "" if one.subject == UNKNOWN_SUBJECT else one.subject,
                "exercise": one.exercise,
                "score": f"{one.scores['total']:g}" if "total" in one.scores else "",
            }
            rows.append(
                {
                    "file": file,
                    "recording": one.id if len(recordings) > 1 else "",
                    "group": one.group,
                    "session": one.session,
                    **{column: said[column] or usual[column] for column in usual},
                }
            )
        if not recordings:
            rows.append({**usual, "file": file})
    return rows, ()


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    columns = [c for c in _COLUMNS if c != "recording" or any(row.get(c) for row in rows)]
    return to_csv(columns, ([row.get(column, "") for column in columns] for row in rows))


def _description(found: Survey, exercises: Sequence[str], guessed: Sequence[str]) -> str:
    settings = dict(found.settings)
    layout = settings.pop("layout", None)
    lines = [
        f"# What the recordings in this folder are; whose they are stands in {TABLE}.",
        f"# {FILL_IN} stands where only you know: nothing is prepared before all are replaced.",
        f"title: {_plain(found.folder.name)}",
        f"reader: {found.reader} # the form of the files",
    ]
    if found.joints:
        lines += [
            "layout: # no known skeleton has these joints: name the one that each hangs on;",
            "  joints: # of one, the root, delete the parent",
            *(f"    - {{name: {_plain(name)}, parent: {FILL_IN}}}" for name in found.joints),
        ]
    elif layout is not None:
        lines.append(f"layout: {layout} # the skeleton: {found.first.num_joints} joints")
    if settings:
        lines.append("settings: # of the reader")
        notes = {
            "fps": "frames a second, which the files do not say",
            "units": "m, cm, mm, or none for pixels",
            "up": "the axis that points up: y, -y, z, -z, x or -x",
        }
        for key, value in settings.items():
            why = f"a guess: else {found.doubts[key]}" if key in found.doubts else notes[key]
            lines.append(f"  {key}: {FILL_IN if value is None else _plain(value)} # {why}")
    lines += [
        "scores:",
        f"  range: {FILL_IN} # lowest and highest possible score, such as [0, 50]",
        f"  meaning: {FILL_IN} # who scored what, by which scale",
        "  binary: false # true where the score is right (1) or wrong (0)",
        f"exercises: # a title for each id in {TABLE}",
        *(f"  {_plain(name)}: {_title(name)}" for name in exercises),
    ]
    if guessed:
        lines += [
            f"# Read from names of files and folders. Look at {TABLE}, then delete this line:",
            f"guessed: [{', '.join(guessed)}]",
        ]
    lines += ['licence: "" # who may use the recordings', 'citation: ""', 'url: ""']
    return "\n".join(lines) + "\n"


def _title(exercise: str) -> str:
    return _plain(exercise.capitalize()) if exercise.isalpha() else FILL_IN


def _plain(value: Any) -> str:
    """A value as YAML reads it back, in quotes where it needs them."""
    text = str(value)
    bare = not set(text) & set(":#'\"\\\n{}[]") and text == text.strip()
    return text if bare and yaml.safe_load(text) == value else json.dumps(value, ensure_ascii=False)


def _to_fill(files: Iterable[Path]) -> Iterable[str]:
    """Where something is to be filled in, the lines of one column together."""
    for file in files:
        text = file.read_text(encoding="utf-8")
        if file.name == TABLE:
            rows = read_table(file).rows
            for column in _COLUMNS:
                count = sum(row.cells.get(column) == FILL_IN for row in rows)
                if count:
                    yield f"{file.name}, column {column}: {count} rows"
        else:
            parents = text.count(f"parent: {FILL_IN}")
            if parents:
                yield f"{file.name}, layout: the joint that each of {parents} hangs on"
            for number, line in enumerate(text.splitlines(), start=1):
                key, _, rest = line.partition(":")
                if rest.strip().startswith(FILL_IN):
                    what = rest.partition("#")[2].strip() or "its title"
                    yield f"{file.name}, line {number}: {key.strip()}: {what}"
                elif key == "guessed":
                    yield f"{file.name}, line {number}: delete it when the table is right"

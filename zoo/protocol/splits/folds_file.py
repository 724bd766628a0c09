"""Folds that somebody else made: a published table of persons or recordings."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from registry import register_split, user_config_dirs
from zoo.data.adapters.base import FaultError
from zoo.data.columns import Columns
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError, DataError
from zoo.files import json_hash
from zoo.protocol.split import PARTS, Split
from zoo.protocol.splits.people import split_of
from zoo.protocol.splits.rule import SplitRule, chosen_by, share
from zoo.words import natural, some

_WHOSE = ("person", "recording")
_WHERE = ("fold", "part")


@dataclass(frozen=True)
class FoldTable:
    """Where everybody stands.

    Attributes:
        by: ``person`` or ``recording``.
        what: ``fold``, or ``part`` for a single fold whose three parts are given.
        place: the fold or part of each person or recording.
    """

    by: str
    what: str
    place: dict[str, str]

    @property
    def folds(self) -> list[str]:
        """Names of the folds, numbers in their order; the test part alone where parts are given."""
        return ["test"] if self.what == "part" else sorted(set(self.place.values()), key=natural)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over who stands where, whatever the order of the lines."""
        return json_hash([self.by, self.what, self.place])


def read_fold_table(file: Path) -> FoldTable:
    """The table in a CSV file with two columns, ``person`` or ``recording``, ``fold`` or ``part``.

    Lines end in any way; fields are separated by commas, semicolons or tabs.

    Raises:
        DataError: the file cannot be read, or a line is none of a table like this.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the folds in {file} cannot be read: {error}") from None
    lines = _lines(text, str(file))
    at, header = next(lines, (1, []))
    columns = [name.strip().lower() for name in header]
    by = [name for name in columns if name in _WHOSE]
    what = [name for name in columns if name in _WHERE]
    if len(columns) != 2 or len(by) != 1 or len(what) != 1:
        expected = "two columns: person or recording, and fold or part"
        raise FaultError("header", at, _shown(header), expected, str(file))
    place: dict[str, str] = {}
    for at, row in lines:
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        if len(row) != 2 or not all(cells.values()):
            expected = f"a {by[0]} and a {what[0]}"
            raise FaultError("row-width", at, _shown(row), expected, str(file))
        name, stands = cells[by[0]], cells[what[0]]
        if place.setdefault(name, stands) != stands:
            found = f"{name} in {what[0]} {stands}"
            expected = f"{what[0]} {place[name]}, where it stands above"
            raise FaultError("twice", at, found, expected, str(file))
        if what[0] == "part" and stands not in PARTS:
            raise FaultError("part", at, f"part {stands!r}", ", ".join(PARTS), str(file))
    table = FoldTable(by[0], what[0], place)
    _require_both_sides(table, file)
    return table


def _lines(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Every line that is not empty, with its number."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise FaultError("csv", reader.line_num, str(error), "a table", file) from None


def _shown(row: list[str]) -> str:
    return repr(",".join(row)[:60]) if row else "nothing"


def _require_both_sides(table: FoldTable, file: Path) -> None:
    there = set(table.place.values())
    if table.what == "fold" and len(there) < 2:
        raise DataError(f"{file} has {len(there)} folds, expected at least two")
    if table.what == "part" and not {"train", "test"} <= there:
        raise DataError(f"{file} has no {' and no '.join(sorted({'train', 'test'} - there))} part")


@register_split("folds-from-file")
@dataclass(frozen=True)
class FoldsFromFile(SplitRule):
    """The folds of a table, as `read_fold_table` reads it; its content enters the hash.

    Attributes:
        file: the table; a relative path is looked for in the working folder, then beside the
            protocols of the user's configuration folders.
        validation: share of the people trained on who choose the best epoch; 0 sets nobody aside.
            Where the file gives parts, its validation part does instead.
    """

    file: str | None = None
    validation: float = share(0.2)

    @cached_property
    def table(self) -> FoldTable:
        """The table.

        Raises:
            ConfigError: no file is named.
            DataError: it cannot be used.
        """
        if self.file is None:
            raise ConfigError(
                "split.file does not say which file the folds stand in: protocol.split.file=FILE"
            )
        named = Path(self.file).expanduser()
        beside = [folder / "protocol" / named for folder in user_config_dirs()]
        return read_fold_table(next((f for f in (named, *beside) if f.is_file()), named))

    @property
    def has_validation(self) -> bool:
        """See `SplitRule.has_validation`."""
        if self.file is not None and self.table.what == "part":
            return "validation" in self.table.place.values()
        return bool(self.validation)

    def num_folds(self, columns: Columns) -> int:
        """See `SplitRule.num_folds`."""
        return len(self.table.folds)

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`.

        Raises:
            DataError: people or recordings of whom the file says nothing, or nobody to test.
        """
        table = self.table
        names = samples.columns.labels(table.by)
        missing = sorted(set(names) - set(table.place))
        if missing:
            count = f"{len(missing)} of {len(set(names))} {table.by}s"
            like = f"; it names {table.by}s such as {some(table.place, 2)}" if table.place else ""
            raise DataError(f"{self.file} says nothing of {count}: {some(missing)}{like}")
        places = [table.place[name] for name in names]
        tested = table.folds[fold]
        test = [i for i, place in enumerate(places) if place == tested]
        if not test:
            raise DataError(f"nobody of {table.what} {tested} of {self.file} is in these data")
        if table.what == "part":
            return Split.of(samples, *([i for i, p in enumerate(places) if p == k] for k in PARTS))
        seed = self.seed * len(table.folds) + fold
        return split_of(self, samples, test, seed, self.validation)

    def hashed(self) -> dict[str, Any]:
        """See `SplitRule.hashed`: the table stands in the place of the file's name."""
        return {**self.to_dict(), "file": None if self.file is None else self.table.digest}

    def remarks(self, columns: Columns) -> list[str]:
        """See `SplitRule.remarks`: whom the file names and the data do not have."""
        absent = sorted(set(self.table.place) - set(columns.labels(self.table.by)))
        if not absent:
            return []
        what = (
            f"1 {self.table.by} that is"
            if len(absent) == 1
            else f"{len(absent)} {self.table.by}s that are"
        )
        return [f"{self.file} names {what} not in these data: {some(absent)}"]

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        if self.file is None:
            return "Folds stand in a file (protocol.split.file=FILE)."
        table = self.table
        known = f"{self.file} (content {table.digest[:8]}) says where {len(table.place)}"
        if table.what == "part":
            return f"{known} {table.by}s stand: in training, validation or test."
        aside = chosen_by("people", self.validation)
        return f"{known} {table.by}s stand: in {len(table.folds)} folds, each tested once.{aside}"

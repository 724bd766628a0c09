"""What is known of recordings beside their frames: columns, with a value a recording or sample."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry import did_you_mean
from zoo.data.recording import Identity
from zoo.errors import DataError
from zoo.words import natural, some

Value = str | float


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of N recordings, or of N samples that were cut from them.

    Every dataset has ``recording``, ``person``, ``group``, ``exercise`` and ``session``. What else
    a recording's `Identity.extra` holds, such as a device or a site, is a column if it is a text, a
    number, or true or false.

    Attributes:
        own: ``recording``, ``person``, ``group`` and ``exercise`` (N,), texts that may be empty.
        extra: of each row, the session and what else there is (N,).
    """

    own: Mapping[str, Sequence[str]]
    extra: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, recordings: Iterable[Identity]) -> "Columns":
        """The columns of recordings, or of what a dataset's index knows of them."""
        rows = list(recordings)
        own = {
            "recording": [r.id for r in rows],
            "person": [r.subject for r in rows],
            "group": [r.group for r in rows],
            "exercise": [r.exercise for r in rows],
        }
        return cls(own, [extra_columns(r) for r in rows])

    def __len__(self) -> int:
        return len(self.extra)

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        each = {id(row): row for row in self.extra}.values()  # a recording's samples share theirs
        more = {key for row in each for key, value in row.items() if _value(value) is not None}
        return [*self.own, *sorted(more - set(self.own))]

    def __getitem__(self, name: str) -> list[Value]:
        """A column (N,): all texts, or all numbers.

        Raises:
            DataError: there is no such column, or it is empty for some recordings.
        """
        if name in self.own:
            return list(self.own[name])
        values = [_value(row.get(name)) for row in self.extra]
        known = [value for value in values if value is not None]
        if not known and len(self):
            near = did_you_mean(name, self.names)
            raise DataError(f"the recordings have no column {name!r}. {near}")
        if len(known) < len(values):
            recordings = self.own["recording"]
            empty = dict.fromkeys(
                r for r, value in zip(recordings, values, strict=True) if value is None
            )
            raise DataError(
                f"the column {name!r} is empty for {len(empty)} of {len(set(recordings))} "
                f"recordings: {some(empty)}"
            )
        if any(isinstance(value, str) for value in known):
            return [_text(value) for value in known]
        return known

    def labels(self, name: str) -> list[str]:
        """A column (N,) as categories; raises as `columns[name]` does."""
        return [_text(value) for value in self[name]]

    def levels(self, name: str) -> list[str]:
        """The categories of a column, each once, numbers in their order."""
        return sorted(set(self.labels(name)), key=natural)

    def categories(self) -> dict[str, list[str]]:
        """The columns that several people share each value of, as a site or a device, with labels.

        Numbers are none, nor is what is the same for everybody or not known of all.
        """
        found = {}
        people = len(set(self.own["person"]))
        for name in self.names:
            if name in ("recording", "person"):
                continue
            try:
                values = self[name]
            except DataError:
                continue
            texts = [value for value in values if isinstance(value, str)]
            if len(texts) == len(values) and 1 < len(set(texts)) < max(people, 3):
                found[name] = texts
        return found


def extra_columns(recording: Identity) -> dict[str, Any]:
    """The session of a recording and what else is known of it."""
    return {**recording.extra, "session": recording.session}


def _value(cell: Any) -> Value | None:
    """What stands in a cell; None for nothing, and for what is neither text nor number."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else None
    return cell if isinstance(cell, str) and cell.strip() else None


def _text(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"

"""Repetitions of UI-PRMD from their files alone, wherever these lie."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.data.adapters.uiprmd.tree import SIDES, Repetition, repetition_of
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.errors import DataError

_QUANTITY = re.compile(r"positions|angles", re.IGNORECASE)
_WORDS = {"positions": "Positions", "angles": "Angles"}


@dataclass(frozen=True)
class LooseRepetition(Repetition):
    """A repetition whose files were named one by one.

    Attributes:
        files: path by kind, ``Positions`` or ``Angles``.
        stem: name of the file that was named, without its ending.
        published: what the published name says; None for a file of another name.
    """

    files: Mapping[str, Path] = field(default_factory=dict, compare=False)
    stem: str = ""
    published: Repetition | None = None

    @property
    def id(self) -> str:
        """As published; the file's stem where its name says nothing."""
        return self.published.id if self.published else self.stem

    def file(self, sensor: str, kind: str) -> str:
        """The path of the file."""
        return str(self.files[kind])

    @property
    def roots(self) -> list[Path]:
        """Folders in which the dataset's other files would be, if `files` lie as published."""
        place = next(iter(self.files.values())).absolute()
        if len(place.parents) > 4 and place.parents[2].name in SIDES.values():
            return [place.parents[3], place.parents[4]]
        return []


def loose_repetition(file: Path, kinds: Sequence[str]) -> LooseRepetition:
    """The repetition that `file` belongs to, with its other file where there are two.

    Args:
        file: one of its files. The other one has ``positions`` and ``angles`` swapped in its name
            and lies beside it or in the folder ``Positions`` or ``Angles`` beside its own.
        kinds: what is needed, ``Positions``, ``Angles`` or both.

    Raises:
        DataError: a folder, no such other file, or a file of another kind.
    """
    if file.is_dir():
        raise DataError(f"{file} is a folder; name one file, such as m01_s01_e01_positions.txt")
    found = _QUANTITY.search(file.name)
    own = _WORDS[found[0].lower()] if found else None
    if own is None and len(kinds) > 1:
        raise DataError(
            f"{file}: its name says neither positions nor angles, expected a pair such as "
            "m01_s01_e01_positions.txt and m01_s01_e01_angles.txt"
        )
    if own is not None and own not in kinds:
        raise DataError(f"{file}: by its name it holds {own.lower()}, expected {kinds[0].lower()}")
    files = {kind: file if kind == (own or kinds[0]) else _other(file, kind) for kind in kinds}
    published = repetition_of(file.name)
    if published is None:
        return LooseRepetition("", UNKNOWN_SUBJECT, "", True, files, file.stem)
    values = (published.movement, published.subject, published.episode, published.correct)
    return LooseRepetition(*values, files, file.stem, published)


def _other(file: Path, kind: str) -> Path:
    name = _QUANTITY.sub(kind.lower(), file.name)
    places = [file.parent / name, file.parent.parent / kind / name]
    for place in places:
        if place.is_file():
            return place
    raise DataError(
        f"{file}: the {kind.lower()} of the same repetition are missing, expected {places[0]} or "
        f"{places[1]}"
    )

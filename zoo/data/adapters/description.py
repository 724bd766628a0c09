"""``dataset.yaml``: what a folder of recordings is, in the words of those who made it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import yaml

from registry.yaml_files import read_yaml
from zoo.build import build
from zoo.errors import ConfigError, DataError, UserError

FILE = "dataset.yaml"

FILL_IN = "FILL_IN"
"""Stands where a person has to write something; nothing is prepared while it does."""

_EXPECTED = {
    "title": "what the recordings are, in a few words",
    "reader": "the form of the files: a reader's name",
    "scores": "range: [lowest, highest] and meaning",
    "scores.range": "the lowest and the highest possible score, such as [0, 50]",
    "scores.meaning": "who scored what, by which scale",
    "exercises": "an id and a title for each, such as squat: Deep squat",
    "licence": "who may use the recordings, or under which licence",
    "settings.units": "the unit of the coordinates: m, cm, mm, or none for pixels",
    "settings.up": "the axis that points up: y, -y, z or -z",
    "settings.fps": "frames a second",
    "layout": "a skeleton layout's name, or joints of your own with their parents",
}


@dataclass(frozen=True)
class Scores:
    """What the column ``score`` holds.

    Attributes:
        range: lowest and highest possible score.
        meaning: who scored what, by which scale.
        binary: the score is right (1) or wrong (0).
    """

    range: tuple[float, float]
    meaning: str = ""
    binary: bool = False


@dataclass(frozen=True)
class Description:
    """The content of ``dataset.yaml``.

    Attributes:
        title: what the recordings are.
        reader: name of the reader of the files.
        scores: what the score is.
        exercises: exercise id → title; the first one is trained on unless another is named.
        settings: of the reader, such as ``units`` and ``fps``.
        layout: name of the skeleton layout where the files do not fix it, or joints of its own, as
            in ``configs/layout``; None leaves it to the reader.
        guessed: columns of the table that were filled in from the names of files and folders and
            not looked at yet.
        licence: who may use the recordings.
        citation: how to cite them.
        url: where they are published.
        healthy: groups, as in the table, whose people move as healthy ones do.
        showable: everybody has agreed that their recordings may be shown to anybody.
        places: file and line of each key; that of the file under an empty key.
    """

    title: str
    reader: str
    scores: Scores
    exercises: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    layout: str | Mapping[str, Any] | None = None
    guessed: tuple[str, ...] = ()
    licence: str = ""
    citation: str = ""
    url: str = ""
    healthy: tuple[str, ...] = ()
    showable: bool = False
    places: Mapping[str, str] = field(default_factory=dict, repr=False, metadata={"key": None})

    HOW_TO_BEGIN: ClassVar[str] = "`zoo data new FOLDER` writes one for a folder of recordings"

    @classmethod
    def read(cls, folder: Path) -> "Description":
        """The description in a folder.

        Raises:
            DataError: there is none, something is still to be filled in, or a key or value is
                none; the message names the file, the line and what is expected.
        """
        file = folder / FILE
        if not file.is_file():
            raise DataError(f"{file}: no such file; {cls.HOW_TO_BEGIN}")
        try:
            values = read_yaml(file)
            places = {path: f"{file}, line {line}:" for path, line in _lines(file).items()}
            unfilled = [path for path, value in _leaves(values) if value == FILL_IN]
        except ConfigError as error:
            raise DataError(str(error)) from None
        except RecursionError:
            raise DataError(f"{file}: values are nested too deep, or in themselves") from None
        if unfilled:
            raise DataError(
                "\n".join(
                    f"{places.get(path, file)} found {FILL_IN} as {path}, expected "
                    f"{_EXPECTED.get(path) or _EXPECTED.get(path.partition('.')[0], 'a value')}"
                    for path in unfilled
                )
            )
        found = build(cls, values, f"{file}:", error=DataError, places=places)
        found = replace(found, places={"": f"{file}:", **places})
        found._check()
        return found

    @contextmanager
    def at(self, key: str) -> Iterator[None]:
        """Errors raised inside say the file and the line of a key, and are `DataError`s."""
        try:
            yield
        except UserError as error:
            raise DataError(f"{self.places.get(key, self.places[''])} {error}") from None

    def _check(self) -> None:
        low, high = self.scores.range
        faults = (
            ("guessed", self.guessed, f"still says that {' and '.join(self.guessed)} of the table "
             "are guesses; look at the table, correct it, and delete this line"),
            ("scores.range", not low < high, f"is [{low:g}, {high:g}], expected the lowest, then "
             "the highest possible score"),
            ("scores.range", self.scores.binary and (low, high) != (0, 1), f"is [{low:g}, "
             f"{high:g}], expected [0, 1] where scores are binary"),
            ("exercises", not self.exercises, "is empty, expected an id and a title for each"),
        )  # fmt: skip
        for path, wrong, what in faults:
            if wrong:
                with self.at(path):
                    raise DataError(f"{path} {what}")


def _leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything that holds nothing else; keys are looked at too."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            below = f"{path}.{key}" if path else str(key)
            yield below, FILL_IN if key == FILL_IN else None
            yield from _leaves(value, below)
    elif isinstance(values, list):
        for i, value in enumerate(values):
            yield from _leaves(value, f"{path}[{i}]")
    else:
        yield path, values


def _lines(file: Path) -> dict[str, int]:
    """The line of each key in a YAML file that parses, by its path."""

    def walk(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                below = f"{path}.{key.value}" if path else str(key.value)
                yield below, key.start_mark.line + 1
                yield from walk(value, below)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                yield f"{path}[{i}]", value.start_mark.line + 1
                yield from walk(value, f"{path}[{i}]")

    root = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    return dict(walk(root, "")) if root is not None else {}

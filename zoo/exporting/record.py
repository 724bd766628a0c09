"""What is known of an exported graph: ``export.json`` beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.build import build
from zoo.errors import DataError
from zoo.exporting.check import Check
from zoo.exporting.graph import Port
from zoo.files import read_json

RECORD, README, EXAMPLE = "export.json", "README.md", "example.json"
SCHEMA = 1


@dataclass(frozen=True)
class Interval:
    """How wide the interval around a score is, see `zoo.evaluation.conformal`.

    Attributes:
        level: probability with which it holds the true score of a new person.
        factor: half its width, or what the output ``deviation`` is multiplied with to give it.
        scaled: whether it multiplies the deviation.
    """

    level: float
    factor: float
    scaled: bool


@dataclass(frozen=True)
class Before:
    """What is done to a recording before the graph, in this order.

    Attributes:
        transforms: steps of `zoo.data.transforms`, each by name with all of its settings.
        sampling: what one sample is.
        frames: frames to which each sample is brought by cubic interpolation; None where each
            keeps its own.
        rate: frames a second of each sample, in place of `frames`.
        aggregate: how the scores of a recording's samples become one.
    """

    transforms: tuple[Mapping[str, Mapping[str, Any]], ...]
    sampling: Mapping[str, Any]
    frames: int | None
    rate: float | None
    aggregate: str


@dataclass(frozen=True)
class GraphFile:
    """One file with a graph.

    Attributes:
        name: of the file.
        precision: of its numbers.
        bytes: its size.
        inputs: what it takes.
        outputs: what it gives.
        check: its scores beside the run's.
    """

    name: str
    precision: str
    bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    check: Check


@dataclass(frozen=True)
class ExportRecord:
    """An exported model.

    Attributes:
        schema: of this file.
        format: ``onnx`` or ``torch``.
        model: its name.
        title: its full name.
        dataset: title of what it was trained on.
        exercise: title of the exercise.
        score_range: lowest and highest possible score.
        layout: name of the skeleton.
        joints: its joints, in the order of the inputs.
        parents: place of each joint's parent; -1 for the root.
        before: what is done to a recording before.
        interval: around a score; None where none can be promised.
        graphs: the files.
    """

    schema: int
    format: str
    model: str
    title: str
    dataset: str
    exercise: str
    score_range: tuple[float, float]
    layout: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    before: Before
    interval: Interval | None
    graphs: tuple[GraphFile, ...]


def read_export(folder: Path | str) -> ExportRecord:
    """What is known of the graph in a folder that `zoo.export` wrote.

    Raises:
        DataError: it is no such folder, or of another version of the zoo.
    """
    file = Path(folder).expanduser() / RECORD
    values = read_json(file)
    if values.get("schema") != SCHEMA:
        raise DataError(f"{file} is of schema {values.get('schema')!r}, this zoo reads {SCHEMA}")
    return build(ExportRecord, values, f"{file}:", error=DataError)

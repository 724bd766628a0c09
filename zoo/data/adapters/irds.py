"""IntelliRehabDS: 29 people do nine gestures before a Kinect v2, right or wrong.

Miron, Sadawi, Ismail, Hussain, Grosan: IntelliRehabDS (IRDS) — A Dataset of Physical
Rehabilitation Movements. Data 6(5):46, 2021, doi 10.3390/data6050046. The names and both forms of
the files are read as the authors' own reader does (github.com/alina-miron/intellirehabds).
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError
from zoo.data.adapters.named_files import Loaded, NamedFilesAdapter, folders_within, text_files
from zoo.data.adapters.rows import first_line, numbered_lines, read_rows
from zoo.data.bodies import performer
from zoo.data.recording import INFERRED, NOT_TRACKED, TRACKED, Identity
from zoo.skeleton.layout import load_layout

EXERCISES = {
    "0": "elbow flexion, left",
    "1": "elbow flexion, right",
    "2": "shoulder flexion, left",
    "3": "shoulder flexion, right",
    "4": "shoulder abduction, left",
    "5": "shoulder abduction, right",
    "6": "shoulder forward elevation",
    "7": "side tap, left",
    "8": "side tap, right",
}
GROUPS = {"1": "physiotherapist", "2": "patient", "3": "student"}
"""Group of people by the first digit of their ids."""

LABELS = {"1": "correct", "2": "incorrect", "3": "poor"}
SCORES = {"1": {"total": 1.0}, "2": {"total": 0.0}, "3": {}}
"""Scores by label; poor ones are neither right nor wrong, the authors leave them out."""

STATES = {"NotTracked": NOT_TRACKED, "Inferred": INFERRED, "Tracked": TRACKED}

_NAME = re.compile(r"([1-3]\d\d)_(\d+)_([0-8])_(\d+)_([1-3])_([^.]+)\.txt", re.IGNORECASE)
_JOINTS = 25
_BEFORE, _JOINT = 3, 7
_WIDTH = _BEFORE + _JOINTS * _JOINT
_DEPTH = 3


@register_reader("irds-simplified")
class IrdsSimplifiedAdapter(NamedFilesAdapter):
    """IRDS in the simplified form: 25 × (x, y, z) in metres a line.

    A recording is one repetition: id ``303/4/18_10_1_stand``, subject ``303``, exercise ``4``,
    session ``18_10_1_stand`` (date, repetition, label, position). ``total`` is 1 for a right
    repetition and 0 for a wrong one; poor ones are kept without it. ``extra`` holds ``label``
    (correct, incorrect or poor) and ``position`` (how the person stood or sat).
    """

    name = "irds-simplified"
    version = 1
    layout = "kinect-v2"
    title = "IntelliRehabDS"
    fps = 30.0
    score_range = (0.0, 1.0)
    binary = True
    exercises = EXERCISES
    healthy = (GROUPS["1"], GROUPS["3"])
    example = "Simplified/303_18_4_10_1_stand.txt"

    raw = False

    def _files(self, source: Path) -> list[Path]:
        """Files in the folder of this form, if `source` is not that folder itself."""
        name = self.example.partition("/")[0].casefold()
        for folder in folders_within(source, _DEPTH):
            if folder.name.casefold() == name:
                return text_files(folder)
        return text_files(source)

    def _named(self, file: Path) -> Identity | None:
        match = _NAME.fullmatch(file.name)
        if match is None:
            return None
        subject, date, gesture, repetition, label, position = match.groups()
        session = f"{date}_{repetition}_{label}_{position}"
        return Identity(
            id=f"{subject}/{gesture}/{session}",
            subject=subject,
            group=GROUPS[subject[0]],
            exercise=gesture,
            session=session,
            scores=SCORES[label],
            extra={"label": LABELS[label], "position": position},
        )

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; the first line tells the two forms apart."""
        return super().looks_like(path) and first_line(path).startswith("Version") == self.raw

    def _load(self, file: Path) -> Loaded:
        rows = read_rows(file, _JOINTS * 3)
        return Loaded({"positions": rows.values.reshape(-1, _JOINTS, 3)})


@register_reader("irds")
class IrdsAdapter(IrdsSimplifiedAdapter):
    """IRDS in the raw form, with tracking states.

    A line is ``frame,body,time`` and 25 × ``(name,state,x,y,z,px,py)``; the first line of a file
    is ``Version0.1``. Recordings and scores are those of `IrdsSimplifiedAdapter`. Where the
    sensor saw several bodies, the tracked one that moves is kept (`performer`). A line of another
    width is left out and reported. A joint at 0, 0, 0 counts as lost. The third value
    of a line is taken for milliseconds: in published files it steps by 28 to 38 at 30 Hz.
    """

    name = "irds"
    version = 2
    example = "RawData/303_18_4_10_1_stand.txt"

    raw = True

    def _load(self, file: Path) -> Loaded:
        rows, faults = _read_lines(file)
        seen = [_body(number, fields) for number, fields in rows]
        bodies = [
            _one_body([row for row, own in zip(rows, seen, strict=True) if own == body])
            for body in sorted(set(seen), key=seen.index)
        ]
        arrays = bodies[performer([(b["positions"], b["tracked"]) for b in bodies])]
        notes = []
        if len(bodies) > 1:
            frames = len(arrays["positions"])
            notes.append(
                f"{len(bodies)} bodies were seen; the tracked one that moves, of {frames} frames, "
                "is kept"
            )
        return Loaded(arrays, faults, notes)


def _one_body(rows: list[tuple[int, list[str]]]) -> dict[str, Any]:
    """The arrays of a recording from the lines of one body."""
    lines = np.array([number for number, _ in rows])
    table = np.array([fields for _, fields in rows])
    joints = table[:, _BEFORE:].reshape(len(rows), _JOINTS, _JOINT)
    _check_names(joints[..., 0], lines)
    positions = _numbers(joints[..., 2:5], lines)
    tracked = _states(joints[..., 1], lines)
    tracked[(positions == 0).all(axis=-1)] = NOT_TRACKED
    return {
        "positions": positions,
        "tracked": tracked,
        "timestamps": _seconds(table[:, _BEFORE - 1], lines),
    }


def _seconds(texts: NDArray[np.str_], lines: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds from the first frame (T,), of milliseconds as text."""
    try:
        milliseconds = texts.astype(np.float64)
    except ValueError:
        bad = next(i for i, text in enumerate(texts) if np.isnan(_number(str(text))))
        found = f"{str(texts[bad])[:40]!r} as value {_BEFORE}"
        raise FaultError("not-a-number", int(lines[bad]), found, "milliseconds") from None
    return (milliseconds - milliseconds[0]) / 1000.0


def _read_lines(file: Path) -> tuple[list[tuple[int, list[str]]], list[FaultError]]:
    """Lines of the right width with their numbers, split; one fault for all others.

    Raises:
        FaultError: the last line breaks off, or no line has the right width.
    """
    rows: list[tuple[int, list[str]]] = []
    wrong: list[tuple[int, list[str]]] = []
    for number, line in numbered_lines(file):
        if line.startswith("Version"):
            continue
        fields = [text.strip() for text in line.split(",")]
        (rows if len(fields) == _WIDTH else wrong).append((number, fields))
    expected = f"{_WIDTH} values: frame, body, time and 25 × (name, state, x, y, z, px, py)"
    if wrong:
        number, fields = wrong[0]
        found = f"{len(fields)} values"
        if not rows:
            simple = " (75 are the simplified form, which irds-simplified reads)"
            hint = simple if len(fields) == _JOINTS * 3 else ""
            raise FaultError("row-width", number, found, expected + hint)
        number, fields = wrong[-1]
        if number > rows[-1][0] and len(fields) < _WIDTH:
            raise FaultError("truncated", number, f"{len(fields)} values", expected)
        others = f" (and in {len(wrong) - 1} more lines)" if len(wrong) > 1 else ""
        return rows, [FaultError("row-width", wrong[0][0], f"{found}{others}", expected)]
    if not rows:
        raise FaultError("empty", None, "no frames", "a line a frame after Version0.1")
    return rows, []


def _body(number: int, fields: list[str]) -> int:
    try:
        return int(fields[1])
    except ValueError:
        found = f"{fields[1][:40]!r} as value 2"
        raise FaultError("not-a-number", number, found, "the number of a body") from None


def _check_names(names: NDArray[np.str_], lines: NDArray[np.int64]) -> None:
    wanted = np.array(load_layout(IrdsAdapter.layout).joints)
    found = np.char.lstrip(names, "(")
    if not (found == wanted).all():
        frame, joint = np.argwhere(found != wanted)[0]
        shown = f"{str(found[frame, joint])[:40]!r} as joint {joint + 1}"
        raise FaultError("joint-name", int(lines[frame]), shown, str(wanted[joint]))


def _states(words: NDArray[np.str_], lines: NDArray[np.int64]) -> NDArray[np.uint8]:
    known = np.isin(words, list(STATES))
    if not known.all():
        frame, joint = np.argwhere(~known)[0]
        name = load_layout(IrdsAdapter.layout).joints[joint]
        found = f"{str(words[frame, joint])[:40]!r} as state of {name}"
        raise FaultError("tracking-state", int(lines[frame]), found, " or ".join(STATES))
    states = np.empty(words.shape, dtype=np.uint8)
    for word, state in STATES.items():
        states[words == word] = state
    return states


def _numbers(texts: NDArray[np.str_], lines: NDArray[np.int64]) -> NDArray[np.float32]:
    """Positions (T, 25, 3) from their texts.

    Raises:
        FaultError: one is no finite number.
    """
    try:
        values = texts.astype(np.float32)
    except ValueError:
        values = np.vectorize(_number, otypes=[np.float32])(texts)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        frame, joint, axis = bad[0]
        name = load_layout(IrdsAdapter.layout).joints[joint]
        found = f"{str(texts[frame, joint, axis])[:40]!r} as {'xyz'[axis]} of {name}"
        raise FaultError("not-a-number", int(lines[frame]), found, "a finite number")
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan

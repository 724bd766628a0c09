"""NTU RGB+D's ``.skeleton`` files: bodies of a Kinect v2, frame by frame."""

import re
from collections.abc import Hashable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.adapters.kimore_frames import read_orientations
from zoo.data.adapters.rows import Rows
from zoo.data.readers.body import Body, PoseReader
from zoo.data.readers.people import chosen
from zoo.data.readers.text import head_of, read_text
from zoo.data.recording import NOT_TRACKED, Recording
from zoo.skeleton.layout import load_layout

Floats = NDArray[np.float64]

JOINTS = 25
_JOINT, _BODY = 12, 10
_POSITION, _TURN, _STATE = slice(0, 3), slice(7, 11), 11
_MOST_BODIES = 20
_NAME = re.compile(r"(S\d{3}C\d{3})(P\d{3})(R\d{3})(A\d{3,})", re.IGNORECASE)


@register_reader("ntu")
class NtuReader(PoseReader):
    """NTU RGB+D's text form, also written by other programs for the Kinect v2.

    The number of frames; for every frame the number of bodies; for every body a line of ten
    numbers, the number of joints, and a line of twelve a joint: x, y, z in metres, places in the
    depth and colour pictures, a quaternion w, x, y, z and the tracking state. Of several bodies the
    one is kept who is in sight and moves most, told as a note. Of a file called
    ``S001C002P003R002A013`` the person is P003 and the exercise A013.

    Args:
        layout: ``kinect-v2`` or a layout with other bones of the same joints.
        fps: frames a second.
    """

    title = "NTU RGB+D, .skeleton"
    suffixes = (".skeleton", ".txt")

    def __init__(self, layout: str = "kinect-v2", fps: float = 30.0) -> None:
        super().__init__(layout, fps, "m", "y")

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; the first lines are a number of frames, one of bodies, ten."""
        if not super().looks_like(path):
            return False
        lines = [line.split() for line in head_of(path, 1024).split("\n")[:40] if line.strip()]
        if len(lines) < 3 or not all(len(n) == 1 and n[0].isdecimal() for n in lines[:2]):
            return False
        return any(len(line) == _BODY for line in lines) or lines[1] == ["0"]

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            frames = _frames(_Lines(read_text(file)))
            values, notes = chosen(frames, JOINTS, _JOINT)
            names = load_layout("kinect-v2").joints
            states = np.nan_to_num(values[..., _STATE], nan=NOT_TRACKED)
            if not np.isin(states, (0, 1, 2)).all():
                wrong = states[~np.isin(states, (0, 1, 2))][0]
                expected = "0 (lost), 1 (inferred) or 2 (tracked)"
                raise FaultError("tracking-state", None, f"{wrong:g} as a state", expected)
            body = Body(names, values[..., _POSITION], states=states.astype(np.uint8), notes=notes)
            body.identity = _identity(file)
            turns = _orientations(values, body)
        recording = self.recording(body, file, report)
        if turns is not None and len(turns) == recording.num_frames:
            recording = replace(recording, orientations=turns)
        yield recording


class _Lines:
    """The lines of a file that are not blank, one after the other."""

    def __init__(self, text: str) -> None:
        self._lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        self._next = 0

    @property
    def left(self) -> int:
        return len(self._lines) - self._next

    def numbers(self, count: int, what: str) -> list[float]:
        """The `count` numbers of the next line."""
        if not self.left:
            last = self._lines[-1][0]
            raise FaultError("truncated", last, "the end of the file", what)
        number, line = self._lines[self._next]
        self._next += 1
        fields = line.split()
        if len(fields) != count:
            raise FaultError("row-width", number, f"{len(fields)} values", f"{count}: {what}")
        try:
            return [float(field) for field in fields]
        except ValueError:
            raise FaultError("not-a-number", number, line.strip()[:40], what) from None

    def count(self, most: int, what: str) -> int:
        """The whole number, 0 to `most`, that stands alone in the next line."""
        (value,) = self.numbers(1, what)
        if not 0 <= value <= most or value != int(value):
            number = self._lines[self._next - 1][0]
            raise FaultError("count", number, f"{value:g}", f"{what}, 0 to {most}")
        return int(value)


def _frames(lines: _Lines) -> list[dict[Hashable, Floats]]:
    """For every frame its bodies by their id, each (25, 12)."""
    found: list[dict[Hashable, Floats]] = []
    for frame in range(lines.count(lines.left, "the number of frames")):
        bodies: dict[Hashable, Floats] = {}
        for _ in range(lines.count(_MOST_BODIES, f"the number of bodies in frame {frame}")):
            own = lines.numbers(_BODY, "a body: its id and nine states")[0]
            joints = lines.count(JOINTS, f"the number of joints, {JOINTS}")
            rows = [lines.numbers(_JOINT, "a joint of twelve numbers") for _ in range(joints)]
            if joints != JOINTS:
                raise FaultError("joints", None, f"{joints} joints in frame {frame}", f"{JOINTS}")
            body = np.array(rows)
            body[~np.isfinite(body[:, _POSITION]).all(-1)] = np.nan
            bodies[own] = body
        found.append(bodies)
    if not any(found):
        raise FaultError("nobody", None, f"nobody in {len(found)} frames", "a body")
    if lines.left:
        raise FaultError("count", None, f"{lines.left} lines behind the last frame", "the end")
    return found


def _orientations(values: Floats, body: Body) -> NDArray[np.float32] | None:
    """Quaternions (T, 25, 4), or None where the person is not in every frame or they are faulty."""
    if not np.isfinite(values).all():
        return None
    lines = np.zeros(len(values), dtype=np.int64)
    rows = Rows(values[..., _TURN].reshape(len(values), -1).astype(np.float32), lines, ())
    try:
        found, _ = read_orientations(rows, values[..., _POSITION].astype(np.float32))
    except FaultError as error:
        body.notes.append(f"orientations are left out: {error.problem.found}")
        return None
    return found


def _identity(file: Path) -> dict[str, Any]:
    match = _NAME.fullmatch(file.stem)
    if match is None:
        return {}
    place, person, repetition, action = (part.upper() for part in match.groups())
    return {"id": file.stem, "subject": person, "exercise": action, "session": place + repetition}

"""One person as a file has them, and the recording that is made of it."""

import inspect
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError, PrepareReport, Reader, faults_in
from zoo.data.gaps import bridged
from zoo.data.readers.clock import RATES, checked_fps, rate_of, seconds
from zoo.data.readers.joints import layout_of, weights
from zoo.data.readers.units import (
    METRES,
    TRUNK_METRES,
    TURNS,
    axis_of_file,
    trunk_scale,
    unit_of_file,
    upright,
)
from zoo.data.recording import INFERRED, NOT_TRACKED, TRACKED, UNKNOWN_SUBJECT, Recording
from zoo.errors import ConfigError
from zoo.skeleton.layout import Layout, load_layout

Floats = NDArray[np.float64]

SURE = 0.5
"""Confidence from which a joint counts as tracked; below it is inferred, at 0 lost."""

_LARGEST = float(np.finfo(np.float32).max)


@dataclass
class Body:
    """One person in one file.

    Attributes:
        joints: names of the joints (J,), in the order and spelling of the file.
        values: (T, J, 2) or (T, J, 3) in the file's units and axes, NaN where a joint is lost.
        confidence: (T, J), NaN where none is given; None where the file has none.
        states: (T, J), 2 tracked, 1 inferred, 0 lost, where the file says so itself.
        times: of the frames (T,), as the file has them.
        units: of the values, as `PoseReader` has them, where the file says so itself.
        up: axis of the values that points up, where the file says so itself.
        unit: of the times: ``s``, ``ms``, ``µs``, ``ns``; empty where the file does not say.
        fps: frames a second, where the file says so itself.
        lines: line of each frame in the file, for messages.
        notes: oddities that cost nothing.
        identity: what the file says of who performs what, by the names of `Recording`.
    """

    joints: tuple[str, ...]
    values: Floats
    confidence: Floats | None = None
    states: NDArray[np.uint8] | None = None
    units: str = ""
    up: str = ""
    times: Floats | None = None
    unit: str = ""
    fps: float | None = None
    lines: Sequence[int] | None = None
    notes: list[str] = field(default_factory=list)
    identity: dict[str, Any] = field(default_factory=dict)


class PoseReader(Reader):
    """What readers have in common of files that hold a person's joints and little else.

    Args:
        layout: skeleton layout to give; joints are matched by name, and where it is known how,
            made of others. Empty: the one that the file's joints have.
        fps: frames a second; where it is not given, the file has to say it.
        units: ``m``, ``cm``, ``mm``, or ``none`` for pixels and parts of a picture: the median
            trunk becomes half a metre long. Empty: metres, of two dimensions ``none``.
        up: axis of the file that points up, ``-y`` for pictures, whose y points down. Empty: y, of
            two dimensions ``-y``.

    Raises:
        ConfigError: a setting that is none of these.
    """

    up_in_space: ClassVar[str] = "y"
    """Axis of its files of three dimensions that points up, unless `up` or the file says so."""

    def __init__(self, layout: str, fps: float | None, units: str = "", up: str = "") -> None:
        self.layout = load_layout(layout).name if layout else ""
        self.fps = checked_fps(fps)
        self.units = one_of(units, ("", *METRES, "none"), "units")
        self.up = one_of(up, ("", *TURNS), "up")

    def recording(self, body: Body, file: Path, report: PrepareReport) -> Recording:
        """The recording of one person in `file`; the report is told of the oddities.

        Raises:
            FaultError: joints of no layout, nobody who was seen, no frame rate.
        """
        with faults_in(str(file)):
            layout = load_layout(self.layout or layout_of(body.joints))
            values, states, notes = _in_layout(body, layout)
            dimensions = values.shape[2]
            units = self.units or body.units or ("m" if dimensions == 3 else "none")
            up = self.up or body.up or (self.up_in_space if dimensions == 3 else "-y")
            scale = METRES.get(units)
            if scale is None:
                scale = trunk_scale(np.where(states[..., None] > 0, values, np.nan), layout)
                notes.append(
                    f"coordinates have no unit: scaled so that the median trunk, from between the "
                    f"shoulders to between the hips, is {TRUNK_METRES} m long"
                )
            values = _in_space(values) * scale
            arrays, more = _filled(upright(values, up), states, layout)
            times, fps = self._clock(body, len(values))
        if dimensions == 2:
            notes.append("two dimensions: z is 0, movement towards the camera is lost")
        identity: dict[str, Any] = {
            "id": file.stem or file.name,
            "subject": UNKNOWN_SUBJECT,
            "group": "",
            "exercise": "",
            "session": "",
            **body.identity,
        }
        if dimensions == 2:
            identity["extra"] = {"dimensions": 2, **identity.get("extra", {})}
        for note in (*body.notes, *notes, *more):
            report.note(f"{identity['id']}: {note}")
        return Recording(
            **identity,
            layout=layout.name,
            fps=fps,
            timestamps=times,
            **arrays,
        )

    def mend(self, setting: str, seems: str, recording: Recording) -> str:
        """See `Reader.mend`."""
        if setting not in inspect.signature(type(self)).parameters:
            return ""
        if setting == "units":
            return unit_of_file(self.units or "m", seems)
        flat = recording.extra.get("dimensions") == 2
        return axis_of_file(self.up or ("-y" if flat else self.up_in_space), seems)

    def _clock(self, body: Body, frames: int) -> tuple[Floats | None, float]:
        """Seconds of the frames, if the file tells, and frames a second."""
        if self.fps is not None:
            return None, self.fps
        if body.times is not None and frames > 1:
            times = seconds(body.times, body.unit, body.lines)
            return times, rate_of(times)
        if body.fps is None:
            raise FaultError(
                "no-frame-rate",
                None,
                "neither times nor a frame rate",
                "frames a second: give the reader fps, such as fps=30",
            )
        if not RATES[0] <= body.fps <= RATES[1]:
            wanted = f"{RATES[0]:g} to {RATES[1]:g} frames a second, or fps given to the reader"
            raise FaultError("frame-rate", None, f"{body.fps:g} frames a second", wanted)
        return None, float(body.fps)


def one_of(value: str, known: Sequence[str], what: str) -> str:
    """`value`, if it is one of `known`.

    Raises:
        ConfigError: it is not.
    """
    if value not in known:
        raise ConfigError(f"{what} is {value!r}, expected {', '.join(known)}")
    return value


def numbered(body: Body, numbers: Sequence[int]) -> Body:
    """`body` with a lost frame for every number that is missing in those of its frames (T,).

    Programs leave out frames in which they saw nobody; in time they are there.

    Raises:
        FaultError: numbers that repeat or go back, or far more frames are missing than there are.
    """
    frames = np.array([n - numbers[0] for n in numbers], dtype=np.int64)
    if (np.diff(frames) <= 0).any():
        at = int(np.argmax(np.diff(frames) <= 0))
        found = f"frame {numbers[at + 1]} after {numbers[at]}"
        line = None if body.lines is None else body.lines[at + 1]
        raise FaultError("frame-order", line, found, "numbers that go up, of one person and video")
    step = int(np.median(np.diff(frames))) if len(frames) > 1 else 1
    places = frames // step
    whole = int(places[-1]) + 1
    if whole == len(numbers):
        return body
    if whole > 100 * len(numbers):
        found = f"{len(numbers)} frames with numbers up to {numbers[-1]}"
        raise FaultError("frame-order", None, found, "numbers of frames of one recording")
    body.notes.append(f"{whole - len(numbers)} of {whole} frames are missing and count as lost")

    def spread(array: NDArray[Any] | None, nothing: float) -> Any:
        if array is None:
            return None
        new = np.full((whole, *array.shape[1:]), nothing, dtype=array.dtype)
        new[places] = array
        return new

    body.values = spread(body.values, np.nan)
    body.confidence = spread(body.confidence, np.nan)
    body.states = spread(body.states, NOT_TRACKED)
    body.lines = None
    if body.times is not None:
        body.times = np.interp(np.arange(whole), places, body.times)
    return body


def states_of(confidence: Floats) -> NDArray[np.uint8]:
    """Tracking states of confidences: from `SURE` tracked, above 0 inferred, else lost."""
    with np.errstate(invalid="ignore"):
        found = np.where(confidence >= SURE, TRACKED, INFERRED)
        found[~(confidence > 0)] = NOT_TRACKED
    return found.astype(np.uint8)


def _in_layout(body: Body, layout: Layout) -> tuple[Floats, NDArray[np.uint8], list[str]]:
    """Values (T, V, C), 0 where lost, and states (T, V) of the joints of a layout."""
    values = np.array(body.values, dtype=np.float64)
    if not values.shape[0]:
        raise FaultError("empty", None, "no frames", "frames of joints")
    seen = np.isfinite(values).all(-1) & (np.abs(values) < _LARGEST).all(-1)
    seen &= (values != 0).any(-1)
    if body.states is not None:
        states = np.array(body.states, dtype=np.uint8)
    elif body.confidence is not None:
        states = states_of(body.confidence)
    else:
        states = np.full(seen.shape, TRACKED, dtype=np.uint8)
    states[~seen] = NOT_TRACKED
    values[states == NOT_TRACKED] = 0.0
    how, derived = weights(body.joints, layout)
    of = [np.flatnonzero(row) for row in how]
    new = np.stack([states[:, sources].min(axis=1) for sources in of], axis=1)
    notes = list[str]()
    if derived:
        shown = ", ".join(derived[:5]) + (", …" if len(derived) > 5 else "")
        notes.append(
            f"joints of {layout.name} made of others by their means: {shown}; a sensor of that "
            "layout would see them some centimetres elsewhere"
        )
    if not (new > 0).any():
        raise FaultError(
            "nobody", None, f"nobody in {len(values)} frames (all joints lost)", "a person"
        )
    return np.einsum("vj,tjc->tvc", how, values), new, notes


def _in_space(values: Floats) -> Floats:
    """(T, V, 2) with z = 0; (T, V, 3) as it is."""
    if values.shape[2] == 3:
        return values
    return np.concatenate([values, np.zeros((*values.shape[:2], 1))], axis=2)


def _filled(
    values: Floats, states: NDArray[np.uint8], layout: Layout
) -> tuple[dict[str, Any], list[str]]:
    """Positions and states by their names in `Recording`; gaps are closed in time.

    How much was lost the checks of `zoo.data.checks` tell by the states.
    """
    lost = states == NOT_TRACKED
    notes = []
    if lost.any():
        values = bridged(values, lost)
        never = np.flatnonzero(lost.all(axis=0))
        for joint in never:
            values[:, joint] = values[:, _nearest_seen(layout, int(joint), lost.all(axis=0))]
        if len(never):
            shown = ", ".join(layout.joints[j] for j in never[:6]) + (
                ", …" if len(never) > 6 else ""
            )
            notes.append(f"never seen, put where the next joint is: {shown}")
    positions = values.astype(np.float32)
    return {"positions": positions, "tracked": states}, notes


def _nearest_seen(layout: Layout, joint: int, never: NDArray[np.bool_]) -> int:
    """The joint fewest bones away that was seen."""
    neighbours: dict[int, list[int]] = {j: [] for j in range(layout.num_joints)}
    for child, parent in layout.bones:
        neighbours[child].insert(0, parent)
        neighbours[parent].append(child)
    queue, known = deque([joint]), {joint}
    while queue:
        here = queue.popleft()
        if not never[here]:
            return here
        for other in neighbours[here]:
            if other not in known:
                known.add(other)
                queue.append(other)
    return joint

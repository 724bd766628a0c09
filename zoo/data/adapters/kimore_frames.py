"""The frames of a KIMORE session: positions, orientations and time stamps from their rows."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError
from zoo.data.adapters.rows import Rows, numbered_lines, read_rows
from zoo.data.recording import NOT_TRACKED, TRACKED
from zoo.skeleton.layout import load_layout

JOINTS = 25
END_JOINTS = (3, 15, 19, 21, 22, 23, 24)
"""Head, feet, hand tips and thumbs: Kinect gives them no orientation."""

SCALAR_FIRST = (0, 1, 2, 3)
SCALAR_LAST = (3, 0, 1, 2)
"""Which column of the file is w, x, y and z."""

_ROW = JOINTS * 4
_BODIES = (1, 2, 3)  # four published files have rows of two or three bodies
_TICK_SECONDS = 1e-7
_NORM_TOLERANCE = 0.01
_ALIGNED = 0.9
_SAMPLED_FRAMES = 50


def read_frames(file: Path) -> list[Rows]:
    """The rows of a file of positions or orientations, 25 × 4 numbers each, by body.

    Most files are of one body. Where rows hold more, a body that a row lacks is all zeros in it.

    Raises:
        FaultError: see `read_rows`.
    """
    first = read_rows(file, JOINTS * 4, _BODIES, f": {JOINTS} joints of 4 numbers")
    return [first, *(_body(file, number, first) for number in range(1, first.widths[-1] // _ROW))]


def _body(file: Path, number: int, first: Rows) -> Rows:
    values = np.zeros_like(first.values)
    for at, (line, text) in enumerate(numbered_lines(file)):
        fields = text.split(",")[number * _ROW : (number + 1) * _ROW]
        if len(fields) == _ROW:
            try:
                values[at] = np.array(fields, dtype=np.float32)
            except ValueError:
                found = f"a value that is no number in body {number + 1}"
                raise FaultError("not-a-number", line, found, "numbers") from None
    return Rows(values, first.lines, first.widths)


def read_positions(rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Positions (T, 25, 3) in metres and states (T, 25) from rows of 25 × (x, y, z, state).

    Raises:
        FaultError: a state that Kinect does not know.
    """
    frames = rows.values.reshape(-1, JOINTS, 4)
    states = frames[..., 3]
    known = (states == np.round(states)) & (states >= NOT_TRACKED) & (states <= TRACKED)
    if not known.all():
        frame, joint = np.argwhere(~known)[0]
        raise FaultError(
            "tracking-state",
            int(rows.lines[frame]),
            f"{states[frame, joint]:g} as state of {_name(int(joint))}",
            "0 (lost), 1 (inferred) or 2 (tracked)",
        )
    return np.ascontiguousarray(frames[..., :3]), states.astype(np.uint8)


def read_orientations(
    rows: Rows, positions: NDArray[np.float32]
) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """Unit quaternions w, x, y, z from rows of 25 × 4 numbers.

    Joints at the ends of the body have zeros in the file and get the identity. The order of the
    four numbers is found from the recording itself, see `find_order`.

    Args:
        rows: rows of the file.
        positions: joint positions of the same frames (T, 25, 3).

    Returns:
        quaternions (T, 25, 4) float32, and the columns that w, x, y, z stand in.

    Raises:
        FaultError: a quaternion that is not of unit length.
    """
    raw = rows.values.reshape(-1, JOINTS, 4).astype(np.float64)
    norms = np.linalg.norm(raw, axis=-1)
    absent = np.zeros(norms.shape, dtype=bool)
    absent[:, END_JOINTS] = norms[:, END_JOINTS] == 0
    wrong = (np.abs(norms - 1) > _NORM_TOLERANCE) & ~absent
    if wrong.any():
        frame, joint = np.argwhere(wrong)[0]
        length = norms[frame, joint]
        raise FaultError(
            "zero-quaternion" if length == 0 else "quaternion-length",
            int(rows.lines[frame]),
            f"a quaternion of length {length:.4g} for {_name(int(joint))}",
            "length 1 (only head, feet, hand tips and thumbs have none)",
        )
    norms[absent] = 1.0
    order = find_order(raw, positions)
    quaternions = (raw / norms[..., None])[..., order].astype(np.float32)
    quaternions[absent] = (1.0, 0.0, 0.0, 0.0)
    return quaternions, order


def find_order(raw: NDArray[np.float64], positions: NDArray[np.float32]) -> tuple[int, ...]:
    """The order of the quaternions' numbers.

    The dataset's descriptions say x, y, z, w; the published files that we could measure have w
    first. Kinect's joint axes have y along the bone from the parent, so that only the right order
    turns (0, 1, 0) into the bones: there the mean cosine is 1.00, else far from it.

    Args:
        raw: four numbers per joint (T, 25, 4), unit length but for the end joints.
        positions: joint positions (T, 25, 3).

    Returns:
        `SCALAR_FIRST` where the bones say so, else `SCALAR_LAST`, as described.
    """
    frames = np.unique(np.linspace(0, len(raw) - 1, _SAMPLED_FRAMES).astype(int))
    children, parents = _bones()
    bones = (positions[frames][:, children] - positions[frames][:, parents]).astype(np.float64)
    lengths = np.linalg.norm(bones, axis=-1)
    known = lengths > 0
    if not known.any():
        return SCALAR_LAST
    w, x, y, z = np.moveaxis(raw[frames][:, children][..., SCALAR_FIRST], -1, 0)
    axis = np.stack([2 * (x * y - w * z), w * w - x * x + y * y - z * z, 2 * (y * z + w * x)])
    cosines = (np.moveaxis(axis, 0, -1) * bones).sum(-1)[known] / lengths[known]
    return SCALAR_FIRST if cosines.mean() > _ALIGNED else SCALAR_LAST


def read_seconds(file: Path, frames: int) -> NDArray[np.float64]:
    """Seconds from the first frame (T,), from ticks of 100 ns in the first column.

    Args:
        file: the file.
        frames: number of frames T of the session.

    Raises:
        FaultError: a time that is no number or goes back, or not one time per frame.
    """
    numbered = numbered_lines(file)
    ticks: list[int] = []
    for number, line in numbered:
        text = line.partition(",")[0].strip()
        try:
            ticks.append(int(text) if text.isdigit() else round(float(text)))
        except (ValueError, OverflowError):
            found = f"{text[:40]!r} in the first column"
            raise FaultError("time-stamps", number, found, "ticks of 100 ns") from None
        if len(ticks) > 1 and ticks[-1] < ticks[-2]:
            found = f"{ticks[-1]} after {ticks[-2]}"
            raise FaultError("time-stamps", number, found, "times in order")
    if len(ticks) != frames:
        found = f"{len(ticks)} time stamps"
        raise FaultError("time-stamps", numbered[-1][0], found, f"{frames}, one per frame")
    return np.array([tick - ticks[0] for tick in ticks], dtype=np.float64) * _TICK_SECONDS


@cache
def _bones() -> tuple[list[int], list[int]]:
    """Children and parents of the bones whose child has an orientation, hung on the pelvis."""
    parents = load_layout("kinect-v2").parents_from("SpineBase")
    children = [j for j in range(JOINTS) if parents[j] >= 0 and j not in END_JOINTS]
    return children, [parents[j] for j in children]


def _name(joint: int) -> str:
    return load_layout("kinect-v2").joints[joint]

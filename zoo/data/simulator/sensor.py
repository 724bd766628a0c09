"""What a Kinect makes of a skeleton: camera space, noise, lost joints, orientations.

Noise and losses are calibrated on KIMORE: the rapid part on the third differences of its positions,
the slow part on how bone lengths drift within a recording, the losses on its tracking states.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import INFERRED, NOT_TRACKED, TRACKED
from zoo.data.rotation import Array, about, between, continuous_sign, multiply, rotate, unit
from zoo.data.simulator.body import BONE_FRAMES, END_JOINTS, INDEX, JOINTS, PARENTS
from zoo.data.simulator.motion import wander
from zoo.data.simulator.pose import Skeleton

_RAPID = {  # millimetres, standard deviation of white noise
    **{"Spine": 0.3, "Neck": 0.4, "Head": 0.4, "Shoulder": 0.5, "Hip": 0.4},
    **{"Elbow": 1.5, "Wrist": 3.0, "HandTip": 4.0, "Hand": 2.2, "Thumb": 5.0},
    **{"Knee": 0.7, "Ankle": 0.8, "Foot": 1.6},
}
_SLOW = {  # millimetres, standard deviation of the drift
    **{"Spine": 4.0, "Neck": 4.5, "Head": 5.5, "Shoulder": 6.5, "Hip": 4.0},
    **{"Elbow": 9.0, "Wrist": 10.0, "HandTip": 13.0, "Hand": 11.0, "Thumb": 16.0},
    **{"Knee": 8.0, "Ankle": 8.0, "Foot": 8.0},
}
_LOSSES = {  # spells of inference per 1000 frames
    **{"Shoulder": 2.0, "Elbow": 6.0, "Wrist": 5.0, "Hand": 4.5, "Thumb": 1.2, "HandTip": 1.0},
    **{"Knee": 1.2, "Ankle": 3.5, "Foot": 7.0},
}
_SPELL = 20.0  # mean length of a spell, frames
_ORIENTED = [joint for joint in range(len(JOINTS)) if joint not in END_JOINTS]
_UPPER = [max(PARENTS[joint], 0) for joint in _ORIENTED]
_LOWER = [INDEX["SpineMid"], *_ORIENTED[1:]]  # SpineBase shares the bone of SpineMid
_GRID = 2.0**-13  # metres; see `quantise`
_TURN_GRID = 2.0**-20


def table_of(thousandths: dict[str, float]) -> Array:
    """Numbers for all 25 joints, of those of their kinds (prefixes, the longer name first)."""
    kinds = sorted(thousandths, key=len, reverse=True)
    table = np.zeros(len(JOINTS))
    for joint, name in enumerate(JOINTS):
        kind = next((k for k in kinds if name.startswith(k)), None)
        table[joint] = 0.0 if kind is None else thousandths[kind]
    table[INDEX["SpineShoulder"]] = thousandths.get("Spine", 0.0)
    return table / 1000


RAPID, SLOW, LOSSES = table_of(_RAPID), table_of(_SLOW), table_of(_LOSSES)


def observe(
    rng: np.random.Generator,
    skeleton: Skeleton,
    place: tuple[float, float],
    heading: float,
    camera: tuple[float, float],
    noise: float = 1.0,
    lost: float = 1.0,
    fps: float = 30.0,
) -> dict[str, Any]:
    """What a Kinect before the person reports of `skeleton`.

    Args:
        rng: of noise and losses.
        skeleton: the movement in the person frame.
        place: middle of the feet, right of the camera's axis and away from it, metres.
        heading: degrees turned to the person's left from facing the camera.
        camera: height above the ground in metres, and degrees that it looks down.
        noise: factor on the sensor noise measured on KIMORE.
        lost: factor on how often joints are inferred or lost, as measured on KIMORE.
        fps: frames per second.

    Returns:
        Positions (T, 25, 3) metres, orientations (T, 25, 4) unit quaternions w, x, y, z, both
        float32, and tracked states (T, 25) uint8, as in `Recording`.
    """
    height, pitch = camera
    turn = multiply(about(0, -pitch), about(1, heading))
    across, away = place
    spot = rotate(about(0, -pitch), np.array([across, -height, away]))
    positions = rotate(turn, skeleton.positions) + spot
    frames = len(positions)
    states = np.full((frames, len(JOINTS)), TRACKED, dtype=np.uint8)
    positions += noise * RAPID[:, None] * rng.standard_normal(positions.shape)
    positions += noise * SLOW[:, None] * wander(rng, frames, 0.7 * fps, positions.shape[1:])
    _lose(rng, positions, states, lost)
    rotations = multiply(turn, skeleton.rotations[:, _UPPER])
    roll = about(1, noise * 3.0 * wander(rng, frames, fps, (len(_ORIENTED),)))
    bones = multiply(multiply(rotations, BONE_FRAMES[_ORIENTED]), roll)
    orientations = np.zeros((frames, len(JOINTS), 4))
    orientations[..., 0] = 1.0
    orientations[:, _ORIENTED] = _along_bones(bones, positions)
    return {
        "positions": quantise(positions, _GRID),
        "orientations": quantise(orientations, _TURN_GRID),
        "tracked": states,
    }


def quantise(values: Array, grid: float) -> NDArray[np.float32]:
    """Rounds to multiples of `grid`, a power of two, as float32.

    Sines and roots may differ in their last bit from one processor to the next. Rounded to an
    eighth of a millimetre, far below the sensor's noise, such differences do not reach the bytes.
    """
    return (np.rint(values / grid) * grid).astype(np.float32)


def _lose(
    rng: np.random.Generator, positions: Array, states: NDArray[np.uint8], lost: float
) -> None:
    """Spells in which a joint is inferred (it strays and comes back) or lost (it stands still)."""
    frames = len(positions)
    counts = rng.poisson(LOSSES * lost * frames)
    for joint in np.flatnonzero(counts):
        for _ in range(counts[joint]):
            start = int(rng.integers(1, frames))
            length = 1 + int(rng.exponential(_SPELL))
            stray = rng.normal(0.0, 0.015, 3)
            blind = rng.random() < 0.04
            stop = min(start + length, frames)
            if blind:
                positions[start:stop, joint] = positions[start - 1, joint]
                states[start:stop, joint] = NOT_TRACKED
                continue
            bump = np.sin(np.pi * (np.arange(stop - start) + 0.5) / length)
            positions[start:stop, joint] += bump[:, None] * stray
            states[start:stop, joint] = np.minimum(states[start:stop, joint], INFERRED)


def _along_bones(frames_of_bones: Array, positions: Array) -> Array:
    """Turns each bone frame the shortest way so that its y axis runs along the bone as seen.

    In KIMORE the y axis of every orientation is the direction of the reported bone to three
    digits.
    """
    bones = unit(positions[:, _LOWER] - positions[:, _UPPER])
    axis = rotate(frames_of_bones, np.array([0.0, 1.0, 0.0]))
    turned = unit(multiply(between(axis, bones), frames_of_bones))
    return continuous_sign(turned, BONE_FRAMES[_ORIENTED])

"""From joint angles to a skeleton: forward kinematics above the hips, feet planted below them.

A posture is a set of channels (T,), in degrees unless said otherwise. Right and left arm follow the
same signs, mirrored:

    pelvis_x, pelvis_z            the pelvis shifted right and forwards, metres
    orbit_x, orbit_z, phase       the pelvis on a circle: + orbit_x sin(phase), orbit_z cos(phase)
    pelvis_twist                  the pelvis turned to the left
    trunk_lean, trunk_tilt        the trunk forwards, to the right
    trunk_twist                   the shoulders turned to the left against the pelvis
    counter                       share of the pelvis' shift that the trunk leans back against
    neck_lean                     head forwards
    lift_*, plane_*, turn_*       upper arm from hanging: how far, outwards from straight ahead,
                                  turned inwards about itself
    elbow_*, wrist_*, knee_*      flexion

The Kinect's trunk is nearly one rigid piece with the hips: in KIMORE's lateral tilts the hip line
and both parts of the spine tilt alike (correlation 0.96), and the shoulder line half as much again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.data.rotation import Array, about, conjugate, cross, dot, from_axes, multiply, rotate, unit
from zoo.data.simulator.body import INDEX, ORDER, PARENTS, Body

SIDES: Mapping[str, float] = {"left": -1.0, "right": 1.0}
"""The sides and the sign of their x."""

NEUTRAL: Mapping[str, float] = {
    **dict.fromkeys(("pelvis_x", "pelvis_z", "orbit_x", "orbit_z", "phase", "counter"), 0.0),
    **dict.fromkeys(("trunk_lean", "trunk_tilt", "trunk_twist"), 0.0),
    **dict.fromkeys(("pelvis_twist", "neck_lean"), 0.0),
    **{f"{name}_{side}": 0.0 for side in SIDES for name in ("turn", "wrist")},
    **{f"lift_{side}": 13.0 for side in SIDES},
    **{f"plane_{side}": 60.0 for side in SIDES},
    **{f"elbow_{side}": 15.0 for side in SIDES},
    **{f"knee_{side}": 8.0 for side in SIDES},
}
"""Standing upright, arms hanging."""


@dataclass(frozen=True)
class Stance:
    """How the feet stand; they stay there.

    Attributes:
        half_width: of the ankles from the middle, metres.
        toes_out: degrees that each foot points outwards.
        stagger: metres that the right foot stands ahead of the left.
    """

    half_width: float
    toes_out: float
    stagger: float = 0.0


@dataclass(frozen=True)
class Skeleton:
    """A movement in the person frame.

    Attributes:
        positions: (T, 25, 3) metres, ground at y = 0.
        rotations: (T, 25, 4) of each joint from the neutral stance; a joint's rotation carries
            the bones that hang on it.
    """

    positions: Array
    rotations: Array


def solve(body: Body, stance: Stance, channels: Mapping[str, Array]) -> Skeleton:
    """The skeleton of `body` in the postures `channels`, both feet where `stance` puts them."""
    frames = len(channels["phase"])
    rotations = np.zeros((frames, len(PARENTS), 4))
    rotations[..., 0] = 1.0
    shift = _trunk(rotations, channels)
    for side in SIDES:
        _arm(rotations, channels, side)
    root = _root(body, stance, channels, rotations[:, 0], shift)
    for side in SIDES:
        _leg(rotations, body, stance, side, root)
    positions = np.zeros((frames, len(PARENTS), 3))
    positions[:, 0] = root
    for joint in ORDER[1:]:
        parent = PARENTS[joint]
        positions[:, joint] = positions[:, parent] + rotate(
            rotations[:, parent], body.offsets[joint]
        )
    return Skeleton(positions, rotations)


def _bend(lean: Array, tilt: Array, twist: Array) -> Array:
    tilted = multiply(about(2, -tilt), about(0, -lean))
    return multiply(about(1, twist), tilted)


def _trunk(rotations: Array, c: Mapping[str, Array]) -> Array:
    """Sets pelvis, trunk and neck; returns the pelvis' shift (T, 2), right and forwards, metres."""
    phase = np.radians(c["phase"])
    shift = np.stack(
        (
            c["pelvis_x"] + c["orbit_x"] * np.sin(phase),
            c["pelvis_z"] + c["orbit_z"] * np.cos(phase),
        ),
        axis=-1,
    )
    # A trunk of half a metre over a shifted pelvis, chest held where it was.
    held = np.degrees(np.arctan(shift / 0.5)) * c["counter"][:, None]
    rotations[:, 0] = _bend(
        c["trunk_lean"] - held[:, 1], c["trunk_tilt"] - held[:, 0], c["pelvis_twist"]
    )
    half_twist = about(1, c["trunk_twist"] / 2)
    rotations[:, INDEX["SpineMid"]] = multiply(rotations[:, 0], half_twist)
    girdle = multiply(half_twist, about(2, -0.5 * c["trunk_tilt"]))
    chest = multiply(rotations[:, INDEX["SpineMid"]], girdle)
    rotations[:, INDEX["SpineShoulder"]] = chest
    neck = multiply(chest, about(0, -c["neck_lean"]))
    rotations[:, INDEX["Neck"]] = rotations[:, INDEX["Head"]] = neck
    return shift


def _arm(rotations: Array, c: Mapping[str, Array], side: str) -> None:
    sign, name = SIDES[side], side.capitalize()
    plane = about(1, -sign * c[f"plane_{side}"])
    swing = multiply(multiply(plane, about(0, c[f"lift_{side}"])), conjugate(plane))
    turned = multiply(swing, about(1, sign * c[f"turn_{side}"]))
    upper = multiply(rotations[:, INDEX["SpineShoulder"]], turned)
    fore = multiply(upper, about(0, c[f"elbow_{side}"]))
    hand = multiply(fore, about(0, c[f"wrist_{side}"]))
    rotations[:, INDEX[f"Shoulder{name}"]] = upper
    rotations[:, INDEX[f"Elbow{name}"]] = fore
    for joint in ("Wrist", "Hand", "HandTip", "Thumb"):
        rotations[:, INDEX[f"{joint}{name}"]] = hand


def _ankle(body: Body, stance: Stance, side: str) -> Array:
    sign = SIDES[side]
    forwards = sign * stance.stagger / 2
    return np.array([sign * stance.half_width, body.ankle_height, -forwards])


def _root(body: Body, stance: Stance, c: Mapping[str, Array], pelvis: Array, shift: Array) -> Array:
    """Where the pelvis must be (T, 3) for both legs to reach the ground with the knees asked for.

    The leg with the lower hip decides, softly (5 mm), so that the pelvis has no kinks.
    """
    heights = []
    for side in SIDES:
        name = side.capitalize()
        thigh, shank = body.lengths[[INDEX[f"Knee{name}"], INDEX[f"Ankle{name}"]]]
        bend = np.cos(np.radians(c[f"knee_{side}"]))
        reach = thigh**2 + shank**2 + 2 * thigh * shank * bend
        hip = rotate(pelvis, body.offsets[INDEX[f"Hip{name}"]])
        ankle = _ankle(body, stance, side)
        dx = shift[:, 0] + hip[:, 0] - ankle[0]
        dz = -shift[:, 1] + hip[:, 2] - ankle[2]
        heights.append(
            ankle[1] - hip[:, 1] + np.sqrt(np.maximum(reach - dx**2 - dz**2, 0.01 * reach))
        )
    left, right = heights
    soft = 0.005
    lower = np.minimum(left, right) - soft * np.log1p(np.exp(-np.abs(left - right) / soft))
    return np.stack((shift[:, 0], lower, -shift[:, 1]), axis=-1)


def _leg(rotations: Array, body: Body, stance: Stance, side: str, root: Array) -> None:
    """Two-bone inverse kinematics: the knee bends forwards, over the foot."""
    sign, name = SIDES[side], side.capitalize()
    hip_joint, knee_joint, ankle_joint = (INDEX[f"{j}{name}"] for j in ("Hip", "Knee", "Ankle"))
    thigh, shank = body.lengths[[knee_joint, ankle_joint]]
    hip = root + rotate(rotations[:, 0], body.offsets[hip_joint])
    ankle = _ankle(body, stance, side)
    foot = about(1, -sign * stance.toes_out)
    line = ankle - hip
    distance = np.sqrt(dot(line, line))
    line /= distance
    ahead = rotate(foot, np.array([0.0, 0.0, -1.0]))
    ahead = unit(ahead - dot(ahead, line) * line)
    along = (thigh**2 - shank**2 + distance**2) / (2 * distance)
    knee = hip + line * along + ahead * np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    hinge = unit(cross(line, ahead))
    rotations[:, hip_joint] = _upright(unit(hip - knee), hinge)
    rotations[:, knee_joint] = _upright(unit(knee - ankle), hinge)
    rotations[:, ankle_joint] = foot
    rotations[:, INDEX[f"Foot{name}"]] = foot


def _upright(up: Array, right: Array) -> Array:
    """Rotation (T, 4) of a segment whose y axis is `up` and whose x axis is `right`."""
    right = unit(right - dot(right, up) * up)
    return from_axes(right, up, cross(right, up))

"""The simulated person's body: 25 Kinect joints, bone lengths, and which way each bone points.

Person frame: x to the person's right, y up, z backwards; it equals the Kinect's camera space for a
person who faces the sensor, in whose pictures the left hand has the smaller x.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from zoo.data.rotation import Array, cross, dot, from_axes, unit
from zoo.skeleton.layout import tree_levels

JOINTS: tuple[str, ...] = (
    *("SpineBase", "SpineMid", "Neck", "Head"),
    *("ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft"),
    *("ShoulderRight", "ElbowRight", "WristRight", "HandRight"),
    *("HipLeft", "KneeLeft", "AnkleLeft", "FootLeft"),
    *("HipRight", "KneeRight", "AnkleRight", "FootRight"),
    *("SpineShoulder", "HandTipLeft", "ThumbLeft", "HandTipRight", "ThumbRight"),
)
"""Joint names in the order of the layout ``kinect-v2``."""

PARENTS: tuple[int, ...] = (
    *(-1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10),
    *(0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 6, 11, 10),
)
"""The joint each joint hangs on in the body, rooted at SpineBase; thumbs hang on wrists."""

ORDER: tuple[int, ...] = tuple(chain.from_iterable(tree_levels(PARENTS)))
"""Joints, parents before children."""

INDEX: Mapping[str, int] = {name: i for i, name in enumerate(JOINTS)}

END_JOINTS: tuple[int, ...] = tuple(
    INDEX[name]
    for name in (
        *("Head", "FootLeft", "FootRight"),
        *("HandTipLeft", "ThumbLeft", "HandTipRight", "ThumbRight"),
    )
)
"""Joints to which the Kinect gives no orientation."""

_BONES: Mapping[str, tuple[float, float, tuple[float, float, float]]] = {
    # Right or middle bone, by its lower joint: share of stature, Kinect factor, direction.
    "SpineMid": (0.165, 1.06, (0.0, 1.0, 0.0)),
    "SpineShoulder": (0.123, 1.06, (0.0, 1.0, 0.0)),
    "Neck": (0.052, 0.84, (0.0, 0.99, -0.05)),
    "Head": (0.130, 0.64, (0.0, 0.98, -0.2)),
    "ShoulderRight": (0.129, 0.75, (0.97, -0.14, -0.10)),
    "ElbowRight": (0.186, 0.77, (0.0, -1.0, 0.0)),
    "WristRight": (0.146, 0.94, (0.0, -1.0, 0.0)),
    "HandRight": (0.054, 0.87, (0.0, -1.0, 0.0)),
    "HandTipRight": (0.054, 0.62, (-0.05, -1.0, -0.1)),
    "ThumbRight": (0.060, 1.13, (-0.45, -0.70, -0.55)),
    "HipRight": (0.0955, 0.50, (0.90, 0.07, -0.42)),
    "KneeRight": (0.245, 0.87, (0.0, -1.0, 0.0)),
    "AnkleRight": (0.246, 0.86, (0.0, -1.0, 0.0)),
    "FootRight": (0.090, 0.73, (0.0, -0.5, -0.87)),
}
ANKLE_HEIGHT = 0.039
"""Height of the ankle above the ground, share of stature."""


def _length_table() -> Array:
    table = np.zeros(len(JOINTS))
    for name, (share, factor, _) in _BONES.items():
        table[INDEX[name]] = table[INDEX[name.replace("Right", "Left")]] = share * factor
    return table


def _direction_table() -> Array:
    table = np.zeros((len(JOINTS), 3))
    for name, (_, _, direction) in _BONES.items():
        table[INDEX[name]] = direction
        if name.endswith("Right"):
            table[INDEX[name.replace("Right", "Left")]] = np.array([-1.0, 1.0, 1.0]) * direction
    table[1:] = unit(table[1:])
    return table


LENGTHS: Array = _length_table()
"""Length of the bone that ends in each joint, share of stature (25,).

The shares are Drillis and Contini's (1966), as in Winter, Biomechanics and Motor Control of Human
Movement (4th ed. 2009, fig. 4.1): thigh .245, shank .246, upper arm .186, forearm .146, hand .108
(half to its middle), half the shoulder breadth .129, half the hip breadth .0955, and heights hip
.530, shoulder .818, top of the head 1. The trunk is cut in two and neck, thumb and forefoot are
estimates. The Kinect puts its joints elsewhere than an anatomist; the second number of `_BONES` is
the ratio of the median bone in KIMORE (78 people, stature taken as 1.70 m) to the share.
"""

DIRECTIONS: Array = _direction_table()
"""Unit vector of each bone in the neutral stance, arms hanging (25, 3); zero for the root."""


def _bone_frames() -> Array:
    """Orientation of each bone in the neutral stance, by the Kinect's convention (25, 4).

    The y axis runs along the bone towards the joint. Measured on KIMORE: z of trunk, shoulder and
    hip bones points forwards, z of the legs outwards, z of forearms and hands outwards-forwards.
    """
    z = np.zeros((len(JOINTS), 3))
    z[:] = (0.0, 0.0, -1.0)
    for name in ("Knee", "Ankle"):
        z[INDEX[f"{name}Right"]], z[INDEX[f"{name}Left"]] = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)
    for name in ("Elbow", "Wrist", "Hand"):
        z[INDEX[f"{name}Right"]], z[INDEX[f"{name}Left"]] = (0.7, 0.0, -0.7), (-0.7, 0.0, -0.7)
    y = DIRECTIONS.copy()
    y[0] = DIRECTIONS[INDEX["SpineMid"]]
    z -= dot(z, y) * y
    z = unit(z)
    frames = from_axes(cross(y, z), y, z)
    frames[list(END_JOINTS)] = (1.0, 0.0, 0.0, 0.0)
    return frames


BONE_FRAMES: Array = _bone_frames()


@dataclass(frozen=True)
class Body:
    """One person's body.

    Attributes:
        stature: metres.
        offsets: vector from the parent to each joint in the neutral stance (25, 3), metres.
        ankle_height: of the ankle joint above the ground, metres.
    """

    stature: float
    offsets: Array
    ankle_height: float

    @property
    def lengths(self) -> Array:
        """Bone lengths (25,), metres; zero for the root."""
        return np.sqrt(dot(self.offsets, self.offsets))[:, 0]

    def seen(self, scale: float, noise: Array) -> "Body":
        """The body as the sensor fits it in one recording: all bones × `scale` × (1 + `noise`).

        Args:
            scale: common factor.
            noise: (25,) relative error of each bone.
        """
        offsets = self.offsets * (scale * (1 + noise))[:, None]
        return Body(self.stature * scale, offsets, self.ankle_height * scale)


def sample_body(rng: np.random.Generator) -> Body:
    """Draws a body: stature by sex (1.76 ± 0.07 and 1.63 ± 0.065 m), then its proportions.

    Each kind of bone varies by 5 % about its share of stature (trunk parts by 4 %), each side by
    another 1 %.
    """
    male = rng.random() < 0.5
    stature = float(np.clip(rng.normal(1.76, 0.07) if male else rng.normal(1.63, 0.065), 1.45, 2.0))
    kinds: dict[str, float] = {}
    variation = np.zeros(len(JOINTS))
    for joint, name in enumerate(JOINTS):
        kind = name.removesuffix("Left").removesuffix("Right")
        if kind not in kinds:
            spread = 0.04 if "Spine" in kind else 0.05
            kinds[kind] = float(np.clip(rng.normal(0.0, spread), -0.15, 0.15))
        variation[joint] = kinds[kind]
    sides = np.clip(rng.normal(0.0, 0.01, len(JOINTS)), -0.03, 0.03)
    lengths = LENGTHS * stature * (1 + variation + sides)
    return Body(stature, DIRECTIONS * lengths[:, None], ANKLE_HEIGHT * stature)

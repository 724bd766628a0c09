"""What a pose estimator behind a single camera makes of a skeleton that a depth sensor saw.

As MediaPipe's world landmarks have it: metres, the middle of the hips at the origin in every frame,
the hands as knuckles, no orientations. Depth is guessed from one picture, what hides behind the
body is guessed too, and hands are lost now and then.

The sizes below are assumptions, not measurements: no recordings exist of people whom both saw in
this collection. Their order follows what is reported of MediaPipe Pose: errors of a few centimetres
in the picture and two to three times as much in depth, whose scale is off for a whole recording,
and people who lean towards the camera (google-ai-edge/mediapipe issues 1988, 2918, 3566).
"""

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zoo.data.readers.joints import weights
from zoo.data.recording import INFERRED, TRACKED, Recording
from zoo.data.rotation import Array, about, rotate
from zoo.data.simulator.body import INDEX, JOINTS
from zoo.data.simulator.motion import wander
from zoo.data.simulator.sensor import quantise, table_of
from zoo.skeleton.layout import load_layout

JITTER = table_of(
    {
        **{"Spine": 1.0, "Neck": 1.0, "Head": 1.0, "Shoulder": 1.5, "Hip": 1.5},
        **{"Elbow": 2.0, "Wrist": 3.0, "HandTip": 4.0, "Hand": 4.0, "Thumb": 4.0},
        **{"Knee": 2.0, "Ankle": 2.5, "Foot": 3.0},
    }
)
"""White noise that smoothing leaves, standard deviation in metres, of x and y (25,)."""
DRIFT = table_of(
    {
        **{"Spine": 6.0, "Neck": 6.0, "Head": 8.0, "Shoulder": 9.0, "Hip": 9.0},
        **{"Elbow": 12.0, "Wrist": 15.0, "HandTip": 20.0, "Hand": 18.0, "Thumb": 20.0},
        **{"Knee": 12.0, "Ankle": 14.0, "Foot": 16.0},
    }
)
"""Errors that come and go within a second, standard deviation in metres, of x and y (25,)."""
DEPTH = 2.5
"""How many times as large both are in z."""
RELIEF = 0.12
"""Standard deviation of the logarithm by which a recording's depth is too deep or too flat."""
LEAN = (5.0, 4.0)
"""Mean and standard deviation of the degrees by which a recording's body leans to the camera."""
HIDDEN = 3.0
"""How many times as large the drift is where the body hides a joint from the camera."""
HANDS_LOST = 3.0
"""Spells per 1000 frames in which a hand is not found and laid along the forearm."""
SPELL = 25.0
"""Mean length of such a spell, frames."""

_SIDES = ("Left", "Right")
_HAND = ("Hand", "HandTip", "Thumb")
_TRUNK = 0.13
_LIMB = 0.05
_BEHIND = 0.10
_GRID = 2.0**-13


@dataclass(frozen=True)
class Camera:
    """A single camera with a pose estimator behind it.

    Attributes:
        seed: of everything; each recording has a random stream of its own.
        noise: factor on all errors of place; 0 leaves the places as the sensor gave them.
        lost: factor on how often hands are lost; 0 also leaves nothing hidden.
    """

    seed: int = 3407
    noise: float = 1.0
    lost: float = 1.0

    def view(self, recording: Recording) -> Recording:
        """The recording as this camera would have given it, in the joints of ``kinect-v2``.

        Args:
            recording: positions (T, 25, 3) in camera space, the sensor at the origin.
        """
        assert recording.positions is not None
        rng = np.random.default_rng([self.seed, zlib.crc32(recording.id.encode())])
        x = recording.positions.astype(np.float64)
        states = np.full(x.shape[:2], TRACKED, dtype=np.uint8)
        hidden = hidden_joints(x) if self.lost else np.zeros(states.shape, dtype=bool)
        hidden |= self._lose_hands(rng, x)
        states[hidden] = INFERRED
        if self.noise:
            x = self._misplaced(rng, x, hidden, recording.fps)
        x, states = as_landmarks(x, states)
        return replace(
            recording, positions=quantise(x, _GRID), orientations=None, angles=None, tracked=states
        )

    def _lose_hands(self, rng: np.random.Generator, x: Array) -> NDArray[np.bool_]:
        """Lays the hands along the forearms, in place, for a while; says where (T, 25)."""
        frames = len(x)
        lost = np.zeros(x.shape[:2], dtype=bool)
        for side in _SIDES:
            hand = [INDEX[name + side] for name in _HAND]
            elbow, wrist = INDEX[f"Elbow{side}"], INDEX[f"Wrist{side}"]
            for _ in range(rng.poisson(HANDS_LOST * self.lost * frames / 1000)):
                start = int(rng.integers(frames))
                stop = min(frames, start + 1 + int(rng.exponential(SPELL)))
                end = x[start:stop, [wrist]]
                forearm = end - x[start:stop, [elbow]]
                length = np.maximum(np.linalg.norm(forearm, axis=-1, keepdims=True), 1e-6)
                away = np.linalg.norm(x[start:stop, hand] - end, axis=-1, keepdims=True)
                x[start:stop, hand] = end + away * forearm / length
                lost[start:stop, hand] = True
        return lost

    def _misplaced(
        self, rng: np.random.Generator, x: Array, hidden: NDArray[np.bool_], fps: float
    ) -> Array:
        """Places (T, 25, 3) with the errors of a guess from one picture."""
        hips = middle_of_hips(x)
        relief = np.exp(rng.normal(0.0, RELIEF * self.noise))
        lean = rng.normal(*LEAN) * self.noise
        seen = hips + rotate(about(0, -lean), (x - hips) * (1.0, 1.0, relief))
        axes = np.array([1.0, 1.0, DEPTH])
        drift = wander(rng, len(x), 0.7 * fps, x.shape[1:]) * DRIFT[:, None]
        drift *= np.where(hidden, HIDDEN, 1.0)[..., None]
        jitter = rng.standard_normal(x.shape) * JITTER[:, None]
        moved: Array = seen + self.noise * axes * (drift + jitter)
        return moved


def hidden_joints(x: Array) -> NDArray[np.bool_]:
    """Joints (T, 25) of arms and legs that trunk or limbs hide from the camera at the origin.

    A joint is hidden where the line to it passes through a limb (5 cm thick, the trunk 13 cm) that
    is nearer to the camera by more than 10 cm and does not end in the joint.

    Args:
        x: positions (T, 25, 3) in camera space, metres.
    """
    depth = np.maximum(x[..., 2], 0.1)
    flat = x[..., :2] / depth[..., None]
    hidden = np.zeros(x.shape[:2], dtype=bool)
    limbs = [("SpineBase", "SpineShoulder", _TRUNK)]
    for side in _SIDES:
        ends = (("Shoulder", "Elbow"), ("Elbow", "Wrist"), ("Hip", "Knee"), ("Knee", "Ankle"))
        limbs += [(a + side, b + side, _LIMB) for a, b in ends]
    joints = [j for j, name in enumerate(JOINTS) if name.endswith(_SIDES) and "Hip" not in name]
    for upper, lower, radius in limbs:
        a, b = INDEX[upper], INDEX[lower]
        others = [j for j in joints if j not in (a, b)]
        along = flat[:, b] - flat[:, a]
        from_a = flat[:, others] - flat[:, [a]]
        length = np.maximum((along**2).sum(-1), 1e-9)[:, None]
        share = np.clip((from_a * along[:, None]).sum(-1) / length, 0.0, 1.0)
        apart = np.linalg.norm(from_a - share[..., None] * along[:, None], axis=-1)
        near = depth[:, [a]] + share * (depth[:, [b]] - depth[:, [a]])
        hidden[:, others] |= (apart < radius / near) & (depth[:, others] - near > _BEHIND)
    return hidden


def as_landmarks(x: Array, states: NDArray[np.uint8]) -> tuple[Array, NDArray[np.uint8]]:
    """Kinect's joints as they are made of MediaPipe's landmarks, the hips' middle at the origin.

    Each landmark is put where Kinect has the same point: both ears at the head, the index finger's
    knuckle at the mean of hand, hand tip and thumb, the little finger's opposite it about the hand.
    Then the joints are made of the landmarks by the rules of the reader `mediapipe`.

    Args:
        x: positions (T, 25, 3), metres.
        states: tracking states (T, 25).
    """
    made: dict[str, dict[str, float]] = {}
    for side in _SIDES:
        name = side.lower()
        for joint in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Thumb"):
            made[f"{name}_{joint.lower()}"] = {joint + side: 1.0}
        hand, tip, thumb = (part + side for part in _HAND)
        made[f"{name}_ear"] = {"Head": 1.0}
        made[f"{name}_foot_index"] = {f"Foot{side}": 1.0}
        made[f"{name}_index"] = dict.fromkeys((hand, tip, thumb), 1 / 3)
        made[f"{name}_pinky"] = {hand: 5 / 3, tip: -1 / 3, thumb: -1 / 3}
    of_kinect = np.zeros((len(made), len(JOINTS)))
    for row, parts in zip(of_kinect, made.values(), strict=True):
        for joint, weight in parts.items():
            row[INDEX[joint]] = weight
    how, _ = weights(tuple(made), load_layout("kinect-v2"))
    whole = how @ of_kinect
    sources = [np.flatnonzero(np.abs(row) > 1e-9) for row in whole]
    found = np.stack([states[:, of].min(axis=1) for of in sources], axis=1)
    joints = np.einsum("vj,tjc->tvc", whole, x)
    return joints - middle_of_hips(joints), found


def middle_of_hips(x: Array) -> Array:
    """The point between the hips (T, 1, 3) of Kinect's joints (T, 25, 3)."""
    middle: Array = x[:, [INDEX["HipLeft"], INDEX["HipRight"]]].mean(axis=1, keepdims=True)
    return middle

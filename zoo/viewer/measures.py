"""Angles in degrees and distances in centimetres over time, and how far each of them goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import Recording
from zoo.data.repetition import find_repetitions
from zoo.data.transforms import Motion, face_camera, pelvis_joints, repair_jumps
from zoo.skeleton import Layout, load_layout
from zoo.viewer.joints import Sides, pair_of

Array = NDArray[np.float64]

DEGREES, CENTIMETRES = "°", "cm"

_OUTERMOST = 1.0
"""Percent of the frames that are left out at either end of a range: a tracker's single slips."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One thing that is measured of a body over time.

    Attributes:
        title: such as ``Knee bend``.
        what: what it is, in a few words.
        unit: `DEGREES` or `CENTIMETRES`.
        sides: the values (T,) of the left and of the right side, or one series for the body.
    """

    title: str
    what: str
    unit: str
    sides: tuple[Array, ...]

    @property
    def paired(self) -> bool:
        """Whether there is a left and a right one."""
        return len(self.sides) == 2


@dataclass(frozen=True)
class Extent:
    """How far a measure goes in the exercise.

    Attributes:
        low: the smallest value of each side, single frames left out.
        high: the largest.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def ranges(self) -> tuple[float, ...]:
        """From the smallest to the largest value, of each side."""
        return tuple(high - low for low, high in zip(self.low, self.high, strict=True))

    @property
    def asymmetry(self) -> float | None:
        """Range of the left side less that of the right; None of what has no sides."""
        return self.ranges[0] - self.ranges[1] if len(self.low) == 2 else None


def mended(recording: Recording) -> Array:
    """Positions (T, V, 3) of a recording, jumps bridged, the body turned to face the sensor."""
    layout = load_layout(recording.layout)
    motion = face_camera(repair_jumps(Motion.of(recording, layout)))
    found: Array = motion.streams["position"].astype(np.float64)
    return found


def measures_of(positions: Array, layout: Layout, *, metric: bool = True) -> list[Measure]:
    """What can be measured of a body under this layout.

    Args:
        positions: (T, V, 3), facing the sensor, see `mended`.
        layout: the skeleton; what it has no joints for is left out.
        metric: whether positions are metres with y up; without it there are no centimetres, and
            nothing is measured against the vertical.
    """
    place = _Places(positions, layout)
    found = [
        place.both("Arm lift", "upper arm against the trunk, 0° hanging", place.arm_lift),
        place.both("Elbow bend", "0° straight", place.bend("shoulder", "elbow", "wrist")),
        place.both("Hip bend", "thigh against the trunk, 0° straight", place.hip_bend),
        place.both("Knee bend", "0° straight", place.bend("hip", "knee", "ankle")),
    ]
    trunk = place.trunk
    if trunk is not None:
        turn = place.turn()
        found.append(Measure("Trunk turn", "shoulders against hips, left positive", DEGREES, turn))
    if trunk is not None and metric:
        forward = np.degrees(np.arctan2(-trunk[:, 2], trunk[:, 1]))
        aside = np.degrees(np.arctan2(trunk[:, 0], trunk[:, 1]))
        found += [
            Measure("Trunk lean forward", "against the vertical", DEGREES, (forward,)),
            Measure("Trunk lean sideways", "right positive", DEGREES, (aside,)),
        ]
    if metric:
        pelvis = positions[:, pelvis_joints(layout), 1].mean(axis=1)
        low = 100 * (pelvis - np.percentile(pelvis, 95))
        found.append(Measure("Pelvis height", "against standing", CENTIMETRES, (low,)))
        hands = place.get("wrist")
        if hands is not None:
            above = tuple(100 * (side[:, 1] - pelvis) for side in hands)
            found.append(Measure("Hand height", "wrist above the pelvis", CENTIMETRES, above))
    return [measure for measure in found if measure is not None]


def exercise_frames(recording: Recording) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """(start, stop) from the first to the last repetition, and all repetitions.

    The whole recording where none are found.
    """
    repetitions = find_repetitions(recording)
    if not repetitions:
        return (0, recording.num_frames), []
    return (repetitions[0][0], repetitions[-1][1]), repetitions


def extent(measure: Measure, frames: tuple[int, int]) -> Extent:
    """How far a measure goes between two frames."""
    cut = [side[slice(*frames)] for side in measure.sides]
    low, high = (
        tuple(float(np.percentile(side, at)) for side in cut)
        for at in (_OUTERMOST, 100 - _OUTERMOST)
    )
    return Extent(low, high)


class _Places:
    """Where the joints of the table are, and the angles between them."""

    def __init__(self, positions: Array, layout: Layout) -> None:
        self._positions, self._layout = positions, layout
        shoulders, hips = self.get("shoulder"), self.get("hip")
        self._shoulders, self._hips = shoulders, hips
        self.trunk: Array | None = None
        if shoulders is not None and hips is not None:
            up = shoulders[0] + shoulders[1] - hips[0] - hips[1]
            self.trunk = up / 2

    def get(self, joint: str) -> tuple[Array, Array] | None:
        pair: Sides | None = pair_of(self._layout, joint)
        return None if pair is None else tuple(self._positions[:, j] for j in pair)  # type: ignore[return-value]

    def both(self, title: str, what: str, angle: Callable[[int], Array | None]) -> Measure | None:
        left, right = angle(0), angle(1)
        if left is None or right is None:
            return None
        return Measure(title, what, DEGREES, (left, right))

    def bend(self, above: str, joint: str, below: str) -> Callable[[int], Array | None]:
        """How far a hinge is bent, 0 where it is straight."""
        ends: Sequence[tuple[Array, Array] | None] = [self.get(n) for n in (above, joint, below)]

        def angle(side: int) -> Array | None:
            if any(end is None for end in ends):
                return None
            a, b, c = (end[side] for end in ends if end is not None)
            return _between(b - a, c - b)

        return angle

    def arm_lift(self, side: int) -> Array | None:
        elbow = self.get("elbow")
        if self.trunk is None or self._shoulders is None or elbow is None:
            return None
        return _between(elbow[side] - self._shoulders[side], -self.trunk)

    def hip_bend(self, side: int) -> Array | None:
        knee = self.get("knee")
        if self.trunk is None or self._hips is None or knee is None:
            return None
        return _between(knee[side] - self._hips[side], -self.trunk)

    def turn(self) -> tuple[Array]:
        """Shoulders against hips about the vertical, positive to the person's left."""
        assert self._shoulders is not None
        assert self._hips is not None
        above, below = (right - left for left, right in (self._shoulders, self._hips))
        apart = np.arctan2(above[:, 2], above[:, 0]) - np.arctan2(below[:, 2], below[:, 0])
        # Turned to their left, the person's right shoulder comes forward, to smaller z.
        return (np.degrees(-np.angle(np.exp(1j * apart))),)


def _between(a: Array, b: Array) -> Array:
    """Angle (T,) in degrees between directions (T, 3)."""
    sine = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(sine, (a * b).sum(axis=-1)))

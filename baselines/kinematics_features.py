"""What a clinician would measure of a movement: some hundred numbers of one recording.

Range of motion, posture, speed, smoothness, rhythm, symmetry and how alike the repetitions are.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from baselines.motion_measures import (
    angle,
    correlation,
    log_acceleration,
    log_dimensionless_jerk,
    near_the_trunk,
    slow_shares,
    spectral_arc_length,
    spread,
    still_body,
)
from zoo.data.recording import Recording
from zoo.data.repetition import find_repetitions
from zoo.data.resample import resample
from zoo.data.transforms import (
    Motion,
    center,
    face_camera,
    pelvis_joints,
    repair_jumps,
    scale_body,
    smooth,
)
from zoo.errors import DataError
from zoo.skeleton.layout import Layout

Array = NDArray[np.float64]

_FEWEST_FRAMES = 5
_REPETITION_FRAMES = 50


class KinematicFeatures:
    """Measures the movements of one kind of skeleton.

    Jumps of the tracker are bridged, joints smoothed (Gaussian, 2 frames), taken relative to the
    pelvis, turned until the body faces the sensor and divided by the body's size
    (`zoo.data.transforms`): place, direction and size say nothing. Lengths are in that size.

    Of the limbs the first three joints are measured and not hands, feet and fingers, where a
    depth camera sees mostly noise; of other body parts all joints.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        kept, still = near_the_trunk(layout), pelvis_joints(layout)
        parents, mirror = layout.parents, layout.mirror
        self._joints = [j for j in kept if [j] != still]
        self._pairs = _columns([pair for pair in layout.pairs if pair[0] in kept], 2)
        bones = [(c, p) for c, p in layout.bones if c in kept and p in kept]
        self._bones = _columns(bones, 2)
        bends = [(parents[p], p, c) for c, p in bones if parents[p] in kept]
        self._bends = _columns(bends, 3)
        lefts = {left for left, _ in layout.pairs}
        opposite = {bend: tuple(mirror[j] for j in bend) for bend in bends if bend[1] in lefts}
        self._mirrored = _columns(
            [(bends.index(a), bends.index(b)) for a, b in opposite.items() if b in bends], 2
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each of the D numbers is; of a group of several, with its number."""
        found = self.groups(still_body(self.layout), 30.0)
        return tuple(
            name if values.size == 1 else f"{name} {number}"
            for name, values in found.items()
            for number in range(values.size)
        )

    def measure(self, positions: NDArray[np.float32], fps: float) -> Array:
        """All features of one sequence (D,), NaN where one is undefined; D is the layout's.

        All are where no body is seen: one such sequence must not end a fold.
        """
        try:
            found = self.groups(positions, fps)
        except DataError:
            return np.full(len(self.names), np.nan)
        return np.concatenate([np.ravel(values) for values in found.values()])

    def groups(self, positions: NDArray[np.float32], fps: float) -> Mapping[str, Array]:
        """The features of one sequence by name.

        Args:
            positions: (T, V, 3) metres, y up; of very short sequences the last frame is held.
            fps: frames per second.

        Raises:
            DataError: no body is seen: all bones have length 0.
        """
        missing = max(0, _FEWEST_FRAMES - len(positions))
        held = np.pad(positions, ((0, missing), (0, 0), (0, 0)), mode="edge").astype(np.float64)
        motion = smooth(repair_jumps(Motion({"position": held}, self.layout, fps)))
        x = scale_body(face_camera(center(motion))).streams["position"]
        y: Array = x[:, self._joints]
        bend = self._bend(x)
        velocity = np.gradient(y, axis=0) * fps
        speed = np.linalg.norm(velocity, axis=-1)
        return {
            "duration": np.array([len(held) / fps]),
            **spread("place", y.reshape(len(y), -1)),
            **spread("bend", bend),
            **spread("tilt", self._tilt(x)),
            "mean speed": speed.mean(axis=0),
            "deviation of speed": speed.std(axis=0),
            "log acceleration": log_acceleration(velocity, fps),
            "mean bend speed": np.abs(np.gradient(bend, axis=0)).mean(axis=0) * fps,
            "slow share": slow_shares(y.reshape(len(y), -1), fps),
            "spectral arc length": spectral_arc_length(speed, fps),
            "log dimensionless jerk": log_dimensionless_jerk(speed, fps),
            **self._symmetry(x, bend),
            **self._repetitions(positions, y.reshape(len(y), -1), bend, fps),
        }

    def _bend(self, x: Array) -> Array:
        """Angles (T, B) in degrees between the bones that meet at a joint; 180 for straight."""
        above, joint, below = self._bends
        return angle(x[:, above] - x[:, joint], x[:, below] - x[:, joint])

    def _tilt(self, x: Array) -> Array:
        """Angles (T, B) in degrees between each bone and the vertical."""
        child, parent = self._bones
        return angle(x[:, child] - x[:, parent], np.array([0.0, 1.0, 0.0]))

    def _symmetry(self, x: Array, bend: Array) -> dict[str, Array]:
        """How the left side differs from the right one."""
        left, right = (x[:, side] for side in self._pairs)
        a, b = (bend[:, side] for side in self._mirrored)
        wider = np.ptp(a, axis=0) - np.ptp(b, axis=0)
        straighter = a.mean(axis=0) - b.mean(axis=0)
        return {
            "left less right deviation": left.std(axis=0) - right.std(axis=0),
            "left less right range": np.ptp(left, axis=0) - np.ptp(right, axis=0),
            "left with right": correlation(left, right),
            "left less right bend range": np.stack([wider, np.abs(wider)]),
            "left less right mean bend": np.stack([straighter, np.abs(straighter)]),
            "left with right bend": correlation(a, b),
        }

    def _repetitions(
        self, positions: NDArray[np.float32], y: Array, bend: Array, fps: float
    ) -> dict[str, Array]:
        """How many repetitions there are, how long, and how alike."""
        recording = Recording("", "", "", "", "", self.layout.name, fps, positions=positions)
        found = find_repetitions(recording)
        if len(found) < 2:
            return {"repetitions": np.zeros(1), "their rhythm": np.full(8, np.nan)}
        seconds = np.array([stop - start for start, stop in found]) / fps
        both = np.concatenate([y, bend], axis=1)
        course = np.stack([resample(both[a:b], _REPETITION_FRAMES) for a, b in found])
        deviation = course.std(axis=0).mean(axis=0)
        size = np.ptp(course, axis=1)
        usual = np.ptp(course.mean(axis=0), axis=0)
        rhythm = [
            seconds.mean(),
            np.log(seconds.mean()),
            seconds.std() / seconds.mean(),
            seconds.min() / seconds.max(),
            np.median(deviation / (usual + 1e-3)),
            np.median(size.std(axis=0) / (size.mean(axis=0) + 1e-3)),
            np.median(deviation[: y.shape[1]]),
            np.median(deviation[y.shape[1] :]),
        ]
        return {"repetitions": np.array([float(len(found))]), "their rhythm": np.array(rhythm)}


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.int64]:
    """Rows of `width` indices, of which there may be none, as (width, R)."""
    return np.array(rows, dtype=np.int64).reshape(-1, width).T

"""What a recording's movement is like, joint by joint: the node features of a graph network."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from baselines.kinematics_features import KinematicFeatures
from baselines.motion_measures import (
    Array,
    angle,
    correlation,
    log_acceleration,
    log_dimensionless_jerk,
    near_the_trunk,
    slow_shares,
    spectral_arc_length,
    still_body,
)
from zoo.data.recording import Recording
from zoo.data.repetition import find_repetitions
from zoo.data.resample import resample
from zoo.data.transforms import Motion, center, face_camera, repair_jumps, scale_body, smooth
from zoo.errors import DataError
from zoo.skeleton.layout import Layout

STREAMS = ("position", "angle")
"""What joints can be described by."""

_FEWEST_FRAMES = 5
_PHASES = 8
_UP = np.array([0.0, 1.0, 0.0])


class JointDescriptors:
    """Measures every joint of one kind of skeleton over a whole recording.

    Positions are prepared as those of `KinematicFeatures`: jumps bridged, smoothed, taken relative
    to the pelvis, turned to face the sensor, divided by the body's size. Joints far out on arms and
    legs are left out as there.

    Of angles their own course is measured, as it stands, smoothed: three numbers of every joint.

    Args:
        layout: the skeleton.
        stream: what is measured, of `STREAMS`.
        courses: describe the mean course of a repetition too, in eight phases, and how alike
            the repetitions are.
        repetitions: measure the joints over each repetition and take the mean, instead of over the
            whole recording with its rests and beginnings.

    Attributes:
        joints: the J joints described, as indices of the layout.
        names: of the D numbers of a joint.
        whole_names: of the G numbers of the whole body.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        stream: str = "position",
        courses: bool = False,
        repetitions: bool = False,
    ) -> None:
        self.layout, self.courses, self.repetitions = layout, courses, repetitions
        self.places = stream == "position"
        self.joints = near_the_trunk(layout) if self.places else list(range(layout.num_joints))
        place = {joint: at for at, joint in enumerate(self.joints)}
        parents = [place.get(layout.parents[joint], -1) for joint in self.joints]
        children = [[c for c, p in enumerate(parents) if p == at] for at in range(len(parents))]
        self._parent = np.array(parents)
        self._bends = np.array(
            [(parents[at], at, of[0]) for at, of in enumerate(children) if of and parents[at] >= 0],
            dtype=np.int64,
        ).reshape(-1, 3)
        mirror = [place[layout.mirror[joint]] for joint in self.joints]
        self._mirror = np.array(mirror)
        lefts = {left for left, _ in layout.pairs}
        side = [0.0 if m == at else 1.0 if self.joints[at] in lefts else -1.0
                for at, m in enumerate(mirror)]  # fmt: skip
        self._side = np.array(side)[:, None]
        self._features = KinematicFeatures(layout)
        described, whole = self._groups(still_body(layout), 30.0)
        self.names = _names(described)
        self.whole_names = _names({name: values[None] for name, values in whole.items()})

    def measure(self, values: NDArray[np.float32], fps: float) -> tuple[Array, Array]:
        """Descriptors (J, D) of the joints and (G,) of the whole body, NaN where undefined.

        Args:
            values: positions (T, V, 3) in metres, y up, or angles (T, V, 3) in degrees; of very
                short sequences the last frame is held.
            fps: frames per second.
        """
        try:
            described, whole = self._groups(values, fps)
        except DataError:  # no body to measure; one such recording must not end a fold
            nothing = np.full((len(self.joints), len(self.names)), np.nan)
            return nothing, np.full(len(self.whole_names), np.nan)
        return np.concatenate(list(described.values()), axis=1), np.concatenate([*whole.values()])

    def _groups(
        self, values: NDArray[np.float32], fps: float
    ) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        missing = max(0, _FEWEST_FRAMES - len(values))
        held: NDArray[np.float32] = np.pad(values, ((0, missing), (0, 0), (0, 0)), mode="edge")
        x = self._prepared(held.astype(float), fps)[:, self.joints]
        found = self._found(held, fps) if self.courses or self.repetitions else []
        parts = [x[a:b] for a, b in found] if self.repetitions else [x]
        each = [self._described(part, fps) for part in parts]
        described = {name: _mean([one[name] for one in each]) for name in each[0]}
        if self.courses:
            described |= _courses(x, found)
        if not self.places:
            return described, {"duration": np.array([len(values) / fps])}
        whole = self._features.groups(values, fps)
        return described, {name: np.ravel(whole[name]) for name in _WHOLE}

    def _prepared(self, values: Array, fps: float) -> Array:
        """What is measured of positions or angles (T, V, 3)."""
        if not self.places:
            return smooth(Motion({"angle": values}, self.layout, fps)).streams["angle"]
        motion = smooth(repair_jumps(Motion({"position": values}, self.layout, fps)))
        return scale_body(face_camera(center(motion))).streams["position"]

    def _found(self, values: NDArray[np.float32], fps: float) -> list[tuple[int, int]]:
        """The repetitions that are long enough to be measured; the whole where there are none."""
        places, angles = (values, None) if self.places else (None, values)
        recording = Recording(
            "", "", "", "", "", self.layout.name, fps, positions=places, angles=angles
        )
        long_enough = [r for r in find_repetitions(recording) if r[1] - r[0] >= _FEWEST_FRAMES]
        return long_enough or [(0, len(values))]

    def _described(self, x: Array, fps: float) -> dict[str, Array]:
        """Descriptors (J, …) by name of prepared positions (T, J, 3)."""
        frames, joints = x.shape[:2]
        velocity = np.gradient(x, axis=0) * fps
        speed = np.linalg.norm(velocity, axis=-1)
        slow = slow_shares(x.reshape(frames, -1), fps).reshape(-1, joints, 3)
        return {
            **{f"place {name}": values for name, values in _spread(x).items()},
            "speed": speed.mean(axis=0)[:, None],
            "deviation of speed": speed.std(axis=0)[:, None],
            "log acceleration": log_acceleration(velocity, fps)[:, None],
            "spectral arc length": spectral_arc_length(speed, fps)[:, None],
            "log dimensionless jerk": log_dimensionless_jerk(speed, fps)[:, None],
            "slow share": slow.transpose(1, 0, 2).reshape(joints, -1),
            **self._bones(x, fps),
            **self._symmetry(x),
        }

    def _bones(self, x: Array, fps: float) -> dict[str, Array]:
        """How bones stand and how joints are bent, where there are places to tell it from."""
        if not self.places:
            return {}
        tilt = self._angles("tilt", self._tilt(x), fps)
        return {**tilt, **self._angles("bend", self._bend(x), fps)}

    def _tilt(self, x: Array) -> Array:
        """Angles (T, J) in degrees between the vertical and the bone that ends at each joint."""
        found = np.zeros(x.shape[:2])
        ends = np.flatnonzero(self._parent >= 0)
        found[:, ends] = angle(x[:, ends] - x[:, self._parent[ends]], _UP)
        return found

    def _bend(self, x: Array) -> Array:
        """Angles (T, J) in degrees between the bones that meet at each joint; 180 for straight."""
        found = np.full(x.shape[:2], 180.0)
        above, joint, below = self._bends.T
        found[:, joint] = angle(x[:, above] - x[:, joint], x[:, below] - x[:, joint])
        return found

    def _angles(self, name: str, angles: Array, fps: float) -> dict[str, Array]:
        spread = {f"{name} {what}": values for what, values in _spread(angles[..., None]).items()}
        pace = np.abs(np.gradient(angles, axis=0)).mean(axis=0)[:, None] * fps
        return {**spread, f"{name} speed": pace}

    def _symmetry(self, x: Array) -> dict[str, Array]:
        """How a joint differs from the one of the other side; 0 for those in the middle."""
        other = x[:, self._mirror]
        return {
            "left less right deviation": (x.std(axis=0) - other.std(axis=0)) * self._side,
            "left less right range": (np.ptp(x, axis=0) - np.ptp(other, axis=0)) * self._side,
            "left with right": correlation(x, other),
        }


def _courses(x: Array, found: Sequence[tuple[int, int]]) -> dict[str, Array]:
    """How prepared positions (T, J, 3) run through a repetition, and how alike repetitions are."""
    flat = x.reshape(len(x), -1)
    course = np.stack([resample(flat[a:b], _PHASES) for a, b in found])
    course = course.reshape(len(found), _PHASES, *x.shape[1:])
    ranges = np.stack([np.ptp(x[a:b], axis=0) for a, b in found])
    return {
        "course": course.mean(axis=0).transpose(1, 0, 2).reshape(x.shape[1], -1),
        "deviation of courses": course.std(axis=0).mean(axis=0),
        "range of a repetition": ranges.mean(axis=0),
        "deviation of ranges": ranges.std(axis=0),
    }


_WHOLE = (
    "duration",
    "left less right bend range",
    "left less right mean bend",
    "left with right bend",
    "repetitions",
    "their rhythm",
)


def _mean(values: Sequence[Array]) -> Array:
    """The mean of those that are defined."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _spread(values: Array) -> dict[str, Array]:
    """How `values` (T, J, C) are spread over time, each (J, C)."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
    return {
        "mean": values.mean(axis=0),
        "deviation": values.std(axis=0),
        "range": np.ptp(values, axis=0),
        "low": low,
        "middle": middle,
        "high": high,
    }


def _names(groups: Mapping[str, Array]) -> tuple[str, ...]:
    """The name of each number: its group's, with a count where the group has several."""
    return tuple(
        name if values.shape[1] == 1 else f"{name} {number}"
        for name, values in groups.items()
        for number in range(values.shape[1])
    )

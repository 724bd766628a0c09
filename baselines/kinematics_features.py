"""What a clinician would measure of a movement: some hundred numbers of one recording.

Range of motion, posture, speed, smoothness, rhythm, symmetry and how alike the repetitions are.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

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
from zoo.skeleton.layout import Layout

Array = NDArray[np.float64]

_LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")
_LIMB_JOINTS = 3
_FREQUENCIES = (0.25, 0.5, 1.0, 2.0)
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
        kept, still = _near_the_trunk(layout), pelvis_joints(layout)
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

    def measure(self, positions: NDArray[np.float32], fps: float) -> Array:
        """All features of one sequence (D,), NaN where one is undefined; D is the layout's."""
        return np.concatenate([np.ravel(v) for v in self.groups(positions, fps).values()])

    def groups(self, positions: NDArray[np.float32], fps: float) -> Mapping[str, Array]:
        """The features of one sequence by name.

        Args:
            positions: (T, V, 3) metres, y up; of very short sequences the last frame is held.
            fps: frames per second.
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
            **_spread("place", y.reshape(len(y), -1)),
            **_spread("bend", bend),
            **_spread("tilt", self._tilt(x)),
            "mean speed": speed.mean(axis=0),
            "deviation of speed": speed.std(axis=0),
            "log acceleration": _log_acceleration(velocity, fps),
            "mean bend speed": np.abs(np.gradient(bend, axis=0)).mean(axis=0) * fps,
            "slow share": _slow_shares(y.reshape(len(y), -1), fps),
            "spectral arc length": spectral_arc_length(speed, fps),
            "log dimensionless jerk": log_dimensionless_jerk(speed, fps),
            **self._symmetry(x, bend),
            **self._repetitions(positions, y.reshape(len(y), -1), bend, fps),
        }

    def _bend(self, x: Array) -> Array:
        """Angles (T, B) in degrees between the bones that meet at a joint; 180 for straight."""
        above, joint, below = self._bends
        return _angle(x[:, above] - x[:, joint], x[:, below] - x[:, joint])

    def _tilt(self, x: Array) -> Array:
        """Angles (T, B) in degrees between each bone and the vertical."""
        child, parent = self._bones
        return _angle(x[:, child] - x[:, parent], np.array([0.0, 1.0, 0.0]))

    def _symmetry(self, x: Array, bend: Array) -> dict[str, Array]:
        """How the left side differs from the right one."""
        left, right = (x[:, side] for side in self._pairs)
        a, b = (bend[:, side] for side in self._mirrored)
        wider = np.ptp(a, axis=0) - np.ptp(b, axis=0)
        straighter = a.mean(axis=0) - b.mean(axis=0)
        return {
            "left less right deviation": left.std(axis=0) - right.std(axis=0),
            "left less right range": np.ptp(left, axis=0) - np.ptp(right, axis=0),
            "left with right": _correlation(left, right),
            "left less right bend range": np.stack([wider, np.abs(wider)]),
            "left less right mean bend": np.stack([straighter, np.abs(straighter)]),
            "left with right bend": _correlation(a, b),
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


def _near_the_trunk(layout: Layout) -> list[int]:
    """All joints but those that hang more than `_LIMB_JOINTS` deep in an arm or a leg."""
    far = set()
    for limb in _LIMBS:
        part = layout.parts.get(limb, ())
        for joint in part:
            depth, above = 1, layout.parents[joint]
            while above in part:
                depth, above = depth + 1, layout.parents[above]
            if depth > _LIMB_JOINTS:
                far.add(joint)
    return [j for j in range(layout.num_joints) if j not in far]


def _spread(name: str, values: Array) -> dict[str, Array]:
    """How `values` (T, K) are spread over time."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
    return {
        f"mean {name}": values.mean(axis=0),
        f"deviation of {name}": values.std(axis=0),
        f"range of {name}": np.ptp(values, axis=0),
        f"low, middle, high {name}": np.stack([low, middle, high]),
    }


def _angle(a: Array, b: Array) -> Array:
    """Angles (...,) in degrees between vectors (..., 3)."""
    size = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine = (a * b).sum(axis=-1) / np.maximum(size, 1e-9)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _log_acceleration(velocity: Array, fps: float) -> Array:
    """Logarithm of the mean acceleration (V,) of joints with `velocity` (T, V, 3)."""
    acceleration = np.linalg.norm(np.gradient(velocity, axis=0) * fps, axis=-1)
    return np.log(acceleration.mean(axis=0) + 1e-6)


def _slow_shares(values: Array, fps: float) -> Array:
    """Share of the power of `values` (T, K) up to each of `_FREQUENCIES`, (F, K); NaN at rest."""
    power = np.abs(np.fft.rfft(values - values.mean(axis=0), axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(values), 1 / fps)
    total = np.where(_moves(values), power.sum(axis=0), np.nan)
    return np.stack([power[frequency <= limit].sum(axis=0) / total for limit in _FREQUENCIES])


def _correlation(a: Array, b: Array) -> Array:
    """Correlation over time of `a` and `b` (T, ...); NaN where one of them is at rest."""
    size = np.where(_moves(a) & _moves(b), a.std(axis=0) * b.std(axis=0), np.nan)
    return ((a - a.mean(axis=0)) * (b - b.mean(axis=0))).mean(axis=0) / size


def _moves(values: Array) -> NDArray[np.bool_]:
    """Whether `values` (T, ...) change by more than the rounding of positions in float32."""
    return values.std(axis=0) > 1e-5


def spectral_arc_length(speed: Array, rate: float) -> Array:
    r"""SPARC (K,) of K speed profiles: minus the length of the normalised spectrum's curve.

    .. math:: -\int_0^{\omega_c} \sqrt{(1/\omega_c)^2 + (d\hat V / d\omega)^2} \, d\omega

    with V̂ the magnitude spectrum divided by its largest value, from the first to the last
    frequency at which it reaches 0.05, below which there is only noise, at most 10 Hz, the highest
    that belongs to a movement. Near −1.4 for one smooth reach;
    the less smooth, the lower. NaN where nothing moves.

    Balasubramanian, Melendez-Calderon, Roby-Brami, Burdet: On the analysis of movement
    smoothness. J. NeuroEng. Rehabil. 12, 112 (2015); zero-padded 16-fold as in its released code.

    Args:
        speed: (T, K), not negative.
        rate: frames per second.
    """
    padded = 16 * 2 ** int(np.ceil(np.log2(len(speed))))
    frequency = np.fft.rfftfreq(padded, 1 / rate)
    within = frequency <= 10.0
    frequency = frequency[within]
    magnitude = np.abs(np.fft.rfft(speed, padded, axis=0))
    largest = magnitude.max(axis=0)
    moves = largest > 1e-12
    magnitude = magnitude[within] / np.where(moves, largest, 1.0)
    heard = magnitude >= 0.05
    first = heard.argmax(axis=0)
    last = len(heard) - 1 - heard[::-1].argmax(axis=0)
    width = np.where(last > first, frequency[last] - frequency[first], 1.0)
    steps = np.hypot(frequency[1] / width, np.diff(magnitude, axis=0))
    number = np.arange(len(steps))[:, None]
    length = (steps * ((number >= first) & (number < last))).sum(axis=0)
    return np.where(moves, -length, np.nan)


def log_dimensionless_jerk(speed: Array, rate: float) -> Array:
    r"""LDLJ (K,) of K speed profiles.

    .. math:: -\ln \Big( \frac{T^3}{v_{max}^2} \int \ddot v(t)^2 \, dt \Big)

    with T the duration. The less smooth, the lower. NaN where nothing moves or speeds never change.
    Source as `spectral_arc_length`.

    Args:
        speed: (T, K), at least 3 frames.
        rate: frames per second.
    """
    jerk = np.diff(speed, 2, axis=0) * rate**2
    duration = len(speed) / rate
    peak = speed.max(axis=0)
    total = (jerk**2).sum(axis=0) / rate * duration**3
    moves = (peak > 1e-12) & (total > 1e-24)
    ratio = np.where(moves, total, 1.0) / np.where(moves, peak, 1.0) ** 2
    return np.where(moves, -np.log(ratio), np.nan)

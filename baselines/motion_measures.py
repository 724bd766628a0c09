"""Measures of movements over time: spread, angles, smoothness, slowness, likeness of sides."""

import numpy as np
from numpy.typing import NDArray

from zoo.skeleton.layout import Layout

Array = NDArray[np.float64]

_LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")
_LIMB_JOINTS = 3
FREQUENCIES = (0.25, 0.5, 1.0, 2.0)
"""Hertz, up to which `slow_shares` takes a movement's power."""


def still_body(layout: Layout, frames: int = 5) -> NDArray[np.float32]:
    """Somebody who does not move (T, V, 3), joints in a row: for asking what would be measured."""
    row = np.arange(layout.num_joints, dtype=np.float32)[:, None] / 10
    return np.tile(row, (frames, 1, 3))


def near_the_trunk(layout: Layout) -> list[int]:
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


def spread(name: str, values: Array) -> dict[str, Array]:
    """How `values` (T, K) are spread over time."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
    return {
        f"mean {name}": values.mean(axis=0),
        f"deviation of {name}": values.std(axis=0),
        f"range of {name}": np.ptp(values, axis=0),
        f"low, middle, high {name}": np.stack([low, middle, high]),
    }


def angle(a: Array, b: Array) -> Array:
    """Angles (...,) in degrees between vectors (..., 3)."""
    size = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine = (a * b).sum(axis=-1) / np.maximum(size, 1e-9)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def log_acceleration(velocity: Array, fps: float) -> Array:
    """Logarithm of the mean acceleration (V,) of joints with `velocity` (T, V, 3)."""
    acceleration = np.linalg.norm(np.gradient(velocity, axis=0) * fps, axis=-1)
    return np.log(acceleration.mean(axis=0) + 1e-6)


def slow_shares(values: Array, fps: float) -> Array:
    """Share of the power of `values` (T, K) up to each of `FREQUENCIES`, (F, K); NaN at rest."""
    power = np.abs(np.fft.rfft(values - values.mean(axis=0), axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(values), 1 / fps)
    total = np.where(moves(values), power.sum(axis=0), np.nan)
    return np.stack([power[frequency <= limit].sum(axis=0) / total for limit in FREQUENCIES])


def correlation(a: Array, b: Array) -> Array:
    """Correlation over time of `a` and `b` (T, ...); NaN where one of them is at rest."""
    size = np.where(moves(a) & moves(b), a.std(axis=0) * b.std(axis=0), np.nan)
    return ((a - a.mean(axis=0)) * (b - b.mean(axis=0))).mean(axis=0) / size


def moves(values: Array) -> NDArray[np.bool_]:
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

"""Smoothness of movements from their speed: SPARC and log dimensionless jerk."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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

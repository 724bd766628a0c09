"""Finding the repetitions of an exercise in a recording.

The dominant periodic motion is followed, not the largest one: people raise an arm as a signal,
walk in, or sit down, and none of that is the exercise.

1. Joints relative to the middle of the body, at 10 Hz, smoothed, slow drift removed.
2. Robust principal components: every frame counts by its direction and not by its size, so a
   single large movement cannot take them over (spatial-sign covariance; Locantore et al. 1999).
3. The period: the lag after which the pose comes back, by the median over time of the squared
   distance between poses that far apart.
4. The component that repeats best at this lag; its peaks are the repetitions, the troughs
   between them the borders.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import find_peaks

from zoo.data.recording import Recording
from zoo.data.rotation import Array, continuous_sign
from zoo.data.transforms import good_frames

_RATE = 10.0
_COMPONENTS = 6
_SMOOTH_SECONDS = 0.2
_DRIFT_SECONDS = 4.0
_DRIFT_PERIODS = 1.0
"""What is slower than this many seconds, and later this many periods, is drift."""
_SHORTEST, _LONGEST = 1.2, 15.0
"""Seconds a repetition may take."""


def find_repetitions(recording: Recording) -> list[tuple[int, int]]:
    """The repetitions as (start, stop) frames, half open, in order of time, without overlap.

    The same recording always gives the same answer. Frames before the first and after the last
    repetition belong to none. Empty where no motion comes back at least once.
    """
    poses, step, rate = _poses(recording)
    frames = recording.num_frames
    if len(poses) < 3 * _SHORTEST * rate:
        return []
    motion = _components(poses, rate)
    lag = _period(motion, rate)
    if lag is None:
        return []
    motion = _without_drift(motion, _DRIFT_PERIODS * lag)
    signal = _most_periodic(motion, lag)
    peaks, sign = _peaks(signal, motion, lag)
    if len(peaks) < 2:
        return []
    borders = [min(b * step, frames) for b in _borders(sign * signal, peaks, lag)]
    return list(pairwise(borders))


def _poses(recording: Recording) -> tuple[Array, int, float]:
    """Poses (T', D) at about 10 Hz, frames between two of them, and their rate."""
    step = max(1, round(recording.fps / _RATE))
    if recording.positions is not None:
        x = recording.positions.astype(np.float64)
        good = good_frames(x, recording.fps)
        x = x - x.mean(axis=1, keepdims=True)
        if not good.all():
            known = np.flatnonzero(good)
            nearest = np.searchsorted(known, np.arange(len(x))).clip(0, len(known) - 1)
            x = x[known[nearest]]
    elif recording.orientations is not None:
        x = continuous_sign(recording.orientations.astype(np.float64))
    else:
        assert recording.angles is not None
        x = recording.angles.astype(np.float64)
    flat = x.reshape(len(x), -1)
    whole = len(flat) // step * step
    means = flat[:whole].reshape(-1, step, flat.shape[1]).mean(axis=1) if whole else flat[:1]
    rate = recording.fps / step
    return gaussian_filter1d(means, _SMOOTH_SECONDS * rate, axis=0, mode="nearest"), step, rate


def _components(poses: Array, rate: float) -> Array:
    """Scores (T', K) on the robust principal components, large outliers pulled in."""
    x = _without_drift(poses - np.median(poses, axis=0), _DRIFT_SECONDS * rate)
    size = np.linalg.norm(x, axis=1, keepdims=True)
    usual = np.median(size) + 1e-12
    directions = x / (size + usual)
    _, vectors = np.linalg.eigh(directions.T @ directions)
    scores = x @ vectors[:, : -_COMPONENTS - 1 : -1]
    return scores * np.minimum(1.0, 2 * usual / np.maximum(size, 1e-12))


def _without_drift(x: Array, sigma: float) -> Array:
    """`x` (T, D) less its running mean: a box twice, together of standard deviation `sigma`."""
    box = max(1, round(sigma * math.sqrt(6)))
    drift = uniform_filter1d(x, box, axis=0, mode="nearest")
    return x - uniform_filter1d(drift, box, axis=0, mode="nearest")


def _period(motion: Array, rate: float) -> int | None:
    """The lag at which the pose comes back, or None where it does not."""
    shortest = max(2, math.floor(_SHORTEST * rate))
    longest = min(math.floor(_LONGEST * rate), math.floor(0.6 * len(motion)))
    usual = 2 * float(np.median((motion**2).sum(axis=1)))
    if longest <= shortest or not usual > 1e-12:
        return None
    apart = np.zeros(longest + 1)
    for lag in range(1, longest + 1):
        change = motion[lag:] - motion[:-lag]
        squared = np.einsum("tk,tk->t", change, change)
        middle = len(squared) // 2
        apart[lag] = np.partition(squared, middle)[middle] / usual
    farthest = np.maximum.accumulate(apart)
    dips, _ = find_peaks(-apart)
    back = [d for d in dips.tolist() if d >= shortest and apart[d] < 0.5 * farthest[d]]
    if not back:
        return None
    best = min(apart[d] for d in back)
    return next(d for d in back if apart[d] <= best + 0.15 * (farthest[d] - best))


def _most_periodic(motion: Array, lag: int) -> Array:
    """The component (T',) with the largest usual size that comes back after `lag`."""
    later, sooner = motion[lag:], motion[:-lag]
    same = (later * sooner).sum(axis=0)
    full = np.sqrt((later**2).sum(axis=0) * (sooner**2).sum(axis=0)) + 1e-12
    size = np.median(np.abs(motion), axis=0) ** 2
    return motion[:, int(np.argmax(size * np.maximum(same / full, 0.0)))]


def _peaks(signal: Array, motion: Array, lag: int) -> tuple[NDArray[np.int64], float]:
    """Peaks of the signal or of its mirror image: whichever shows more repetitions, whole.

    Where both show as many, the side away from the pose at rest, that of the slowest frames.
    """
    speed = np.linalg.norm(np.gradient(motion, axis=0), axis=1)
    rest = float(np.median(signal[speed <= np.quantile(speed, 0.15)]))
    best: tuple[tuple[int, float], NDArray[np.int64], float] | None = None
    for sign in (1.0, -1.0):
        peaks = _prominent(sign * signal, lag)
        away = abs(float(np.median(signal[peaks])) - rest) if len(peaks) else 0.0
        if best is None or (len(peaks), away) > best[0]:
            best = ((len(peaks), away), peaks, sign)
    assert best is not None
    return best[1], best[2]


def _prominent(signal: Array, lag: int) -> NDArray[np.int64]:
    low, high = np.percentile(signal, (10, 90))
    peaks, found = find_peaks(signal, prominence=0.25 * (high - low), distance=max(1, 0.6 * lag))
    if not len(peaks):
        return peaks
    prominence = found["prominences"]
    return peaks[prominence >= 0.5 * np.median(prominence)]


def _borders(signal: Array, peaks: NDArray[np.int64], lag: int) -> list[int]:
    """Troughs before, between and after the peaks; of a flat one the middle."""
    first = max(0, int(peaks[0]) - lag)
    last = min(len(signal), int(peaks[-1]) + lag + 1)
    edges = [first, *(int(p) for p in peaks), last]
    borders = []
    for place, (a, b) in enumerate(pairwise(edges)):
        piece = signal[a:b]
        near = np.flatnonzero(piece <= piece.min() + 0.05 * (piece.max() - piece.min()))
        if place == 0:
            at = near[-1]
        elif place == len(peaks):
            at = near[0] + 1
        else:
            at = int(np.median(near))
        borders.append(a + int(at))
    return borders

"""Times of frames to seconds, and the frame rate they tell."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError
from zoo.errors import ConfigError

Floats = NDArray[np.float64]

RATES = (1.0, 1000.0)
"""Frames a second that are believed."""

SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
"""Of each unit of time."""


def checked_fps(fps: Any) -> float | None:
    """`fps` as a number, None as it is.

    Raises:
        ConfigError: it is no number that a camera could have.
    """
    if fps is None:
        return None
    try:
        rate = float(fps)
    except (TypeError, ValueError):
        rate = 0.0
    if isinstance(fps, bool) or not (isfinite(rate) and RATES[0] <= rate <= RATES[1]):
        raise ConfigError(f"fps is {fps!r}, expected frames a second, {RATES[0]:g} to {RATES[1]:g}")
    return rate


def seconds(times: Floats, unit: str = "", lines: Sequence[int] | None = None) -> Floats:
    """Seconds from the first frame (T,) of times in `unit`, or in the one that gives a frame rate.

    Args:
        times: of the frames (T,).
        unit: ``s``, ``ms``, ``µs`` or ``ns``; empty where the file does not say.
        lines: line of each frame in the file, for messages.

    Raises:
        FaultError: a time that is missing or goes back, or of which no unit gives a frame rate.
    """

    def line(frame: int) -> int | None:
        return None if lines is None else lines[frame]

    missing = np.flatnonzero(~np.isfinite(times))
    if len(missing):
        raise FaultError("time-stamps", line(int(missing[0])), "no time", "a time for every frame")
    steps = np.diff(times)
    back = np.flatnonzero(steps < 0)
    if len(back):
        at = int(back[0]) + 1
        found = f"time {times[at]:g} after {times[at - 1]:g}"
        raise FaultError("time-stamps", line(at), found, "times in order")
    step = float(np.median(steps)) if len(steps) else 0.0
    if step <= 0:
        found = "times that stand still" if len(steps) else "one frame"
        raise FaultError("time-stamps", None, found, "times that go on")
    units = [unit] if unit else list(SECONDS)
    fitting = [u for u in units if RATES[0] <= 1 / (step * SECONDS[u]) < RATES[1]]
    if not fitting:
        found = f"times {step:g} {unit} apart".replace("  ", " ")
        wanted = f"{RATES[0]:g} to {RATES[1]:g} frames a second"
        raise FaultError("time-stamps", None, found, wanted)
    return (times - times[0]) * SECONDS[fitting[0]]


def rate_of(times: Floats) -> float:
    """Frames a second (T,) of times that may lack some frames and be rounded."""
    steps = np.diff(times)
    step = float(np.median(steps))
    frames = np.maximum(np.round(steps / step), 1).sum()
    return float(round(frames / float(times[-1] - times[0]), 3))

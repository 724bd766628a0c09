"""When frames were taken: time stamps are believed if they can be, and time becomes even."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.checks.look import MOST_MISSING, Look
from zoo.data.checks.places import keep_frames
from zoo.data.gaps import at_times, quaternions_at_times
from zoo.data.recording import NOT_TRACKED, TRACKED, Recording

Times = NDArray[np.float64]

_OFF = 0.25
"""Frames by which a time may be off before the recording is resampled."""
_GAP = 1.5
"""A step of so many usual ones is a gap: at least one frame is missing."""
_RATES = 20.0
"""A rate so many times the dataset's, or so small a part of it, is another unit."""
_OTHER_RATE = 0.05


def time_stamps(recording: Recording, look: Look) -> Recording:
    """Time stamps that cannot be times of the frames are left out; doubled frames are too."""
    times = recording.timestamps
    if times is None:
        return recording
    wrong = _wrong(times, recording.fps)
    if wrong:
        wanted = f"seconds that rise with the frames; {recording.fps:g} frames a second are assumed"
        look.fault("time-stamps", wrong, wanted)
        return replace(recording, timestamps=None)
    new = np.r_[True, np.diff(times) > 0]
    if new.all():
        return recording
    look.note(
        "doubled-frames", f"{int((~new).sum())} frames have the time of the one before; left out"
    )
    return keep_frames(recording, new)


def even_time(recording: Recording, look: Look) -> Recording:
    """Frames at even steps of the dataset's rate, on straight lines between those that were seen.

    Recordings whose frames stand where an even clock would have them, within a quarter of a frame,
    stay as they are. Joints in gaps are marked as lost. Refused where gaps are longer than what was
    seen.
    """
    times, fps = recording.timestamps, recording.fps
    if times is None or len(times) < 2:
        return recording
    steps = np.diff(times)
    usual, length = float(np.median(steps)), float(times[-1] - times[0])
    gap = steps > _GAP * usual
    lost = float((steps[gap] - usual).sum())
    if lost > MOST_MISSING * length:
        found = f"no frames in {lost:.1f} of {length:.1f} seconds"
        raise look.refusal("gaps", found, "frames in at least half of the time")
    grid = times[0] + np.arange(int(length * fps + _OFF) + 1) / fps
    if len(grid) == len(times) and np.abs(times - grid).max() <= _OFF / fps:
        return recording
    if abs(1 / usual - fps) > _OTHER_RATE * fps:
        look.note("rate", f"{1 / usual:.3g} frames a second by the time stamps; brought to {fps:g}")
    gaps = int(gap.sum())
    if gaps:
        look.note(
            "gaps",
            f"{gaps} gap{'s' * (gaps > 1)} between frames, the longest "
            f"{steps.max():.2f} s at {times[steps.argmax()]:.1f} s; bridged",
        )
    before = np.clip(np.searchsorted(times, grid, side="right") - 1, 0, len(steps) - 1)
    share = np.clip((grid - times[before]) / steps[before], 0.0, 1.0)
    return _at(recording, before, share, gap[before] & (share > 0) & (share < 1))


def _at(
    recording: Recording,
    before: NDArray[np.int64],
    share: Times,
    bridged: NDArray[np.bool_],
) -> Recording:
    """The recording at other times; `bridged` (N,) are those inside a gap."""
    made: dict[str, Any] = {}
    for name in ("positions", "angles"):
        values = getattr(recording, name)
        if values is not None:
            made[name] = at_times(values, before, share).astype(np.float32)
    if recording.orientations is not None:
        turned = quaternions_at_times(recording.orientations, before, share)
        made["orientations"] = turned.astype(np.float32)
    states = recording.tracked
    if states is not None:
        states = states[before + (share >= 0.5)]
    elif bridged.any():
        states = np.full((len(before), recording.num_joints), TRACKED, dtype=np.uint8)
    if states is not None:
        states[bridged] = NOT_TRACKED
    return replace(recording, **made, tracked=states, timestamps=None)


def _wrong(times: Times, fps: float) -> str:
    """Why these cannot be the times of the frames; empty where they can."""
    if not np.isfinite(times).all():
        return f"a time that is no number in frame {int(np.flatnonzero(~np.isfinite(times))[0])}"
    steps = np.diff(times)
    if (steps < 0).any():
        frame = int(np.flatnonzero(steps < 0)[0]) + 1
        return f"{times[frame]:g} s in frame {frame} after {times[frame - 1]:g} s"
    if len(steps) and not 1 / _RATES < float(np.median(steps)) * fps < _RATES:
        return f"a frame every {np.median(steps):.3g} s"
    return ""

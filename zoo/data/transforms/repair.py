"""Mending what the tracker got wrong: jumps to something else, and noise."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from registry import register_transform
from zoo.data.bodies import reach
from zoo.data.gaps import bridged
from zoo.data.rotation import Array, continuous_sign
from zoo.data.transforms.motion import Motion, normalized
from zoo.errors import ConfigError

REACH = 3.0
"""A joint so many times as far from the middle of the body as its outer joints (`reach`) is astray.

In KIMORE's sound recordings the farthest is at 2.2, where the tracker took something else at 3.4.
"""
JOINT_SPEED = 40.0
"""Metres a second that no joint reaches against its body: a hand in sport stays below 30, and
Kinect's loose hand tips and feet jump by up to 1.1 m from one frame to the next (33 m/s)."""
RETURN = 1.0


@register_transform("smooth")
def smooth(motion: Motion, sigma: float = 2.0) -> Motion:
    """Gaussian smoothing over time, edges held; quaternions are renormalised.

    Args:
        motion: the recording.
        sigma: standard deviation of the kernel, in frames.
    """
    if not sigma > 0:
        raise ConfigError(f"transform smooth: sigma is {sigma}, expected more than 0")
    smoothed = {}
    for name, values in motion.streams.items():
        flat = values.reshape(len(values), -1)
        mild = gaussian_filter1d(flat, sigma, axis=0, mode="nearest").reshape(values.shape)
        smoothed[name] = normalized(mild, values) if name == "orientation" else mild
    return motion.with_streams(**smoothed)


@register_transform("repair-jumps")
def repair_jumps(
    motion: Motion, max_speed: float = 6.0, min_seconds: float = 1.0, tolerance: float = 0.5
) -> Motion:
    """Frames in which the tracker jumped to something else, bridged, and then single joints.

    `good_frames` says which frames; they are replaced by linear interpolation between the nearest
    good ones (quaternions renormalised), or held at the beginning and the end. Then the places of
    joints that left the body for a while (`strays`) are bridged in the same way.
    """
    if "position" not in motion.streams:
        return motion
    motion = _with_good_frames(motion, max_speed, min_seconds, tolerance)
    x = motion.streams["position"]
    astray = strays(x, motion.fps)
    return motion.with_streams(position=bridged(x, astray)) if astray.any() else motion


def _with_good_frames(
    motion: Motion, max_speed: float, min_seconds: float, tolerance: float
) -> Motion:
    good = good_frames(motion.streams["position"], motion.fps, max_speed, min_seconds, tolerance)
    if good.all():
        return motion
    known, bad = np.flatnonzero(good), np.flatnonzero(~good)
    after = np.searchsorted(known, bad)
    a = known[np.maximum(after - 1, 0)]
    b = known[np.minimum(after, len(known) - 1)]
    share = np.where(b > a, (bad - a) / np.maximum(b - a, 1), 0.0)[:, None, None]
    mended = {}
    for name, values in motion.streams.items():
        first, last = values[a], values[b]
        if name == "orientation":
            last = np.where(np.einsum("tvc,tvc->tv", first, last)[..., None] < 0, -last, last)
        bridge = first + share * (last - first)
        filled = values.copy()
        filled[bad] = normalized(bridge, first) if name == "orientation" else bridge
        mended[name] = continuous_sign(filled) if name == "orientation" else filled
    return motion.with_streams(**mended)


def good_frames(
    positions: Array,
    fps: float,
    max_speed: float = 6.0,
    min_seconds: float = 1.0,
    tolerance: float = 0.5,
) -> NDArray[np.bool_]:
    """Frames (T,) in which the tracker follows one and the same body.

    A tracker that loses its person may follow a piece of furniture or somebody else for a while.
    The recording is cut wherever the median joint moves faster than `max_speed`. Parts shorter
    than `min_seconds` are lost. Of the others the chain with most frames is kept in which each
    part begins within `tolerance` of where the one before ended (median joint distance). Where no
    part is long enough, every frame counts as good. A frame in which all joints are at one place,
    as a sensor gives that sees nobody, is no good one, unless there are no others.

    Args:
        positions: (T, V, 3) metres.
        fps: frames per second.
        max_speed: metres per second that no body reaches; the median joint of KIMORE's people
            stays below 1 m/s in 99 of 100 frames.
        min_seconds: shortest part that is believed.
        tolerance: metres between the end of one part and the start of the next.
    """
    good = np.ones(len(positions), dtype=bool)
    if len(positions) < 2:
        return good
    seen = (positions != positions[:, :1]).any(axis=(1, 2))
    if not seen.any():
        return good
    steps = _median_distance(positions[1:], positions[:-1])
    breaks = np.flatnonzero((steps > max_speed / fps) | (seen[1:] != seen[:-1])) + 1
    if not len(breaks):
        return good
    edges = [0, *breaks.tolist(), len(positions)]
    parts = [(a, b) for a, b in pairwise(edges) if seen[a] and b - a >= min_seconds * fps]
    if not parts:
        return seen
    good[:] = False
    for start, stop in _longest_chain(positions, parts, tolerance):
        good[start:stop] = True
    return good


def strays(positions: Array, fps: float) -> NDArray[np.bool_]:
    """Joints (T, V) that are not where the body is, told from the median joint of each frame.

    A joint far beyond the others (`REACH`) is astray. Its other frames are cut wherever it moves
    faster than `JOINT_SPEED` against the body; of the parts the chain with most frames is kept in
    which each begins within `RETURN` of where the one before ended. A joint without a part is left
    as it is.

    Args:
        positions: (T, V, 3) metres.
        fps: frames per second.
    """
    astray = np.zeros(positions.shape[:2], dtype=bool)
    within = positions - np.median(positions, axis=1, keepdims=True)
    away = np.linalg.norm(within, axis=-1)
    beyond = away > REACH * reach(away)
    moved = np.diff(within, axis=0)
    torn = np.einsum("tvc,tvc->tv", moved, moved) > (JOINT_SPEED / fps) ** 2
    for joint in np.flatnonzero(beyond.any(axis=0) | torn.any(axis=0)):
        cut = torn[:, joint] | (beyond[1:, joint] != beyond[:-1, joint])
        edges = [0, *(np.flatnonzero(cut) + 1).tolist(), len(positions)]
        parts = [(a, b) for a, b in pairwise(edges) if not beyond[a, joint]]
        if parts:
            astray[:, joint] = True
            for start, stop in _longest_chain(within[:, [joint]], parts, RETURN):
                astray[start:stop, joint] = False
    return astray


def _median_distance(a: Array, b: Array) -> Array:
    """Distance of the median joint (...,) between poses (..., V, 3); the upper of two medians."""
    apart = a - b
    squared = np.einsum("...c,...c->...", apart, apart)
    middle = squared.shape[-1] // 2
    return np.sqrt(np.partition(squared, middle, axis=-1)[..., middle])


def _longest_chain(
    positions: Array, parts: Sequence[tuple[int, int]], tolerance: float
) -> list[tuple[int, int]]:
    starts = positions[[a for a, _ in parts]]
    total: list[int] = []
    before: list[int | None] = []
    for i, (start, stop) in enumerate(parts):
        best, link = 0, None
        if i:
            ends = positions[[b - 1 for _, b in parts[:i]]]
            near = _median_distance(ends, starts[i]) <= tolerance
            for j in np.flatnonzero(near):
                if total[j] > best:
                    best, link = total[j], int(j)
        total.append(best + stop - start)
        before.append(link)
    at: int | None = int(np.argmax(total))
    chain = []
    while at is not None:
        chain.append(parts[at])
        at = before[at]
    return chain[::-1]

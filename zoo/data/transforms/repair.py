"""Mending what the tracker got wrong: jumps to something else, and noise."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from registry import register_transform
from zoo.data.rotation import Array, continuous_sign
from zoo.data.transforms.motion import Motion, normalized
from zoo.errors import ConfigError


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
    """Frames in which the tracker jumped to something else, bridged.

    `good_frames` says which; they are replaced by linear interpolation between the nearest good
    frames (quaternions renormalised), or held at the beginning and the end.
    """
    if "position" not in motion.streams:
        return motion
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
    part is long enough, every frame counts as good.

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
    steps = _median_distance(positions[1:], positions[:-1])
    breaks = np.flatnonzero(steps > max_speed / fps) + 1
    if not len(breaks):
        return good
    edges = [0, *breaks.tolist(), len(positions)]
    parts = [(a, b) for a, b in pairwise(edges) if b - a >= min_seconds * fps]
    if not parts:
        return good
    good[:] = False
    for start, stop in _longest_chain(positions, parts, tolerance):
        good[start:stop] = True
    return good


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

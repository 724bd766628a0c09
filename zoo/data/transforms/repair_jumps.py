"""Bridging frames in which the tracker followed something else."""

import numpy as np

from registry import register_transform
from zoo.data.jumps import good_frames
from zoo.data.transforms.motion import Motion, continuous_sign, normalized


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

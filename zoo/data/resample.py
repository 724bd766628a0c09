"""Interpolation in time, and the streams derived from a segment.

Both follow the cutting of a recording into segments.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from registry.nearest import did_you_mean
from zoo.data.rotation import Array, continuous_sign
from zoo.data.transforms import Motion, normalized
from zoo.errors import DataError
from zoo.skeleton.layout import Layout

SOURCES: Mapping[str, tuple[str, ...]] = {
    "position": ("position",),
    "orientation": ("orientation",),
    "angle": ("angle",),
    "bone": ("position",),
    "joint_motion": ("position",),
    "bone_motion": ("position",),
}
"""Every stream a model can ask for, with the raw streams it is computed from."""

_STILL = 1e-6
"""A quaternion that changes less was not measured, but filled in."""


def resample(values: Array, frames: int) -> Array:
    """`values` (T, ...) at `frames` equally spaced times from the first frame to the last.

    A cubic spline through every frame with the not-a-knot condition (`scipy.interpolate.
    CubicSpline`). Three frames give a parabola, two a straight line, one is repeated. Where the
    number of frames does not change, neither do the values.

    Raises:
        DataError: there is no frame.
    """
    count = len(values)
    if count == 0:
        raise DataError("a segment without a frame cannot be resampled")
    if count == frames:
        return values.copy()
    if count == 1:
        return np.repeat(values, frames, axis=0)
    flat = values.reshape(count, -1)
    spline = CubicSpline(np.arange(count), flat, axis=0)
    return spline(np.linspace(0, count - 1, frames)).reshape(frames, *values.shape[1:])


def resample_motion(motion: Motion, frames: int) -> Motion:
    """Every stream of a segment at `frames` frames.

    Quaternions, continuous in sign, are interpolated by component with the same spline and
    brought back to length 1: at 30 frames a second the difference from spherical interpolation
    is far below the sensor's noise.
    """
    if motion.num_frames == frames:
        return motion
    names = list(motion.streams)
    widths = [motion.streams[name].shape[-1] for name in names]
    stacked = resample(np.concatenate([motion.streams[name] for name in names], axis=-1), frames)
    parts = np.split(stacked, np.cumsum(widths)[:-1], axis=-1)
    streams = dict(zip(names, parts, strict=True))
    if "orientation" in streams:
        streams["orientation"] = continuous_sign(normalized(streams["orientation"]))
    return motion.with_streams(**streams)


def bones(positions: Array, layout: Layout) -> Array:
    """Bone vectors (T, V, 3): bᵥ = xᵥ − x_parent(v), at the child joint; 0 at the root.

    In the unit of `positions`. Shi et al. 2019 (2s-AGCN, CVPR), section 3.3.
    """
    parents = np.array([p if p >= 0 else v for v, p in enumerate(layout.parents)])
    return positions - positions[:, parents]


def motion_of(values: Array) -> Array:
    """Difference to the next frame (T, ...): mₜ = xₜ₊₁ − xₜ; 0 in the last frame.

    In the unit of `values` per frame of the (resampled) segment. Shi et al. 2020 (MS-AAGCN,
    IEEE TIP 29), section III-D.
    """
    moved = np.zeros_like(values)
    moved[:-1] = values[1:] - values[:-1]
    return moved


def require_streams(motion: Motion, names: Sequence[str]) -> None:
    """Nothing, where a motion can give the streams called `names`.

    Raises:
        DataError: an unknown stream, or one that this motion cannot give; with those it can.
    """
    for name in names:
        if name not in SOURCES:
            raise DataError(f"no stream is called {name!r}. {did_you_mean(name, SOURCES)}")
        missing = [source for source in SOURCES[name] if source not in motion.streams]
        if missing:
            raise DataError(
                f"recording {motion.name} cannot give the stream {name!r}: it has "
                f"{' and '.join(motion.streams)}, and no {' or '.join(missing)}. Choose a dataset "
                f"with it, or other streams: {_advice(motion)}"
            )


def _advice(motion: Motion) -> str:
    """A setting with a stream that a motion has, and why not another one."""
    best, aside = next(iter(motion.streams)), ""
    if best == "orientation":
        still = np.ptp(motion.streams[best], axis=0).max(axis=-1) < _STILL
        if still.any() and "angle" in motion.streams:
            best = "angle"
            aside = f" (its orientation never changes in {int(still.sum())} of {len(still)} joints)"
    return f"model.streams=[{best}]{aside}"


def derive(motion: Motion, names: Sequence[str]) -> dict[str, Array]:
    """The streams called `names`, each (T, V, C), from what the motion has.

    Raises:
        DataError: an unknown stream, or one that this motion cannot give.
    """
    require_streams(motion, names)
    derived: dict[str, Array] = {}
    for name in names:
        if name in motion.streams:
            derived[name] = motion.streams[name]
            continue
        x = motion.streams["position"]
        vectors = x if name == "joint_motion" else bones(x, motion.layout)
        derived[name] = vectors if name == "bone" else motion_of(vectors)
    return derived

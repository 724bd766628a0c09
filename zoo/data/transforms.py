"""Transforms of one recording: repair, smoothing, place, size, direction.

A `Motion` holds the recording's streams at their own frame rate. A transform is a function
``(motion, **numbers) -> motion``; it never changes its input, and leaves alone what it cannot
treat: without positions there is no place to remove. Positions are camera space in metres, y up,
x from the person's left to their right when they face the sensor, z away from the sensor.

`TRANSFORMS` names those a protocol can list. Interpolation in time and derived streams, which
follow the cutting into segments, are in `zoo.data.resample`.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from registry.nearest import did_you_mean
from zoo.data.jumps import good_frames
from zoo.data.recording import Recording
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import Layout

Array = NDArray[np.float64]

RAW_STREAMS = ("position", "orientation", "angle")
"""What a recording itself may hold."""


@dataclass(frozen=True, eq=False)
class Motion:
    """The streams of one recording, in float64.

    Attributes:
        streams: ``position`` (T, V, 3) metres, ``orientation`` (T, V, 4) unit quaternions
            w, x, y, z, ``angle`` (T, V, 3) degrees; those the recording has.
        layout: the skeleton.
        fps: frames per second.
        name: id of the recording, for messages.
    """

    streams: Mapping[str, Array]
    layout: Layout
    fps: float
    name: str = ""

    @classmethod
    def of(cls, recording: Recording, layout: Layout) -> "Motion":
        """The streams of `recording`, quaternions made continuous in sign.

        Raises:
            DataError: the recording has another number of joints than the layout.
        """
        if recording.num_joints != layout.num_joints:
            raise DataError(
                f"recording {recording.id} has {recording.num_joints} joints, the layout "
                f"{layout.name} has {layout.num_joints}"
            )
        arrays = (recording.positions, recording.orientations, recording.angles)
        streams = {
            name: np.asarray(array, dtype=np.float64)
            for name, array in zip(RAW_STREAMS, arrays, strict=True)
            if array is not None
        }
        if "orientation" in streams:
            streams["orientation"] = continuous_sign(streams["orientation"])
        return cls(streams, layout, recording.fps, recording.id)

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return next(iter(self.streams.values())).shape[0]

    def cut(self, start: int, stop: int) -> "Motion":
        """Frames `start` to `stop` (not included)."""
        return replace(self, streams={k: v[start:stop] for k, v in self.streams.items()})

    def only(self, names: Collection[str]) -> "Motion":
        """Those of the streams that are named; all of them when none of them is."""
        kept = {k: v for k, v in self.streams.items() if k in names}
        return replace(self, streams=kept or self.streams)

    def with_streams(self, **streams: Array) -> "Motion":
        """The same motion with some streams replaced."""
        return replace(self, streams={**self.streams, **streams})


def continuous_sign(quaternions: Array) -> Array:
    """Quaternions (T, V, 4) with signs such that neighbouring frames have a dot product ≥ 0.

    q and −q are the same rotation; the sign of the first frame is kept.
    """
    if len(quaternions) < 2:
        return quaternions
    flips = np.einsum("tvc,tvc->tv", quaternions[1:], quaternions[:-1]) < 0
    signs = np.where(np.cumsum(flips, axis=0) % 2, -1.0, 1.0)
    return np.concatenate([quaternions[:1], quaternions[1:] * signs[..., None]])


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


def center(motion: Motion, by: str = "frame") -> Motion:
    """Positions relative to the pelvis (`pelvis`).

    Args:
        motion: the recording.
        by: ``frame`` subtracts the pelvis of each frame, x'ₜᵥ = xₜᵥ − pₜ, as 2s-AGCN does: the
            way of the body through the room is lost. ``first`` subtracts that of the first frame,
            as PYSKL does; ``median`` that of the middle of the recording, robust where the
            recording starts badly: both keep the way and lose only the place.
    """
    if "position" not in motion.streams:
        return motion
    x = motion.streams["position"]
    origin = pelvis(x, motion.layout)
    if by == "first":
        origin = origin[:1]
    elif by == "median":
        origin = np.median(origin, axis=0, keepdims=True)
    elif by != "frame":
        raise ConfigError(f"transform center: by is {by!r}, expected frame, first or median")
    return motion.with_streams(position=x - origin[:, None])


def scale_body(motion: Motion) -> Motion:
    """Positions in units of the body's own size, without dimension.

    x' = x / s, s = a tenth of the sum over bones of the bone's median length over time: about
    half a metre for an adult under Kinect's layout. Body size tells people apart.
    """
    if "position" not in motion.streams:
        return motion
    x = motion.streams["position"]
    size = float(bone_lengths(x, motion.layout).sum()) / 10
    if not size > 0:
        raise DataError(f"recording {motion.name}: all bones have length 0")
    return motion.with_streams(position=x / size)


def face_camera(motion: Motion) -> Motion:
    """The body turned about the vertical (y) until, on average, it faces the sensor.

    The mean over time of the vector from left to right, through shoulders and hips
    (`side_pairs`), is laid along x by one rotation for the whole recording, about the origin.
    Orientations are turned with it, q' = r ⊗ q, but for joints without one (the identity in every
    frame): turned, they would tell where a person stood. Angles are relative and stay.
    """
    if "position" not in motion.streams:
        return motion
    x = motion.streams["position"]
    pairs = side_pairs(motion.layout)
    if not pairs:
        return motion
    left, right = ([pair[i] for pair in pairs] for i in (0, 1))
    across = (x[:, right] - x[:, left]).mean(axis=(0, 1))
    length = float(np.hypot(across[0], across[2]))
    if length < 1e-6:
        return motion
    cos, sin = across[0] / length, across[2] / length
    turned = {
        "position": np.stack(
            [cos * x[..., 0] + sin * x[..., 2], x[..., 1], cos * x[..., 2] - sin * x[..., 0]], -1
        )
    }
    q = motion.streams.get("orientation")
    if q is not None:
        half = 0.5 * np.arctan2(sin, cos)
        w, y = np.cos(half), np.sin(half)
        product = np.stack(
            [
                w * q[..., 0] - y * q[..., 2],
                w * q[..., 1] + y * q[..., 3],
                w * q[..., 2] + y * q[..., 0],
                w * q[..., 3] - y * q[..., 1],
            ],
            -1,
        )
        missing = np.abs(q - (1.0, 0.0, 0.0, 0.0)).max(axis=(0, 2)) < 1e-9
        turned["orientation"] = np.where(missing[:, None], q, product)
    return motion.with_streams(**turned)


def pelvis(positions: Array, layout: Layout) -> Array:
    """The mean (T, 3) of the `pelvis_joints`: the point from which both legs hang."""
    return positions[:, pelvis_joints(layout)].mean(axis=1)


def pelvis_joints(layout: Layout) -> list[int]:
    """The joint from which both legs hang: SpineBase under Kinect.

    Where the legs hang on two joints it is both of them; where the layout names no legs, the root
    of its tree.
    """
    roots = _limb_roots(layout, "leg")
    if roots is None:
        return [layout.root]
    left, right = (layout.parents[j] for j in roots)
    if left == right and left >= 0:
        return [left]
    return [left, right] if (left, right) in layout.pairs else list(roots)


def side_pairs(layout: Layout) -> list[tuple[int, int]]:
    """(left, right) joints across the trunk: shoulders and hips; all pairs where unnamed."""
    across = []
    for limb in ("arm", "leg"):
        roots = _limb_roots(layout, limb)
        if roots is None:
            return list(layout.pairs)
        parents = (layout.parents[roots[0]], layout.parents[roots[1]])
        across.append(parents if parents in layout.pairs else roots)
    return across


def _limb_roots(layout: Layout, limb: str) -> tuple[int, int] | None:
    roots = []
    for side in ("left", "right"):
        part = layout.parts.get(f"{side}_{limb}", ())
        hanging = [j for j in part if layout.parents[j] not in part]
        if not hanging:
            return None
        roots.append(hanging[0])
    return roots[0], roots[1]


def bone_lengths(positions: Array, layout: Layout) -> Array:
    """Median length over time of each bone, by its child joint (V,) metres; 0 at the root."""
    children = np.array([c for c, _ in layout.bones], dtype=int)
    parents = np.array([p for _, p in layout.bones], dtype=int)
    lengths = np.zeros(layout.num_joints)
    if len(children):
        bones = positions[:, children] - positions[:, parents]
        lengths[children] = np.median(np.linalg.norm(bones, axis=-1), axis=0)
    return lengths


def normalized(quaternions: Array, instead: Array | None = None) -> Array:
    """Quaternions of length 1; where one has none, the one at its place in `instead`."""
    norm = np.linalg.norm(quaternions, axis=-1, keepdims=True)
    tiny = norm < 1e-6
    unit = quaternions / np.where(tiny, 1.0, norm)
    if instead is None:
        instead = np.broadcast_to((1.0, 0.0, 0.0, 0.0), quaternions.shape)
    return np.where(tiny, instead, unit)


TRANSFORMS: Mapping[str, Callable[..., Motion]] = {
    "repair_jumps": repair_jumps,
    "smooth": smooth,
    "center": center,
    "scale_body": scale_body,
    "face_camera": face_camera,
}
"""Transforms a protocol can name."""


@dataclass(frozen=True)
class Step:
    """One transform with its parameters.

    Attributes:
        name: a key of `TRANSFORMS`.
        params: keyword arguments of that transform.

    Raises:
        ConfigError: no such transform, or no such parameter.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in TRANSFORMS:
            raise ConfigError(
                f"no transform is called {self.name!r}. {did_you_mean(self.name, TRANSFORMS)}"
            )
        known = list(inspect.signature(TRANSFORMS[self.name]).parameters)[1:]
        for key in self.params:
            if key not in known:
                raise ConfigError(
                    f"transform {self.name} has no parameter {key!r}. {did_you_mean(key, known)}"
                )

    def __call__(self, motion: Motion) -> Motion:
        """The transformed motion."""
        return TRANSFORMS[self.name](motion, **self.params)

    def resolved(self) -> dict[str, Any]:
        """Every parameter with its value, defaults among them; whole numbers as floats."""
        signature = inspect.signature(TRANSFORMS[self.name]).parameters
        defaults = {k: p.default for k, p in list(signature.items())[1:]}
        return {k: _plain(v) for k, v in {**defaults, **self.params}.items()}

    def to_config(self) -> str | dict[str, Any]:
        """How a configuration writes it: a name, or ``{name: parameters}``."""
        return {self.name: dict(self.params)} if self.params else self.name


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def parse_steps(config: Sequence[Any]) -> tuple[Step, ...]:
    """Steps from a configuration's list of names and ``{name: parameters}``.

    Raises:
        ConfigError: an entry of another form, an unknown transform or parameter.
    """
    if isinstance(config, (str, Mapping)):
        raise ConfigError(f"transforms are {config!r}, expected a list")
    steps = []
    for entry in config:
        if isinstance(entry, Step):
            steps.append(entry)
        elif isinstance(entry, str):
            steps.append(Step(entry))
        elif isinstance(entry, Mapping) and len(entry) == 1:
            (name, params), *_ = entry.items()
            if params is not None and not isinstance(params, Mapping):
                raise ConfigError(f"transform {name}: its parameters are {params!r}, not a mapping")
            steps.append(Step(str(name), dict(params or {})))
        else:
            raise ConfigError(
                f"transform {entry!r} is neither a name nor one name with its parameters"
            )
    return tuple(steps)

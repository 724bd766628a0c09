"""Taking away what says nothing of a movement: place, size and direction of the body."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import register_transform
from zoo.data.rotation import multiply
from zoo.data.transforms.motion import Motion
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import Layout

_AT_ORIGIN = 0.05


@register_transform("center")
def center(motion: Motion, by: str = "frame") -> Motion:
    """Positions relative to the pelvis, the mean of the `pelvis_joints`.

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
    origin = x[:, pelvis_joints(motion.layout)].mean(axis=1)
    if by == "first":
        origin = origin[:1]
    elif by == "median":
        origin = np.median(origin, axis=0, keepdims=True)
    elif by != "frame":
        raise ConfigError(f"transform center: by is {by!r}, expected frame, first or median")
    return motion.with_streams(position=x - origin[:, None])


def hips_centred(positions: NDArray[np.floating[Any]], layout: Layout) -> bool:
    """Whether the hips lie at the origin in every frame, as in skeletons of a single camera.

    In such a recording nothing tells how the body moves through the room. One frame in twenty may
    be off by more than 5 cm: guessed hips are not quite in the middle.

    Args:
        positions: (T, V, 3) metres.
        layout: the skeleton.
    """
    hips = positions[:, pelvis_joints(layout)].mean(axis=1)
    return bool(np.quantile(np.linalg.norm(hips, axis=-1), 0.95) < _AT_ORIGIN)


@register_transform("scale-body")
def scale_body(motion: Motion) -> Motion:
    """Positions in units of the body's own size, without dimension.

    x' = x / s, s = a tenth of the sum over bones of the bone's median length over time: about
    half a metre for an adult under Kinect's layout. Body size tells people apart.
    """
    if "position" not in motion.streams:
        return motion
    x = motion.streams["position"]
    children, parents = np.array(motion.layout.bones, dtype=int).reshape(-1, 2).T
    lengths = np.zeros(motion.layout.num_joints)
    lengths[children] = np.median(np.linalg.norm(x[:, children] - x[:, parents], axis=-1), axis=0)
    size = float(lengths.sum()) / 10
    if not size > 0:
        where = f"recording {motion.name}: " if motion.name else ""
        raise DataError(f"{where}all bones have length 0")
    return motion.with_streams(position=x / size)


@register_transform("face-camera")
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
        product = multiply(np.array([np.cos(half), 0.0, np.sin(half), 0.0]), q)
        missing = np.abs(q - (1.0, 0.0, 0.0, 0.0)).max(axis=(0, 2)) < 1e-9
        turned["orientation"] = np.where(missing[:, None], q, product)
    return motion.with_streams(**turned)


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

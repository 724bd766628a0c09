"""Where the pelvis is, what lies across the trunk and how long bones are, in every layout."""

import numpy as np

from zoo.data.transforms.motion import Array
from zoo.skeleton.layout import Layout


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

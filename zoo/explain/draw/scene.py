"""What is drawn of a sample: where its joints are, seen from the front, and when.

Without recorded positions it is a standing figure: where each joint belongs, not was.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zoo.data.resample import resample
from zoo.explain.attribution import Array
from zoo.explain.sample import Sample
from zoo.skeleton import Layout

_LENGTH: Mapping[str, float] = {"head": 0.45, "trunk": 1.0, "arm": 1.25, "leg": 1.6}
"""Of each kind of body part, in lengths of the trunk."""

_SLOPE: Mapping[str, float] = {"head": 90.0, "trunk": 90.0, "arm": -52.0, "leg": -82.0}
"""Degrees above the horizontal in which each kind of body part leaves the trunk."""

_LIMBS = ("arm", "leg")
_SHOULDER = 0.12
"""How far a limb begins from the midline, in lengths of the trunk."""

_SIDEWAYS = 0.22
"""How far trunk and head joints of a pair stand from the midline, in lengths of the trunk."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A moving skeleton, seen from the front as in a mirror.

    Attributes:
        places: (T, V, 2) x from the person's left to right and y up, in metres as recorded; or a
            still diagram without unit.
        times: (T,) seconds from the beginning of the recording.
        layout: the skeleton.
        measured: whether `places` were recorded; False for a diagram.
    """

    places: Array
    times: Array
    layout: Layout
    measured: bool = True

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.times)

    @cached_property
    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Left and right, bottom and top of the picture: nearly all there is, and a margin.

        The outermost half percent of the frames is left out, so that one joint that a sensor lost
        for a moment does not make the person small.
        """
        low, high = np.nanpercentile(self.places, (0.5, 99.5), axis=0)
        low, high = low.min(axis=0), high.max(axis=0)
        margin = 0.06 * max(high - low) or 1.0
        (left, bottom), (right, top) = low - margin, high + margin
        return (float(left), float(right)), (float(bottom), float(top))

    @property
    def axis_labels(self) -> tuple[str, str]:
        """Titles of both axes; a diagram has no unit."""
        if not self.measured:
            return "diagram of the layout: no positions were recorded", ""
        return "x, m (person's left to right)", "y, m (up)"


def scene_of(sample: Sample) -> Scene:
    """The frames of a sample as they were recorded, at the times the model saw them."""
    start, stop = sample.frames
    frames, recording = sample.num_frames, sample.recording
    times = np.linspace(start, stop - 1, frames) / recording.fps
    if recording.positions is None:
        still = np.broadcast_to(diagram(sample.layout), (frames, sample.layout.num_joints, 2))
        return Scene(still, times, sample.layout, measured=False)
    places = recording.positions[start:stop, :, :2].astype(np.float64)
    return Scene(resample(places, frames), times, sample.layout)


def diagram(layout: Layout) -> Array:
    """A place (V, 2) for each joint, x from the person's left to right and y up, no unit.

    Limbs are straight and every chain of a body part has the length usual for it. Joints of no
    part are placed as the trunk's.
    """
    kinds = _kinds(layout)
    sides = [0.0] * layout.num_joints
    for left, right in layout.pairs:
        sides[left], sides[right] = -1.0, 1.0
    parents = layout.parents_from(_pelvis(layout, kinds))
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(parents):
        children.setdefault(parent, []).append(joint)
    depth = _depths(parents, kinds)
    longest = {
        kind: max(d for d, k in zip(depth, kinds, strict=True) if k == kind) for kind in kinds
    }
    places = np.zeros((layout.num_joints, 2))
    waiting = list(children[-1])
    while waiting:
        joint = waiting.pop()
        parent = parents[joint]
        if parent >= 0:
            step = _LENGTH[kinds[joint]] / longest[kinds[joint]]
            alike = [
                j for j in children[parent] if (kinds[j], sides[j]) == (kinds[joint], sides[joint])
            ]
            fan = 40.0 * (alike.index(joint) - (len(alike) - 1) / 2)
            places[joint] = places[parent] + _step(kinds[joint], sides[joint], step, fan)
            if kinds[joint] != kinds[parent] and kinds[joint] in _LIMBS:
                places[joint, 0] += sides[joint] * _SHOULDER
        waiting.extend(children.get(joint, ()))
    return places


def _step(kind: str, side: float, length: float, fan: float) -> tuple[float, float]:
    """From a joint to the next of its body part."""
    angle = math.radians(_SLOPE[kind] + fan)
    along, up = length * math.cos(angle), length * math.sin(angle)
    if kind in _LIMBS:
        return side * along, up
    return (side * (along + _SIDEWAYS), 0.6 * up) if side else (along, up)


def _kinds(layout: Layout) -> list[str]:
    """Head, trunk, arm or leg for each joint."""
    kinds = ["trunk"] * layout.num_joints
    for part, members in layout.parts.items():
        kind = next((k for k in _LENGTH if k in part), "trunk")
        for joint in members:
            kinds[joint] = kind
    return kinds


def _pelvis(layout: Layout, kinds: list[str]) -> int:
    """The joint from which the legs hang; the root of a layout without legs."""
    for joint, parent in enumerate(layout.parents):
        if parent >= 0 and kinds[joint] == "leg" and kinds[parent] != "leg":
            return parent
    return layout.root


def _depths(parents: tuple[int, ...], kinds: list[str]) -> list[int]:
    """How many joints of its own kind stand between each joint and another kind, itself counted."""
    depths = []
    for start in range(len(parents)):
        joint, depth = start, 0
        while joint >= 0 and kinds[joint] == kinds[start]:
            joint, depth = parents[joint], depth + 1
        depths.append(depth)
    return depths

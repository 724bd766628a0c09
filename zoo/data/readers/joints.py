"""Names of joints: spelled in many ways, matched to the joints of a layout."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from registry import LAYOUTS
from zoo.data.adapters.base import FaultError
from zoo.skeleton.layout import Layout, load_layout

Key = tuple[str, str]
"""Side (left, right or empty) and the rest of a joint's name."""

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_SIDES = {"l": "left", "r": "right", "left": "left", "right": "right"}
_GLUED = re.compile(r"(?P<a>left|right)(?P<b>.+)|(?P<c>.+)(?P<d>left|right)")
_LETTER = re.compile(
    r"([lr])(shoulder|elbow|wrist|hand|hip|knee|ankle|foot|heel|toe|bigtoe|smalltoe|eye|ear|thumb)"
)
_MIDDLE_OF_HIPS = frozenset({"hip", "midhip", "hipmid", "chip", "centerhip", "hipcenter", "pelvis"})

_SHOULDERS = {"left_shoulder": 0.5, "right_shoulder": 0.5}
_HIPS = {"left_hip": 0.5, "right_hip": 0.5}
_EARS = {"left_ear": 0.5, "right_ear": 0.5}
_KINECT: dict[str, dict[str, float]] = {
    "SpineBase": _HIPS,
    "SpineShoulder": _SHOULDERS,
    "SpineMid": dict.fromkeys((*_HIPS, *_SHOULDERS), 0.25),
    "Head": _EARS,
    "Neck": {**dict.fromkeys(_SHOULDERS, 0.375), **dict.fromkeys(_EARS, 0.125)},
    "HandLeft": {"left_pinky": 0.5, "left_index": 0.5},
    "HandRight": {"right_pinky": 0.5, "right_index": 0.5},
    "HandTipLeft": {"left_index": 1.0},
    "HandTipRight": {"right_index": 1.0},
    "FootLeft": {"left_foot_index": 1.0},
    "FootRight": {"right_foot_index": 1.0},
}
"""Joints of Kinect that other skeletons lack, as means of joints that MediaPipe has.

The neck is put a quarter of the way from between the shoulders to between the ears. What a Kinect
would see differs by centimetres: its hips lie further in, its shoulders lower.
"""
_DERIVED: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "kinect-v2": _KINECT,
    "kinect-v2-agcn": _KINECT,
}


@cache
def key(name: str) -> Key:
    """What all spellings of a joint's name have in common.

    ``LShoulder``, ``left_shoulder``, ``Shoulder Left`` and ``shoulderleft`` have one key.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    sides = [_SIDES[word] for word in words if word in _SIDES]
    rest = "".join(word for word in words if word not in _SIDES)
    if not sides and (glued := _GLUED.fullmatch(rest)):
        sides, rest = [glued["a"] or glued["d"]], glued["b"] or glued["c"]
    elif not sides and (letter := _LETTER.fullmatch(rest)):
        sides, rest = [_SIDES[letter[1]]], letter[2]
    if not sides and rest in _MIDDLE_OF_HIPS:
        rest = "hip"
    return (sides[0] if sides else "", rest or name.strip().lower())


def places(names: Sequence[str], layout: Layout) -> list[int | None]:
    """For each joint of `layout` where it stands among `names`; None for one that is not there."""
    found: dict[Key, int] = {}
    for place, name in enumerate(names):
        found.setdefault(key(name), place)
    return [found.get(key(joint)) for joint in layout.joints]


def layout_of(names: Sequence[str]) -> str:
    """The layout whose joints `names` has, in any order and spelling; the largest of several.

    Raises:
        FaultError: there is none; the nearest one is named with what is missing.
    """
    nearest: tuple[float, str, list[str]] = (0.0, "", [])
    fitting: list[tuple[int, str]] = []
    for name in LAYOUTS.names():
        layout = load_layout(name)
        lost = [j for j, p in zip(layout.joints, places(names, layout), strict=True) if p is None]
        share = 1 - len(lost) / layout.num_joints
        if not lost:
            fitting.append((layout.num_joints, name))
        elif share > nearest[0]:
            nearest = (share, name, lost)
    if fitting:
        return min(fitting, key=lambda each: (-each[0], each[1]))[1]
    raise NoLayoutError(names, _wanted(nearest))


class NoLayoutError(FaultError):
    """Joints of no layout.

    Attributes:
        joints: their names.
    """

    def __init__(self, joints: Sequence[str], expected: str) -> None:
        self.joints = tuple(joints)
        super().__init__("joints", None, _shown(joints), expected)


def weights(names: Sequence[str], layout: Layout) -> tuple[NDArray[np.float64], list[str]]:
    """How the joints of `layout` are made of those called `names`.

    Returns:
        Weights (V, J) whose rows sum to 1, and the joints that are means of others.

    Raises:
        FaultError: a joint of the layout is neither there nor a mean of what is there.
    """
    here = {key(name): place for place, name in reversed(list(enumerate(names)))}
    rules = _DERIVED.get(layout.name, {})
    found = np.zeros((layout.num_joints, len(names)))
    derived, lost = [], []
    for joint, name in enumerate(layout.joints):
        place = here.get(key(name))
        if place is not None:
            found[joint, place] = 1.0
            continue
        rule = {here.get(key(source), -1): w for source, w in rules.get(name, {}).items()}
        if not rule or -1 in rule:
            lost.append(name)
            continue
        derived.append(name)
        for place, weight in rule.items():
            found[joint, place] = weight
    if lost:
        raise FaultError("joints", None, _shown(names), _wanted((1.0, layout.name, lost)))
    return found, derived


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(name[:30] for name in names[:4]) + (", …" if len(names) > 4 else "")
    return f"{len(names)} joints ({shown})" if names else "no joints"


def _wanted(nearest: tuple[float, str, list[str]]) -> str:
    _, name, lost = nearest
    if not name:
        return f"the joints of a layout ({', '.join(LAYOUTS.names())})"
    missing = ", ".join(lost[:6]) + (", …" if len(lost) > 6 else "")
    return f"the joints of a layout; of {name}, the nearest, {missing} are missing"

"""Joints in the words of a clinic, whatever a layout calls them."""

import re
from collections.abc import Mapping, Sequence

from zoo.skeleton import Layout

Sides = tuple[int, int]
"""The left and the right joint of a pair."""

_NAMES: Mapping[str, Sequence[tuple[str, str]]] = {
    "shoulder": (
        ("ShoulderLeft", "ShoulderRight"), ("left_shoulder", "right_shoulder"),
        ("LShoulder", "RShoulder"), ("LeftUpperArm", "RightUpperArm"), ("LSHO", "RSHO"),
    ),
    "elbow": (
        ("ElbowLeft", "ElbowRight"), ("left_elbow", "right_elbow"), ("LElbow", "RElbow"),
        ("LeftForearm", "RightForearm"), ("LELB", "RELB"),
    ),
    "wrist": (
        ("WristLeft", "WristRight"), ("left_wrist", "right_wrist"), ("LWrist", "RWrist"),
        ("LeftHand", "RightHand"), ("LWRA", "RWRA"),
    ),
    "hip": (
        ("HipLeft", "HipRight"), ("left_hip", "right_hip"), ("LHip", "RHip"),
        ("LeftUpperLeg", "RightUpperLeg"), ("LASI", "RASI"),
    ),
    "knee": (
        ("KneeLeft", "KneeRight"), ("left_knee", "right_knee"), ("LKnee", "RKnee"),
        ("LeftLowerLeg", "RightLowerLeg"), ("LKNE", "RKNE"),
    ),
    "ankle": (
        ("AnkleLeft", "AnkleRight"), ("left_ankle", "right_ankle"), ("LAnkle", "RAnkle"),
        ("LeftFoot", "RightFoot"), ("left_foot", "right_foot"), ("LANK", "RANK"),
    ),
}  # fmt: skip
"""What layouts call the joints between which angles are measured; UI-PRMD's Kinect names a joint
after the bone that starts in it, its Vicon has markers on the skin."""

_SIDE = re.compile(r"^(?:left|right)_?|_?(?:left|right)$", re.IGNORECASE)
_INITIAL = re.compile(r"^[LR](?=[A-Z])")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def pair_of(layout: Layout, joint: str) -> Sides | None:
    """The left and right `joint` (shoulder, elbow, wrist, hip, knee, ankle); None without them."""
    for left, right in _NAMES[joint]:
        if left in layout.joints and right in layout.joints:
            return layout.index(left), layout.index(right)
    return None


def in_words(layout: Layout) -> list[str]:
    """Each joint's name as it is spoken: ``left hand tip``, ``spine base``."""
    sides = {joint: side for pair in layout.pairs for joint, side in zip(pair, _LR, strict=True)}
    return [_spoken(name, sides.get(joint, "")) for joint, name in enumerate(layout.joints)]


def spoken(text: str, layout: Layout) -> str:
    """`text` with the names of the layout's joints as they are spoken."""
    words = dict(zip(layout.joints, in_words(layout), strict=True))
    names = sorted(map(re.escape, words), key=len, reverse=True)
    return re.sub(rf"\b({'|'.join(names)})\b", lambda found: words[found[0]], text)


_LR = ("left", "right")


def _spoken(name: str, side: str) -> str:
    if side:
        bare = _SIDE.sub("", name)
        name = _INITIAL.sub("", name) if bare == name else bare
    words = " ".join(_WORD.findall(name)).lower() or name
    return f"{side} {words}".strip()

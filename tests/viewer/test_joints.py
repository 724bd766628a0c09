"""Joints are found and named in every layout that has them."""

import pytest

from registry import LAYOUTS
from zoo.skeleton import Layout, load_layout
from zoo.viewer.joints import in_words, pair_of, spoken

NAMELESS = {"keraal-vicon", "uiprmd-vicon-angles"}
"""Layouts of segments, and of angles without positions."""


@pytest.mark.parametrize("name", sorted(set(LAYOUTS.names()) - NAMELESS))
def test_every_layout_of_joints_has_its_limbs(name: str) -> None:
    layout = load_layout(name)
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert pair_of(layout, joint) in layout.pairs, joint


def test_another_skeleton_has_none() -> None:
    layout = Layout("snake", ("head", "middle", "tail"), (-1, 0, 1))
    assert pair_of(layout, "knee") is None


@pytest.mark.parametrize(
    ("layout", "name", "words"),
    [
        ("kinect-v2", "HandTipLeft", "left hand tip"),
        ("kinect-v2", "SpineBase", "spine base"),
        ("mediapipe", "left_foot_index", "left foot index"),
        ("openpose-body25", "RBigToe", "right big toe"),
        ("uiprmd-kinect", "LeftUpperArm", "left upper arm"),
        ("uiprmd-vicon", "LKNE", "left kne"),
        ("uiprmd-vicon", "C7", "c 7"),
    ],
)
def test_names_are_spoken(layout: str, name: str, words: str) -> None:
    skeleton = load_layout(layout)
    assert in_words(skeleton)[skeleton.index(name)] == words


def test_names_in_a_text_are_spoken_and_nothing_else() -> None:
    layout = load_layout("kinect-v2")
    text = "HandTipLeft (−1.2), HandLeft and Headless"
    assert spoken(text, layout) == "left hand tip (−1.2), left hand and Headless"

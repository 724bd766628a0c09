"""Angles and distances of a body whose pose is known."""

import math

import numpy as np
import pytest

from zoo.skeleton import load_layout
from zoo.viewer.measures import Array, Measure, extent, measures_of

LAYOUT = load_layout("kinect-v2")


def standing(frames: int = 3) -> Array:
    """A body that stands straight, arms hanging, faces the sensor (to smaller z)."""
    at = {
        "SpineBase": (0, 1.0, 2), "SpineMid": (0, 1.3, 2), "SpineShoulder": (0, 1.5, 2),
        "Neck": (0, 1.55, 2), "Head": (0, 1.7, 2),
    }  # fmt: skip
    for side, x in (("Left", -1), ("Right", 1)):
        at |= {
            f"Shoulder{side}": (0.2 * x, 1.5, 2), f"Elbow{side}": (0.2 * x, 1.2, 2),
            f"Wrist{side}": (0.2 * x, 0.95, 2), f"Hand{side}": (0.2 * x, 0.9, 2),
            f"HandTip{side}": (0.2 * x, 0.85, 2), f"Thumb{side}": (0.2 * x, 0.88, 1.95),
            f"Hip{side}": (0.1 * x, 1.0, 2), f"Knee{side}": (0.1 * x, 0.55, 2),
            f"Ankle{side}": (0.1 * x, 0.1, 2), f"Foot{side}": (0.1 * x, 0.05, 1.9),
        }  # fmt: skip
    pose = np.array([at[name] for name in LAYOUT.joints], dtype=np.float64)
    return np.repeat(pose[None], frames, axis=0)


def turned(points: Array, axis: str, degrees: float) -> Array:
    """Points (…, 3) turned about the origin: pitch about x, yaw about y, roll about z."""
    a, b = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    moved = points.copy()
    moved[..., a] = cos * points[..., a] - sin * points[..., b]
    moved[..., b] = sin * points[..., a] + cos * points[..., b]
    return moved


def turn(x: Array, about: str, names: list[str], axis: str, degrees: float) -> None:
    """Turn some joints about another one, in place."""
    joints = [LAYOUT.index(name) for name in names]
    centre = x[:, [LAYOUT.index(about)]]
    x[:, joints] = centre + turned(x[:, joints] - centre, axis, degrees)


def measured(x: Array, title: str) -> Measure:
    return next(m for m in measures_of(x, LAYOUT) if m.title == title)


def test_standing_straight_is_zero() -> None:
    for measure in measures_of(standing(), LAYOUT):
        if measure.title != "Hand height":
            assert np.allclose(measure.sides, 0, atol=1e-6), measure.title
    assert np.allclose(measured(standing(), "Hand height").sides, -5)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("degrees", [20.0, 90.0, 150.0])
def test_a_bent_knee_an_elbow_and_a_lifted_arm(side: int, degrees: float) -> None:
    name = ("Left", "Right")[side]
    for joint, below, title in (
        ("Knee", ["Ankle", "Foot"], "Knee bend"),
        ("Elbow", ["Wrist", "Hand"], "Elbow bend"),
        ("Shoulder", ["Elbow", "Wrist", "Hand"], "Arm lift"),
        ("Hip", ["Knee", "Ankle", "Foot"], "Hip bend"),
    ):
        x = standing()
        turn(x, f"{joint}{name}", [f"{b}{name}" for b in below], "x", degrees)
        sides = measured(x, title).sides
        assert np.allclose(sides[side], degrees), title
        assert np.allclose(sides[1 - side], 0, atol=1e-6), title


def test_the_trunk_leans_forward_to_the_sensor_and_to_the_right() -> None:
    above = [n for n in LAYOUT.joints if LAYOUT.index(n) in LAYOUT.parts["head"]]
    above += ["SpineMid", "SpineShoulder", "ShoulderLeft", "ShoulderRight"]
    x = standing()
    turn(x, "SpineBase", above, "x", -30)  # the head comes to smaller z
    assert x[0, LAYOUT.index("Head"), 2] < 2
    assert np.allclose(measured(x, "Trunk lean forward").sides, 30)
    assert np.allclose(measured(x, "Trunk lean sideways").sides, 0, atol=1e-6)
    x = standing()
    turn(x, "SpineBase", above, "z", -20)  # to larger x, the person's right
    assert x[0, LAYOUT.index("Head"), 0] > 0
    assert np.allclose(measured(x, "Trunk lean sideways").sides, 20)


@pytest.mark.parametrize("degrees", [40.0, -70.0])
def test_the_trunk_turns_to_the_left(degrees: float) -> None:
    x = standing()
    # Seen from above, y up, a positive yaw brings the right shoulder (+x) to smaller z.
    turn(x, "SpineShoulder", ["ShoulderLeft", "ShoulderRight"], "y", degrees)
    right = x[0, LAYOUT.index("ShoulderRight"), 2]
    assert (right < 2) == (degrees > 0)
    assert np.allclose(measured(x, "Trunk turn").sides, degrees)


def test_centimetres_need_metres() -> None:
    x = standing()
    x[1] -= (0, 0.4, 0)
    assert np.isclose(measured(x, "Pelvis height").sides[0][1], -40, atol=1e-6)
    titles = {m.title for m in measures_of(x, LAYOUT, metric=False)}
    assert "Knee bend" in titles
    assert not titles & {"Pelvis height", "Hand height", "Trunk lean forward"}


def test_how_far_it_goes_leaves_single_frames_out() -> None:
    values = np.tile(np.linspace(10, 70, 500), 2)
    values[3] = 170.0
    found = extent(Measure("Knee bend", "", "°", (values, values / 2)), (0, 1000))
    assert found.ranges == pytest.approx((58.8, 29.4), abs=1.0)
    assert found.asymmetry == pytest.approx(29.4, abs=1.0)

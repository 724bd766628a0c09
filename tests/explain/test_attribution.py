"""`zoo.explain.attribution`: sums over time."""

import numpy as np
import pytest

from zoo.explain.attribution import Attribution


def made(unit: str = "points") -> Attribution:
    values = np.array([[1.0, -2.0, 0.5], [3.0, -4.0, 0.25]])
    return Attribution(
        method="made up",
        joint_time=values,
        joints=("hip", "knee", "head"),
        fps=30.0,
        score=40.0,
        baseline_score=41.25,
        unit=unit,
        parts={"leg": (0, 1), "head": (2,)},
    )


def test_sums() -> None:
    assert made().by_joint().tolist() == [4.0, -6.0, 0.75]


def test_only_points_have_a_sign() -> None:
    assert made().signed
    assert not made("share").signed


def test_refuses_other_joints() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\).*2 joints"):
        Attribution("x", np.zeros((2, 3)), ("a", "b"), 30.0, 1.0, 0.0)

"""The sentences of an explanation: signs, points, body parts, and what says nothing."""

import numpy as np
import pytest

from zoo.explain.attribution import Attribution
from zoo.explain.words import CAUTION, groups_sentence, reaction, sentences

JOINTS = ("Hip", "Knee", "Elbow", "Hand", "Head")
PARTS = {"left_leg": (0, 1), "left_arm": (2, 3), "head": (4,)}


def made(by_joint, **changes) -> Attribution:
    values = np.asarray(by_joint, dtype=float)
    settings = {"parts": PARTS, "score": 30.0, "baseline_score": 30.0 - values.sum(), **changes}
    return Attribution("gradients", np.stack([values] * 2) / 2, JOINTS, 5.0, **settings)


def test_the_sentence_has_signs_points_and_joints() -> None:
    first, _, caution = sentences(made([-3.0, 1.0, 0.5, 2.0, 0.01]), "d2sta", 2)
    assert first == (
        "d2sta gives 30.00 points, 0.51 more than its 29.49 for a mean pose held still: "
        "the left leg (−2.00, Hip alone −3.00) lowered it most; "
        "the left arm (+2.50, Hand alone +2.00) raised it most."
    )
    assert caution == CAUTION


def test_parts_spread_evenly_name_no_joint() -> None:
    first = sentences(made([-1.0, -1.0, 0, 0, 0]), "m")[0]
    assert "2.0 less than its 32.0" in first
    assert first.endswith("the left leg (−2.0) lowered it most.")


def test_joints_stand_for_parts_where_there_are_none() -> None:
    first = sentences(made([-1.0, 0, 0, 0, 4.0], parts={}), "m")[0]
    assert first.endswith("Hip (−1.0) lowered it most; Head (+4.0) raised it most.")


def test_what_is_rounded_to_nothing_is_not_named() -> None:
    first = sentences(made([1e-6, 0, 0, 0, -1e-6]), "m")[0]
    assert (
        first
        == "m gives 30.0 points, as its 30.0 for a mean pose held still; no body part moved it."
    )


def test_a_model_that_hardly_reacts_is_said_to() -> None:
    weak = made([0.01, 0, 0.01, 0, 0], score=38.89, baseline_score=38.87, span=50.0)
    assert reaction(weak, 38.87, 2) == (
        "The model hardly reacts to this movement: held still, a mean pose gets 38.87 points, "
        "0.02 of 50 away. What follows explains next to nothing."
    )
    cancelling = made([3.0, 0, -3.0, 0, 0.02], score=38.89, baseline_score=38.87, span=50.0)
    assert "cancel out" in reaction(cancelling, 38.87, 2)
    assert reaction(made([-3.0, 0, 0, 0, 0], span=50.0), 33.0) == ""
    assert reaction(made([0.0] * 5), 30.0) == ""  # the range of scores is not known


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 1, 1, 1, 1.1], "all joints are nearly alike"),
        ([1, 1, 1, 4, 3], "Hand (2.0), Head (1.5) and Hip (0.5) stand out"),
    ],
)
def test_without_a_sign(values, words) -> None:
    found = sentences(made(values, unit="share", note="mean over heads"), "m")
    assert words in found[0]
    assert "has no sign" in found[1]
    assert "mean over heads" in found[1]


def test_groups() -> None:
    even = np.full((5, 4), 0.25)
    assert "0.25, where 0.25 would be even" in groups_sentence(even)
    sure = np.eye(4)[[0, 0, 2, 2, 2]]
    assert groups_sentence(sure) == (
        "Most likely groups of the joints: group 1 (2) and group 3 (3)."
    )

"""Which runs are compared with which, and by which groups."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from baselines.d2sta.stability import kinds_of_pairs, strongest_groups


def at(exercise: str, fold: int, seed: int) -> Any:
    return SimpleNamespace(place=(exercise, fold, seed))


def test_a_joints_group_is_the_one_in_which_it_weighs_most() -> None:
    assignment = np.array([[0.7, 0.2, 0.1], [0.6, 0.1, 0.3], [0.65, 0.3, 0.05], [0.8, 0.15, 0.05]])
    assert set(assignment.argmax(axis=1)) == {0}
    assert strongest_groups(assignment).tolist() == [1, 2, 1, 0]


def test_even_columns_leave_the_likeliest_group() -> None:
    assignment = np.eye(4)[[2, 0, 3, 1]]
    assert strongest_groups(assignment).tolist() == [2, 0, 3, 1]


def test_pairs_are_named_by_what_differs() -> None:
    runs = [at("1", 0, 0), at("1", 1, 0), at("1", 0, 1), at("2", 1, 1)]
    assert kinds_of_pairs(runs) == {
        "another seed": [(0, 2)],
        "another fold": [(0, 1)],
        "another fold and seed": [(1, 2)],
        "another exercise and seed": [(1, 3)],
        "another exercise and fold": [(2, 3)],
        "another exercise, fold and seed": [(0, 3)],
    }
    assert list(kinds_of_pairs(runs))[:2] == ["another seed", "another fold"]


def test_seeds_of_one_fold_alone() -> None:
    assert list(kinds_of_pairs([at("5", 0, seed) for seed in range(3)])) == ["another seed"]

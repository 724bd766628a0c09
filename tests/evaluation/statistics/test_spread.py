import math

import numpy as np
import pytest

from zoo.evaluation.statistics import spread, spread_of


def test_seeds_and_folds_are_told_apart():
    seed = np.array([[-1.0], [0.0], [1.0]])
    fold = np.array([[2.0, 6.0, 4.0, 8.0]])
    found = spread(seed + fold)
    assert found.seeds == pytest.approx(1)
    assert found.folds == pytest.approx(np.std([2, 6, 4, 8], ddof=1))
    assert spread(np.broadcast_to(fold, (3, 4))) == pytest.approx((0, found.folds))


def test_exercises_are_averaged_first():
    values = np.random.default_rng(0).normal(5, 1, (3, 5, 2))
    assert spread(values) == pytest.approx(spread(values.mean(axis=2)))


def test_one_seed_or_fold_has_no_spread():
    assert math.isnan(spread([[1, 2, 3]]).seeds)
    assert spread([[1, 2, 3]]).folds == pytest.approx(1)
    assert math.isnan(spread([[1], [2]]).folds)


def test_runs_by_exercise_fold_and_seed():
    values = np.random.default_rng(2).random((2, 3, 2))  # seeds, folds, exercises
    runs = {
        (e, f, s): values[s, f, i] for i, e in enumerate("15") for f in range(3) for s in range(2)
    }
    assert spread_of(runs) == pytest.approx(spread(values))


def test_folds_that_not_every_exercise_has_are_taken_together():
    runs = {
        ("1", 0, 0): 1.0,
        ("1", 1, 0): 3.0,
        ("5", 0, 0): 5.0,
        ("1", 0, 1): 2.0,
        ("1", 1, 1): 4.0,
    }
    found = spread_of({**runs, ("5", 0, 1): 8.0})
    assert found.seeds == pytest.approx(np.std([3.5, 5.5], ddof=1))
    assert math.isnan(found.folds)

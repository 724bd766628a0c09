import math

import numpy as np
import pytest

from zoo.evaluation.statistics import spread


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

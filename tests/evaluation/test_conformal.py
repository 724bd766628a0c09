"""Split conformal intervals: the quantile by hand, and coverage by simulation."""

import math

import numpy as np
import pytest

from zoo.errors import ConfigError
from zoo.evaluation.conformal import calibrate, conformal_quantile, people_needed


@pytest.mark.parametrize(
    ("n", "level", "rank"),
    [(9, 0.9, 9), (19, 0.9, 18), (20, 0.9, 19), (19, 0.95, 19), (4, 0.8, 4), (9, 0.5, 5)],
)
def test_the_quantile_by_hand(n, level, rank):
    errors = [float(n - k) for k in range(n)]
    assert conformal_quantile(errors, level) == rank


def test_too_few_people_give_no_finite_interval():
    assert conformal_quantile([1.0] * 8, 0.9) == math.inf
    assert conformal_quantile([], 0.5) == math.inf
    assert not calibrate(["a"], [1.0], [2.0], 0.9).finite
    for level, needed in ((0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)):
        assert people_needed(level) == needed
        assert math.isfinite(conformal_quantile([1.0] * needed, level))
        assert conformal_quantile([1.0] * (needed - 1), level) == math.inf
    assert people_needed(0.9999999) == 9_999_999
    assert conformal_quantile([], 1e-12) == math.inf


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, math.nan])
def test_impossible_levels(level):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        conformal_quantile([1.0], level)


def test_a_person_counts_once_with_the_largest_error():
    found = calibrate(["a", "b", "a", "b"], [10, 10, 10, 10], [11, 7, 15, 10], 0.5)
    assert (found.people, found.factor, found.scaled) == (2, 5.0, False)
    assert found.radius(None, 3).tolist() == [5, 5, 5]


def test_errors_are_counted_in_predicted_deviations():
    found = calibrate(["a", "b", "c"], [0, 0, 0], [1, 6, 2], 0.5, [1, 2, 4])
    assert found.factor == 1
    assert found.scaled
    assert found.radius([0.5, 3], 2).tolist() == [0.5, 3]


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("people", "level"), [(12, 0.9), (30, 0.8)])
def test_coverage_of_new_people_is_the_level(people, level, scaled):
    """Simulated: people differ in how far the model is off; five recordings each, all held.

    With continuous errors coverage is ⌈(n + 1)·level⌉/(n + 1) exactly.
    """
    rng = np.random.default_rng(3)
    recordings, trials = 5, 4000
    hits = 0
    who = [str(i // recordings) for i in range(people * recordings)]
    for _ in range(trials):
        bias = rng.normal(1.0, 3.0, size=people + 1)  # a model that is off, and more for some
        spread = rng.uniform(0.5, 4.0, size=people + 1)
        errors = bias[:, None] + spread[:, None] * rng.standard_t(3, size=(people + 1, recordings))
        deviation = np.repeat(spread, recordings) if scaled else None
        known = errors[:-1].ravel()
        found = calibrate(
            who, np.zeros_like(known), known, level,
            None if deviation is None else deviation[:-recordings],
        )  # fmt: skip
        radius = found.radius(None if deviation is None else deviation[-recordings:], recordings)
        hits += bool((np.abs(errors[-1]) <= radius).all())
    exact = math.ceil((people + 1) * level) / (people + 1)
    error = math.sqrt(exact * (1 - exact) / trials)
    assert level <= exact < level + 1 / (people + 1)
    assert hits / trials == pytest.approx(exact, abs=3.5 * error)


def test_recordings_taken_for_people_would_cover_too_few():
    """Why a person counts once: 3 people with 30 recordings each are not 90 people."""
    rng = np.random.default_rng(0)
    hits = {"people": 0, "recordings": 0}
    for _ in range(500):
        errors = np.abs(rng.normal(0, 3, size=(10, 1)) + 0.1 * rng.normal(size=(10, 10)))
        known, new = errors[:9].ravel(), errors[9]
        for what in hits:
            who = [f"{i // 10 if what == 'people' else i}" for i in range(90)]
            found = calibrate(who, np.zeros(90), known, 0.9)
            hits[what] += int((new <= found.factor).all())
    assert hits["recordings"] < hits["people"]
    assert hits["people"] >= 430

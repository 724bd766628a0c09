import math

import numpy as np
import pytest
from scipy import stats

from zoo.evaluation.statistics.bootstrap import Replicates, bca, person_weights


def mean_of(values, resamples=20_000, seed=0):
    """Replicates of a mean over persons with one value each."""
    n = len(values)
    return Replicates(
        np.array(values.mean()),
        values @ person_weights(n, resamples, seed) / n,
        (values.sum() - values) / (n - 1),
    )


def test_every_draw_has_as_many_persons_as_there_are_and_each_is_as_likely():
    weights = person_weights(30, 4000, 0)
    assert weights.shape == (30, 4000)
    assert (weights.sum(axis=0) == 30).all()
    assert np.abs(weights.mean(axis=1) - 1).max() < 4 * math.sqrt(29 / 30 / 4000)
    # A weight is binomial: 30 draws, each the person with probability 1/30.
    observed = np.bincount(weights.astype(int).ravel(), minlength=10)[:6] / weights.size
    np.testing.assert_allclose(observed, stats.binom.pmf(range(6), 30, 1 / 30), atol=0.004)


def test_the_draws_are_the_same_on_every_machine():
    expected = [
        [0, 1, 2, 3, 0, 1],
        [1, 2, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 1],
        [3, 1, 1, 0, 2, 2],
        [1, 0, 1, 2, 3, 1],
    ]
    assert person_weights(5, 6, 0).tolist() == expected
    assert person_weights(5, 6, 1).tolist() != expected


@pytest.mark.parametrize("persons", [12, 77])
def test_the_interval_is_scipys_bca_at_the_widened_level(persons):
    values = np.random.default_rng(3).exponential(5, persons)
    widened = stats.t.ppf(0.975, persons - 1) * math.sqrt(persons / (persons - 1))
    reference = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=20_000,
        confidence_level=2 * stats.norm.cdf(widened) - 1,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    interval = bca(mean_of(values), 0.95)
    assert interval.value == values.mean()
    width = reference.high - reference.low
    np.testing.assert_allclose(interval[1:], reference, atol=0.03 * width)


def test_for_normal_errors_the_interval_is_students():
    values = np.random.default_rng(0).normal(0, 1, 40)
    values = (values - values.mean()) / values.std(ddof=1)
    values -= stats.skew(values) * (values**2 - 1) / 6  # skewness would rightly shift it
    t = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    np.testing.assert_allclose(bca(mean_of(values), 0.95)[1:], t, atol=0.02)


def test_a_skewed_figure_has_a_longer_arm_on_the_side_of_its_tail():
    value, low, high = bca(mean_of(np.random.default_rng(1).exponential(5, 40)), 0.95)
    assert high - value > 1.15 * (value - low)


def test_undefined_draws_are_left_out_until_half_of_them_are():
    figure = mean_of(np.random.default_rng(0).normal(5, 1, 20), 1000)
    whole = bca(figure, 0.95)
    draws = figure.draws.copy()
    draws[:100] = math.nan
    np.testing.assert_allclose(bca(figure._replace(draws=draws), 0.95), whole, atol=0.1)
    draws[:500] = math.nan
    value, low, high = bca(figure._replace(draws=draws), 0.95)
    assert value == whole.value
    assert math.isnan(low)
    assert math.isnan(high)


def test_what_does_not_vary_has_an_interval_of_no_width_and_one_person_has_none():
    assert bca(mean_of(np.full(8, 2.5), 50), 0.95) == (2.5, 2.5, 2.5)
    value, low, high = bca(mean_of(np.array([2.5, 2.5]), 50)._replace(jackknife=np.ones(1)), 0.95)
    assert value == 2.5
    assert math.isnan(low)
    assert math.isnan(high)

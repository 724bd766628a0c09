import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics as reference

from registry import RegistryError
from zoo.errors import DataError
from zoo.evaluation.metrics import Metric, Rows, board_metrics, load_metric, measure, ranking_metric

SCORE_METRICS = ("mad", "rmse", "mape", "spearman", "pearson", "r2")
BINARY_METRICS = ("auc", "balanced-accuracy", "f1")
mad, rmse, mape, spearman, pearson, r2 = map(load_metric, SCORE_METRICS)
auc, balanced_accuracy, f1 = map(load_metric, BINARY_METRICS)

SCORE = st.integers(0, 150).map(lambda thirds: thirds / 3)
PAIRS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=SCORE),
        arrays(np.float64, n, elements=st.integers(-600, 3600).map(lambda k: k / 60)),
    )
)


@given(pair=PAIRS)
def test_errors_are_scikit_learns(pair):
    y, p = pair
    assert mad(y, p) == pytest.approx(reference.mean_absolute_error(y, p))
    assert rmse(y, p) == pytest.approx(reference.root_mean_squared_error(y, p))
    known = y != 0
    if known.any():
        expected = 100 * reference.mean_absolute_percentage_error(y[known], p[known])
        assert mape(y, p) == pytest.approx(expected)
    else:
        assert math.isnan(mape(y, p))


@given(pair=PAIRS)
def test_correlations_are_scipys_and_r2_is_scikit_learns(pair):
    y, p = pair
    if np.ptp(y) == 0 or np.ptp(p) == 0:
        assert math.isnan(pearson(y, p))
        assert math.isnan(spearman(y, p))
    else:
        assert pearson(y, p) == pytest.approx(stats.pearsonr(y, p).statistic, abs=1e-9)
        assert spearman(y, p) == pytest.approx(stats.spearmanr(y, p).statistic, abs=1e-9)
    if np.ptp(y) == 0:
        assert math.isnan(r2(y, p))
    else:
        assert r2(y, p) == pytest.approx(reference.r2_score(y, p))


@given(pair=PAIRS, scale=st.floats(0.1, 10), shift=st.floats(-50, 50))
def test_rank_and_linear_correlation_do_not_see_scale(pair, scale, shift):
    y, p = pair
    for metric in (pearson, spearman):
        a, b = metric(y, p), metric(y, p * scale + shift)
        assert (math.isnan(a) and math.isnan(b)) or a == pytest.approx(b, abs=1e-7)


def test_a_worked_example():
    y, p = [10.0, 20.0, 40.0], [12.0, 18.0, 40.0]
    found = measure(y, p)
    assert tuple(found) == SCORE_METRICS
    assert found["mad"] == pytest.approx(4 / 3)
    assert found["rmse"] == pytest.approx(math.sqrt(8 / 3))
    assert found["mape"] == pytest.approx(10)
    assert found["spearman"] == 1.0
    assert found["r2"] == pytest.approx(1 - 8 / (1400 / 3))


def test_a_perfect_prediction():
    y = np.array([3.0, 47.5, 20.0])
    assert measure(y, y) == {
        "mad": 0,
        "rmse": 0,
        "mape": 0,
        "spearman": 1,
        "pearson": 1,
        "r2": 1,
    }


def test_true_zeros_have_no_percentage():
    assert mape([0.0, 10.0], [5.0, 11.0]) == pytest.approx(10)
    assert math.isnan(mape([0.0, 0.0], [1.0, 2.0]))


def test_a_constant_prediction_has_no_order():
    y = np.linspace(10, 50, 7)
    found = measure(y, np.full(7, 33.3))
    assert math.isnan(found["spearman"])
    assert math.isnan(found["pearson"])
    assert found["r2"] == pytest.approx(1 - (((y - 33.3) ** 2).sum() / ((y - 30) ** 2).sum()))
    wobble = np.float32(33.3) + np.arange(7) * np.float32(4e-6)
    assert np.ptp(wobble) > 0
    assert math.isnan(spearman(y, wobble))
    assert math.isnan(pearson(y, wobble))


def test_constant_truth_has_no_order_either():
    found = measure([30.0] * 4, [29.0, 30.0, 31.0, 33.0])
    assert [math.isnan(found[k]) for k in ("spearman", "pearson", "r2")] == [True] * 3
    assert found["mad"] == pytest.approx(1.25)


def test_a_single_sample():
    found = measure([40.0], [38.0])
    assert (found["mad"], found["rmse"], found["mape"]) == (2.0, 2.0, pytest.approx(5.0))
    assert all(math.isnan(found[k]) for k in ("spearman", "pearson", "r2"))


def test_nothing_gives_nan():
    assert all(math.isnan(v) for v in measure([], []).values())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_an_error(bad):
    with pytest.raises(DataError, match=r"predicted score of sample 1 is .*, and 1 of 2"):
        measure([1.0, 2.0], [1.0, bad])
    with pytest.raises(DataError, match="true score of sample 0"):
        mad([bad, 2.0], [1.0, 2.0])


def test_shapes_must_fit():
    with pytest.raises(DataError, match=r"\(2,\) and \(3,\)"):
        mad([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="shapes"):
        mad([[1.0, 2.0]], [[1.0, 2.0]])


def test_float32_does_not_lose_digits():
    y = np.array([4e3, 4e3 + 1, 4e3 + 2], dtype=np.float32)
    assert rmse(y, y + np.float32(0.5)) == pytest.approx(0.5, abs=1e-12)


BINARY = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0])),
        arrays(np.float64, n, elements=st.integers(-4, 14).map(lambda k: k / 10)),
    )
)


@given(pair=BINARY)
def test_binary_metrics_are_scikit_learns(pair):
    y, p = pair
    said = p >= 0.5
    if 0 < y.sum() < len(y):
        assert auc(y, p) == pytest.approx(reference.roc_auc_score(y, p))
        expected = reference.balanced_accuracy_score(y, said)
        assert balanced_accuracy(y, p) == pytest.approx(expected)
    else:
        assert math.isnan(auc(y, p))
        assert math.isnan(balanced_accuracy(y, p))
    if y.any() or said.any():
        assert f1(y, p) == pytest.approx(reference.f1_score(y, said))
    else:
        assert math.isnan(f1(y, p))


def test_a_worked_binary_example():
    found = measure([1, 1, 0, 0], [0.9, 0.4, 0.5, 0.1], binary=True)
    assert tuple(found) == ("mad", "rmse", "r2", *BINARY_METRICS)
    assert found["auc"] == 0.75
    assert found["balanced-accuracy"] == 0.5
    assert found["f1"] == 0.5


def test_binary_metrics_of_nothing():
    assert all(math.isnan(value) for value in measure([], [], binary=True).values())


@pytest.mark.parametrize("metric", [auc, balanced_accuracy, f1])
def test_a_score_is_no_binary_target(metric):
    with pytest.raises(DataError, match="sample 1 is 2: a binary target is 0 or 1"):
        metric([1, 2, 0], [0.5, 0.5, 0.5])


@pytest.mark.parametrize("name", [*board_metrics(), *BINARY_METRICS])
def test_the_weighted_formula_is_the_value_of_repeated_rows(name):
    rng = np.random.default_rng(0)
    person = rng.integers(0, 6, 25)
    tables = [
        Rows(person, rng.uniform(1, 50, 25), np.round(rng.uniform(1, 50, 25), 0)) for _ in range(3)
    ]
    if name in BINARY_METRICS:  # with ties, as rounding makes them
        tables = [
            Rows(person, (rows.true > 25).astype(float), np.round(rows.predicted / 50, 1))
            for rows in tables
        ]
    weights = np.hstack([rng.integers(0, 4, (6, 12)).astype(float), 1 - np.eye(6)])
    metric = load_metric(name)
    by_hand = Metric.weighted(metric, tables, weights)
    np.testing.assert_allclose(metric.weighted(tables, weights), by_hand, atol=1e-12)
    nobody = metric.weighted(tables, np.zeros((6, 1)))
    assert np.isnan(nobody).all()
    assert np.isnan(Metric.weighted(metric, tables, np.zeros((6, 1)))).all()


def test_right_and_wrong_have_metrics_of_their_own_and_no_percentage():
    assert list(board_metrics(binary=True)) == ["auc", "mad", "rmse", "balanced-accuracy", "f1"]
    assert ranking_metric().name == "mad"
    assert ranking_metric(binary=True).name == "auc"


def test_saying_right_of_everybody_has_a_small_mad_and_the_auc_of_chance():
    true = np.array([1.0, 1.0, 1.0, 1.0, 0.0] * 4)
    sure = np.ones(20)
    telling = np.where(true == 1, 0.6, 0.4)
    assert mad(true, sure) < mad(true, telling)
    assert auc(true, sure) == 0.5
    assert auc(true, telling) == 1


def test_metrics_say_how_they_are_shown():
    found = board_metrics()
    assert list(found) == ["mad", "rmse", "mape", "spearman"]
    assert [m.heading for m in found.values()] == ["MAD", "RMSE", "MAPE %", "Spearman"]
    assert [m.digits((0, 1)) for m in found.values()] == [4, 4, 2, 3]
    assert [m.name for m in found.values() if m.higher_is_better] == ["spearman"]
    with pytest.raises(RegistryError, match="no metric is called 'spearmen'. Did you mean 'spear"):
        load_metric("spearmen")

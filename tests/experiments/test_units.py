"""Units, and when a number is reproduced."""

import math

import numpy as np
import pytest

from zoo.evaluation.metrics import board_metrics
from zoo.evaluation.statistics import Interval, Table
from zoo.experiments.units import UNITLESS, UNITS, as_printed, convert, judge


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    true = rng.uniform(10, 50, 20)
    return Table("1", 0, [f"P{i}" for i in range(20)], true, true + rng.normal(size=20))


def test_points_of_100_stretch_errors_by_the_score_range(table):
    read = convert(table, "points of 100", 50)
    for metric in ("mad", "rmse"):
        assert read.value(metric) == pytest.approx(2 * table.value(metric))
    assert read.value("mape") == pytest.approx(table.value("mape"))
    assert convert(table, "points of 100", None).value("mad") == pytest.approx(table.value("mad"))


def test_standardised_scores_have_errors_in_deviations(table):
    read = convert(table, "standardised", 50)
    assert read.true.mean() == pytest.approx(0, abs=1e-12)
    assert read.true.std() == pytest.approx(1)
    assert read.value("mad") == pytest.approx(table.value("mad") / table.true.std())
    off = np.abs(table.true - table.predicted) / np.abs(table.true - table.true.mean())
    mape = read.value("mape")
    assert as_printed(Interval(mape, mape, mape), "mape", "standardised").value == pytest.approx(
        off.mean()
    )
    assert as_printed(Interval(1, 0, 2), "mad", "standardised") == Interval(1, 0, 2)


def test_equal_scores_can_be_standardised():
    flat = Table("1", 0, ["a", "b"], np.array([30.0, 30.0]), np.array([31.0, 29.0]))
    assert convert(flat, "standardised", 50).value("mad") == 1


def test_no_unit_changes_the_order(table):
    for unit in UNITS:
        for metric in UNITLESS:
            assert metric in board_metrics()
            assert convert(table, unit, 50).value(metric) == pytest.approx(table.value(metric))


@pytest.mark.parametrize(
    ("interval", "published", "metric", "verdict"),
    [
        ((3, 2, 4), 2, "mad", "reproduced"),
        ((3, 2, 4), 4, "spearman", "reproduced"),
        ((3, 2, 4), 1.9, "mad", "worse"),
        ((3, 2, 4), 4.1, "rmse", "better"),
        ((0.9, 0.8, 0.95), 0.97, "spearman", "worse"),
        ((0.9, 0.8, 0.95), 0.7, "spearman", "better"),
        ((3, math.nan, math.nan), 3, "mad", ""),
    ],
)
def test_a_value_is_reproduced_where_it_lies_in_our_interval(interval, published, metric, verdict):
    assert judge(Interval(*interval), published, metric) == verdict

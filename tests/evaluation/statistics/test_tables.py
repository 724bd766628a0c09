import dataclasses
import math

import numpy as np
import pytest

from zoo.errors import DataError
from zoo.evaluation.metrics import board_metrics, load_metric, mad
from zoo.evaluation.statistics import Table, compare_persons, person_errors

PERSON = ("ann", "bob", "cid", "dan")
TRUE = np.array([10.0, 20.0, 30.0, 40.0])


def table(predicted, exercise="1", seed=0, person=PERSON, true=TRUE, **columns):
    return Table(exercise, seed, person, true, np.asarray(predicted, dtype=float), **columns)


def test_a_tables_metrics_are_those_of_its_rows():
    one = table([12, 17, 30, 50])
    assert one.value("mad") == pytest.approx(15 / 4)
    assert one.value("rmse") == pytest.approx(math.sqrt((4 + 9 + 100) / 4))
    assert one.value("mape") == pytest.approx((20 + 15 + 0 + 25) / 4)
    assert one.value("spearman") == pytest.approx(1)


def test_the_order_of_the_folds_means_is_no_order_of_persons():
    by_fold = [31, 31, 19, 19]
    assert table(by_fold).value("spearman") < -0.8
    assert math.isnan(table(by_fold, fold=[0, 0, 1, 1]).value("spearman"))
    assert table(by_fold, fold=[0, 0, 1, 1]).value("mad") == mad(TRUE, by_fold)
    assert table([31, 32, 19, 19], fold=[0, 0, 1, 1]).value("spearman") == pytest.approx(
        load_metric("spearman")(TRUE, [31, 32, 19, 19])
    )
    assert table([30, 29, 28, 27], fold=[0, 1, 2, 3]).value("spearman") == pytest.approx(-1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": np.array([1.0, 2.0, math.nan, 4.0])}, "predicted score of person cid.*nan"),
        ({"true": np.array([1.0, math.inf, 3.0, 4.0])}, "true score of person bob.*inf"),
        ({"true": TRUE[:3]}, r"4 persons, but the true scores are of shape \(3,\)"),
        ({"fold": [0, 1]}, "2 values of fold"),
        ({"group": ["a"] * 5}, "5 values of group"),
        ({"person": (), "true": TRUE[:0], "predicted": TRUE[:0]}, "no predictions"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(change, message):
    with pytest.raises(DataError, match=f"exercise 1, seed 0: .*{message}"):
        dataclasses.replace(table(TRUE), **change)


def test_persons_errors_are_means_over_rows_then_seeds_then_exercises():
    errors = person_errors(
        [
            table([11, 23, 30, 44], group=("patient", "expert", "patient", "expert")),
            table([14, 21, 30, 40], seed=1),
            Table("2", 0, ("bob", "ann", "bob"), np.full(3, 20.0), np.array([20.0, 29.0, 26.0])),
        ]
    )
    assert errors.person == PERSON
    assert errors.group == ("patient", "expert", "patient", "expert")
    ann, bob = ((1 + 4) / 2 + 9) / 2, ((3 + 1) / 2 + (0 + 6) / 2) / 2
    np.testing.assert_allclose(errors.error, [ann, bob, 0, (4 + 0) / 2])


def test_with_one_row_a_person_and_exercise_the_mean_over_persons_is_the_mad():
    rng = np.random.default_rng(0)
    tables = [table(rng.uniform(0, 50, 4), str(e), s) for e in range(3) for s in range(2)]
    expected = np.mean([one.value("mad") for one in tables])
    assert person_errors(tables).error.mean() == pytest.approx(expected)


def test_two_models_are_put_side_by_side():
    rows = compare_persons(
        [table([11, 20, 30, 40], group=list("xyxy"))],
        [table([10, 24, 30, 38][::-1], person=PERSON[::-1], true=TRUE[::-1])],
    )
    assert [row.person for row in rows] == list(PERSON)
    assert [row.group for row in rows] == list("xyxy")
    assert [row.error_a for row in rows] == [1, 0, 0, 0]
    assert [row.error_b for row in rows] == [0, 4, 0, 2]
    assert [row.difference for row in rows] == [1, -4, 0, -2]


def test_models_tested_on_other_persons_are_not_compared():
    fewer = table(TRUE[:3], person=PERSON[:3], true=TRUE[:3])
    with pytest.raises(DataError, match="first model was tested on person dan in exercise 1, the"):
        compare_persons([table(TRUE)], [fewer])
    with pytest.raises(DataError, match="second model was tested on person ann in exercise 2, the"):
        compare_persons([table(TRUE)], [table(TRUE), table(TRUE, "2")])
    with pytest.raises(DataError, match="second model has no predictions"):
        compare_persons([table(TRUE)], [])


def test_what_would_count_twice_or_in_two_groups_is_refused():
    with pytest.raises(DataError, match="two tables of exercise 1, seed 0"):
        person_errors([table(TRUE), table(TRUE)])
    with pytest.raises(DataError, match="person ann is in group x and in z"):
        person_errors([table(TRUE, group=list("xyxy")), table(TRUE, seed=1, group=list("zyxy"))])


def test_every_metric_of_a_board_has_a_value():
    assert set(board_metrics()) == {"mad", "rmse", "mape", "spearman"}
    assert all(math.isfinite(table([9, 8, 7, 6]).value(metric)) for metric in board_metrics())

"""Agreement of trainings: known answers, references, and chance."""

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import adjusted_rand_score

from zoo.errors import DataError
from zoo.evaluation.statistics import adjusted_rand, agreement, kendall

DRAW = np.random.default_rng(7)
GROUPS = DRAW.integers(6, size=(5, 25))
VALUES = DRAW.integers(12, size=(5, 25)) / 7.0
ONE_PAIR = {"pair": [(0, 1)]}


@pytest.mark.parametrize(
    ("measure", "rows", "reference"),
    [
        (adjusted_rand, GROUPS, adjusted_rand_score),
        (kendall, VALUES, lambda a, b: kendalltau(a, b).statistic),
    ],
)
def test_every_pair_has_the_value_of_the_reference(measure, rows, reference) -> None:
    expected = [[reference(a, b) for b in rows] for a in rows]
    assert measure(rows) == pytest.approx(np.array(expected))


def test_groups_by_other_names_are_the_same_groups() -> None:
    renamed = (GROUPS[0] * 5 + 3) % 6
    assert adjusted_rand([GROUPS[0], renamed])[0, 1] == 1.0
    other = np.where(GROUPS[0] == 2, 4, GROUPS[0])
    assert adjusted_rand([GROUPS[0], other])[0, 1] < 1.0


def test_a_single_group_says_nothing_of_others() -> None:
    single, each = np.zeros(25), np.arange(25)
    found = adjusted_rand([single, single, each, each, GROUPS[0]])
    assert found[0, 1] == found[2, 3] == 1.0
    assert found[0, 2] == found[0, 4] == found[2, 4] == 0.0


def test_an_order_turned_round_is_minus_one_and_no_order_is_zero() -> None:
    found = kendall([np.arange(25), np.arange(25)[::-1], np.ones(25)])
    assert found[0, 1] == pytest.approx(-1.0)
    assert found[0, 2] == found[2, 2] == 0.0


@pytest.mark.parametrize(("measure", "rows"), [(adjusted_rand, GROUPS), (kendall, VALUES)])
def test_the_same_is_one_and_never_chance(measure, rows) -> None:
    found = agreement([rows[0], rows[0]], ONE_PAIR, measure)["pair"]
    assert found.value == pytest.approx(1.0)
    assert found.low < 0 < found.high < 1
    assert (found.p, found.pairs) == (pytest.approx(1 / 1001), 1)


@pytest.mark.parametrize("measure", [adjusted_rand, kendall])
def test_random_rows_agree_as_chance_does(measure) -> None:
    """The range holds about 95 of 100 of what has nothing to do with each other, around zero."""
    draw = np.random.default_rng(3)
    inside, values = 0, []
    for _ in range(60):
        rows = draw.integers(6, size=(4, 25))
        kinds = {"all": [(i, j) for i in range(4) for j in range(i)]}
        found = agreement(rows, kinds, measure)["all"]
        values.append(found.value)
        inside += found.low <= found.value <= found.high
    assert abs(np.mean(values)) < 0.02
    assert 52 <= inside <= 60


def test_more_pairs_narrow_the_range_of_chance() -> None:
    every = [(i, j) for i in range(5) for j in range(i)]
    found = agreement(VALUES, {"one": [(0, 1)], "all": every}, kendall)
    assert found["all"].high - found["all"].low < found["one"].high - found["one"].low
    assert found["all"].pairs == 10


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DataError, match="kind 'another fold'"):
        agreement(VALUES, {"another fold": []}, kendall)
    with pytest.raises(DataError, match="at least two things"):
        kendall(np.ones((3, 1)))

from itertools import combinations

import numpy as np
import pytest
import scikit_posthocs
from scipy import stats

from zoo.errors import DataError
from zoo.evaluation.statistics import friedman

# Demšar (2006), Table 6: AUC of C4.5 and three variants on 14 data sets; higher is better.
# He prints 0.975 twice for the 13th but ranks them apart, by decimals not printed: 0.9751 here.
DEMSAR_NAMES = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)

# Hollander & Wolfe (1973), p. 140: seconds of 22 players by three ways to round first base.
BASE_TEXT = """
    5.40 5.50 5.55 5.85 5.70 5.75 5.20 5.60 5.50 5.55 5.50 5.40 5.90 5.85 5.70 5.45 5.55 5.60
    5.40 5.40 5.35 5.45 5.50 5.35 5.25 5.15 5.00 5.85 5.80 5.70 5.25 5.20 5.10 5.65 5.55 5.45
    5.60 5.35 5.45 5.05 5.00 4.95 5.50 5.50 5.40 5.45 5.55 5.50 5.55 5.55 5.35 5.45 5.50 5.55
    5.50 5.45 5.25 5.65 5.60 5.40 5.70 5.65 5.55 6.30 6.30 6.25"""
BASE = np.array(BASE_TEXT.split(), dtype=float).reshape(22, 3)


def test_mean_ranks_and_critical_difference_are_demsars():
    result = friedman(-DEMSAR, DEMSAR_NAMES)
    assert result.blocks == 14
    assert [name for name, _ in result.mean_ranks] == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    ranks = [rank for _, rank in result.mean_ranks]
    np.testing.assert_allclose(ranks, [1.964, 2.000, 2.893, 3.143], atol=5e-4)
    assert result.critical_difference == pytest.approx(1.25, abs=0.005)
    assert result.cliques == (("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"),)
    # At 0.1 he finds C4.5 worse than both variants with m, and C4.5+cf in between.
    at_tenth = friedman(-DEMSAR, DEMSAR_NAMES, alpha=0.1)
    assert at_tenth.critical_difference == pytest.approx(1.12, abs=0.005)
    assert at_tenth.cliques == (("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5"))
    # His statistic leaves ties uncorrected: χ² = 9.28, F = 3.69. Ours is R's and scipy's.
    uncorrected = 12 * 14 / 20 * (sum(r**2 for r in ranks) - 25)
    assert uncorrected == pytest.approx(9.28, abs=0.005)
    assert 13 * uncorrected / (42 - uncorrected) == pytest.approx(3.69, abs=0.005)
    assert result.statistic > uncorrected
    assert result.statistic == pytest.approx(stats.friedmanchisquare(*DEMSAR.T).statistic)


def test_without_ties_the_f_statistic_is_demsars_formula():
    rng = np.random.default_rng(0)
    blocks = rng.normal(0, 1, (14, 4)) + np.arange(4) / 2
    result = friedman(blocks, "abcd")
    ranks = np.array([rank for _, rank in result.mean_ranks])
    chi = 12 * 14 / 20 * ((ranks**2).sum() - 25)
    assert result.statistic == pytest.approx(chi)
    assert result.f_statistic == pytest.approx(13 * chi / (14 * 3 - chi))
    assert result.f_p == pytest.approx(stats.f.sf(result.f_statistic, 3, 39))
    # The F of a two-way analysis of variance of the ranks is the same number.
    r = stats.rankdata(blocks, axis=1)
    residual = r - r.mean(axis=0)
    anova = (14 * ((r.mean(axis=0) - 2.5) ** 2).sum() / 3) / ((residual**2).sum() / 39)
    assert result.f_statistic == pytest.approx(anova)


def test_rounding_first_base():
    # R's example of friedman.test: χ² = 11.143, p = 0.003805.
    result = friedman(BASE, ("round out", "narrow angle", "wide angle"))
    assert result.statistic == pytest.approx(11.143, abs=5e-4)
    assert result.p == pytest.approx(0.003805, abs=5e-7)
    assert result.mean_ranks[0][0] == "wide angle"


@pytest.mark.parametrize(
    ("alpha", "values"),
    [
        (0.05, [2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]),
        (0.10, [2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920]),
    ],
)
def test_critical_values_are_those_of_demsars_table_5(alpha, values):
    for m, value in enumerate(values, start=3):
        blocks = np.tile(np.arange(m), (10, 1))
        difference = friedman(blocks, [str(i) for i in range(m)], alpha=alpha).critical_difference
        assert difference / np.sqrt(m * (m + 1) / 60) == pytest.approx(value, abs=0.0011)


def test_further_apart_than_the_critical_difference_is_what_nemenyis_test_rejects():
    rng = np.random.default_rng(3)
    for _ in range(5):
        blocks = rng.normal(0, 1, (15, 6)) + np.linspace(0, 2, 6)
        result = friedman(blocks, "abcdef")
        p = scikit_posthocs.posthoc_nemenyi_friedman(blocks).to_numpy()
        ranks = dict(result.mean_ranks)
        for i, j in combinations(range(6), 2):
            apart = abs(ranks["abcdef"[i]] - ranks["abcdef"[j]]) > result.critical_difference
            assert apart == (p[i, j] < 0.05)
            together = any({"abcdef"[i], "abcdef"[j]} <= set(c) for c in result.cliques)
            assert together != apart
        sets = [set(c) for c in result.cliques]
        assert not any(a < b for a in sets for b in sets)


def test_cliques_overlap_and_leave_out_who_stands_alone():
    order = np.tile([0, 1, 2, 3, 9], (60, 1)).astype(float)
    order[::2, [0, 1]] = order[::2, [1, 0]]  # a and b take turns, and c stands near d
    order[::3, [2, 3]] = order[::3, [3, 2]]
    result = friedman(order, "abcde")
    assert result.cliques == (("a", "b"), ("c", "d"))
    near = friedman(order[:4], "abcde")
    assert near.cliques == (("a", "b", "c", "d"), ("c", "d", "e"))


def test_equal_models_have_no_order():
    result = friedman(np.ones((5, 3)), "abc")
    assert (result.statistic, result.p, result.f_statistic, result.f_p) == (0, 1, 0, 1)
    assert [rank for _, rank in result.mean_ranks] == [2, 2, 2]
    assert result.cliques == (("a", "b", "c"),)
    rounding = np.array([1, 1 + 1e-15, 1 - 1e-15])
    assert friedman(np.tile(rounding, (5, 1)), "abc") == result


def test_models_always_ranked_alike_differ_for_sure():
    result = friedman(np.tile([1.0, 2.0, 3.0], (8, 1)), "abc")
    assert result.statistic == pytest.approx(16)
    assert result.f_statistic == float("inf")
    assert result.f_p == 0


def test_the_order_of_blocks_and_models_changes_nothing():
    rng = np.random.default_rng(0)
    blocks = rng.normal(0, 1, (9, 4))
    one = friedman(blocks, "abcd")
    other = friedman(blocks[::-1, ::-1], "dcba")
    assert dict(one.mean_ranks) == pytest.approx(dict(other.mean_ranks))
    assert one.statistic == pytest.approx(other.statistic)


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(DataError, match="three models and two blocks, got 2 and 5"):
        friedman(np.ones((5, 2)), "ab")
    with pytest.raises(DataError, match="got 3 and 1"):
        friedman(np.ones((1, 3)), "abc")
    with pytest.raises(DataError, match="a column for each of 4 models, got shape"):
        friedman(np.ones((5, 3)), "abcd")
    missing = np.ones((5, 3))
    missing[2, 1] = np.nan
    with pytest.raises(DataError, match="b has no finite error in block 2"):
        friedman(missing, "abc")

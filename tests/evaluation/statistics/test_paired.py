import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from zoo.errors import DataError
from zoo.evaluation.statistics import Paired, PersonErrors, Table, paired, paired_tables, versus
from zoo.evaluation.statistics.paired import EXACT_PERSONS, FLIPS, holm

# Darwin's maize: eighths of an inch by which crossed plants were taller than self-fertilised ones.
MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])


def errors(values, person=None):
    ids = tuple(person or (f"p{i:03}" for i in range(len(values))))
    return PersonErrors(ids, (None,) * len(ids), np.asarray(values, dtype=float))


def test_the_sign_flips_of_darwins_maize_are_fishers():
    # Fisher, The Design of Experiments (1935), §21: 863 of 32 768 sums reach the observed 314 on
    # one side, so 1726 on both.
    assert len(MAIZE) <= EXACT_PERSONS
    assert paired(MAIZE, np.zeros(15)).permutation_p == 1726 / 32_768
    # Many sums equal the observed one, and must with rounding, too.
    assert paired(MAIZE / 30, np.zeros(15)).permutation_p == 1726 / 32_768


def test_the_signed_rank_test_is_that_of_hollander_and_wolfe():
    # Hamilton depression scale of nine patients (Hollander & Wolfe 1973, p. 29; the example of R's
    # wilcox.test): V = 40, one-sided p = 0.01953.
    first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    second = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    assert paired(first, second).wilcoxon_p == pytest.approx(2 * 0.01953125)


@pytest.mark.parametrize("persons", [5, EXACT_PERSONS, 40])
def test_p_values_are_scipys(persons):
    rng = np.random.default_rng(persons)
    a, b = rng.gamma(4, 1.5, persons), rng.gamma(4, 1.9, persons)
    ours = paired(a, b)
    assert ours.wilcoxon_p == pytest.approx(stats.wilcoxon(a, b).pvalue)
    reference = stats.permutation_test(
        (a - b,),
        np.mean,
        permutation_type="samples",
        n_resamples=np.inf if persons <= EXACT_PERSONS else 50_000,
        rng=np.random.default_rng(0),
    ).pvalue
    error = 0 if persons <= EXACT_PERSONS else 4 * np.sqrt(reference / FLIPS)
    assert ours.permutation_p == pytest.approx(reference, abs=error + 1e-12)


def test_a_difference_too_large_for_any_flip_has_the_smallest_p_there_is():
    assert paired(np.full(40, 2.0), np.full(40, 1.0)).permutation_p == 1 / (FLIPS + 1)


def test_p_values_of_equal_models_are_uniform():
    rng = np.random.default_rng(0)
    base = rng.gamma(4, 1.5, (100, 30))
    pairs = [paired(x + rng.normal(0, 1, 30), x + rng.normal(0, 1, 30)) for x in base]
    for p in ([q.permutation_p for q in pairs], [q.wilcoxon_p for q in pairs]):
        assert stats.kstest(p, "uniform").pvalue > 0.01


def test_the_interval_is_that_of_the_mean_difference():
    rng = np.random.default_rng(0)
    a = rng.gamma(4, 1.5, 60)
    b = a + rng.normal(0.4, 1, 60)
    result = paired(a, b)
    assert result.difference == pytest.approx((a - b).mean())
    reference = stats.ttest_rel(a, b).confidence_interval(0.95)
    np.testing.assert_allclose([result.low, result.high], reference, atol=0.05)


def test_swapping_the_models_changes_the_sign_and_no_p_value():
    rng = np.random.default_rng(2)
    a, b = rng.gamma(4, 1.5, (2, 30))
    one, other = paired(a, b), paired(b, a)
    assert one.difference == pytest.approx(-other.difference)
    assert one.permutation_p == other.permutation_p
    assert one.wilcoxon_p == other.wilcoxon_p


def test_the_order_of_persons_changes_nothing():
    rng = np.random.default_rng(2)
    a, b = rng.gamma(4, 1.5, (2, 30))
    order = rng.permutation(30)
    assert paired(a, b) == paired(a[order], b[order])


def test_the_same_seed_gives_the_same_on_every_machine():
    steps = np.arange(30) % 7
    assert vars(paired(steps + 1.0, steps[::-1] * 1.2)) == pytest.approx(
        {
            "difference": 0.433333333,
            "low": -0.576154510,
            "high": 1.4,
            "wilcoxon_p": 0.267711906,
            "permutation_p": 0.37875,
        }
    )


def test_equal_models_are_equal_up_to_rounding():
    rng = np.random.default_rng(0)
    a = rng.gamma(4, 1.5, 30)
    assert paired(a, a) == Paired(0, 0, 0, 1, 1)
    assert paired(a, a * (1 + 1e-15)) == Paired(0, 0, 0, 1, 1)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(DataError, match="at least two persons, not 1"):
        paired([1.0], [2.0])
    with pytest.raises(DataError, match=r"got shapes \(2,\) and \(3,\)"):
        paired([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="errors of person 1 are 2.0 and nan"):
        paired([1, 2], [1, np.nan])
    with pytest.raises(DataError, match="no model 'c'"):
        versus({"a": errors([1, 2])}, "c")
    with pytest.raises(DataError, match="b and a were not tested on the same persons"):
        versus({"a": errors([1, 2], "xy"), "b": errors([1, 2], "xz")}, "a")


def test_holms_method_on_a_worked_example():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([]).size == 0
    for wrong in ([0.2, np.nan], [1.1], [-0.1]):
        with pytest.raises(DataError, match="between 0 and 1"):
            holm(wrong)


def test_holms_method_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    for size in (1, 2, 10, 25):
        p = np.round(rng.beta(0.5, 3, size), 2)
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_a_family_is_corrected_and_the_best_is_not_compared_with_itself():
    rng = np.random.default_rng(0)
    base = rng.gamma(4, 1.5, 50)
    models = {
        "best": errors(base),
        "close": errors(base + rng.normal(0.1, 1, 50)),
        "far": errors(base + rng.normal(1, 1, 50)),
    }
    results = versus(models, "best")
    assert list(results) == ["close", "far"]
    alone = paired(models["far"].error, base)
    far, close = results["far"], results["close"]
    assert far.difference == alone.difference > 0
    assert far.permutation_p == alone.permutation_p
    assert far.permutation_holm == pytest.approx(2 * alone.permutation_p)
    assert far.wilcoxon_holm == pytest.approx(2 * alone.wilcoxon_p)
    assert far.significant
    assert far.worse
    assert not close.significant
    better = versus({**models, "far": errors(base - 1)}, "best")["far"]
    assert better.significant
    assert not better.worse


def tied_with_the_best(true_errors, seed):
    """Names of the models not worse than the one that comes out best in a study of 77 persons."""
    rng = np.random.default_rng(seed)
    person = np.abs(rng.normal(0, 5, (77, 1)))
    noise = rng.normal(0, 1 + person / 2.5, (77, len(true_errors)))
    found = person + np.asarray(true_errors) + noise
    models = {str(m): errors(found[:, m]) for m in range(len(true_errors))}
    best = str(found.mean(axis=0).argmin())
    results = versus(models, best, resamples=100)
    return {best, *(name for name, result in results.items() if not result.worse)}


@pytest.mark.slow
def test_the_best_stays_among_the_tied():
    equal = [tied_with_the_best([0] * 10, seed) for seed in range(150)]
    assert np.mean(["0" in tied for tied in equal]) >= 0.95
    # The best is chosen and tested on the same persons: with ten equal ones, some one is called
    # worse more often than at the level of the tests.
    assert np.mean([len(tied) < 10 for tied in equal]) <= 0.25
    steps = [tied_with_the_best(np.arange(10) * 0.3, seed) for seed in range(150)]
    assert np.mean(["0" in tied for tied in steps]) >= 0.98
    assert np.mean(["9" in tied for tied in steps]) <= 0.02


def table(predicted, true, seed=0):
    names = [f"p{i:02}" for i in range(len(true))]
    return Table("5", seed, names, np.asarray(true, float), np.asarray(predicted, float))


def test_the_word_for_a_difference_needs_more_than_a_smaller_mean():
    rng = np.random.default_rng(3)
    true = rng.uniform(10, 40, 15)
    mean = table(np.full(15, true.mean()), true)
    near = paired_tables([table(true + rng.normal(0, 1, 15), true)], [mean])
    assert (near.word, near.clear) == ("better", True)
    assert near.low <= near.difference <= near.high < 0
    worse = paired_tables([mean], [table(true + rng.normal(0, 1, 15), true)])
    assert worse.word == "worse"
    # Five percent better on average, and by one person alone: no more than luck.
    predicted = np.full(15, true.mean())
    at = int(np.argmax(abs(true - true.mean())))
    predicted[at] = true[at]
    lucky = paired_tables([table(predicted, true)], [mean])
    assert lucky.difference < 0
    assert lucky.word == "no clear difference"


def test_of_few_persons_no_difference_is_clear():
    true = np.array([10.0, 20.0, 30.0, 40.0, 50.0])
    exact, far = table(true, true), table(true + 10, true)
    assert paired_tables([exact], [far]).word == "no clear difference"
    with pytest.raises(DataError, match="at least two persons"):
        paired_tables([table([1.0], [2.0])], [table([1.0], [2.0])])

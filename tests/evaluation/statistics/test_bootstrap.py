import math
import time

import numpy as np
import pytest

from zoo.errors import ConfigError, DataError
from zoo.evaluation.metrics import board_metrics, load_metric, mad
from zoo.evaluation.statistics import Table, bootstrap
from zoo.evaluation.statistics.bootstrap import person_weights

EXERCISES = 5


def person_bootstrap(tables, metric, **how):
    """One model's metric, averaged over seeds and exercises, with its interval."""
    return bootstrap({"model": tables}, [metric], **how).interval("model", metric)


def study(persons, seed, exercises=EXERCISES):
    """True and predicted scores (persons, exercises): a person's errors are much alike."""
    rng = np.random.default_rng(seed)
    severity = rng.normal(0, 1, (persons, 1))
    true = np.clip(36 + 9 * severity + 4 * rng.normal(size=(persons, exercises)), 2, 50)
    person = 5 * rng.normal(0, 1, (persons, 1))
    return true, 36 + 0.6 * (true - 36) + person + 3 * rng.normal(size=(persons, exercises))


def tables(true, predicted, seed=0):
    ids = [f"p{i:03}" for i in range(len(true))]
    return [Table(f"{e}", seed, ids, true[:, e], predicted[:, e]) for e in range(true.shape[1])]


def models(count, persons=30, seeds=1):
    """Models of a little rising error, tested on the same persons."""
    true, predicted = study(persons, 0)
    rng = np.random.default_rng(1)
    return {
        f"m{m}": [
            table
            for seed in range(seeds)
            for table in tables(true, predicted + rng.normal(0, 2 + m / 2, true.shape), seed)
        ]
        for m in range(count)
    }


def shuffled(table, seed):
    at = np.random.default_rng(seed).permutation(len(table))
    return Table(
        table.exercise,
        table.seed,
        [table.person[i] for i in at],
        table.true[at],
        table.predicted[at],
    )


@pytest.mark.parametrize("ties", [False, True])
def test_a_draw_is_what_the_metrics_say_of_the_repeated_rows(ties):
    rng = np.random.default_rng(0)
    person = rng.integers(0, 9, 40)
    ids = sorted({f"p{i}" for i in person})
    true = rng.integers(0, 15, 40) / 3 if ties else rng.uniform(0, 5, 40)
    predicted = rng.integers(0, 9, (2, 40)) * 0.5 if ties else rng.uniform(0, 5, (2, 40))
    every = [Table("1", s, [f"p{i}" for i in person], true, predicted[s]) for s in range(2)]
    drawn = bootstrap({"m": every}, resamples=25, seed=4)
    weights = person_weights(len(ids), 25, 4)
    row = np.array([ids.index(f"p{i}") for i in person])
    assert set(drawn.replicates) == {"mad", "rmse", "mape", "spearman"}
    for name, figure in drawn.replicates.items():
        function = load_metric(name)
        for r in range(25):
            again = np.repeat(np.arange(40), weights[row, r].astype(int))
            expected = np.mean([function(true[again], p[again]) for p in predicted])
            assert figure.draws[0, 0, r] == pytest.approx(expected, abs=1e-12)
        for p in range(len(ids)):
            rest = row != p
            expected = np.mean([function(true[rest], y[rest]) for y in predicted])
            assert figure.jackknife[0, 0, p] == pytest.approx(expected, abs=1e-12)
        assert figure.value[0, 0] == np.mean([function(true, p) for p in predicted])


def test_metrics_are_averaged_over_seeds_and_then_over_exercises():
    true, predicted = study(20, 0, 2)
    three = [*tables(true, predicted), *tables(true[:, :1], predicted[:, :1] + 3, seed=1)]
    drawn = bootstrap({"m": three}, ["mad"], resamples=100)
    first, second, other = (table.value("mad") for table in three)
    assert drawn.interval("m", "mad").value == pytest.approx(((first + other) / 2 + second) / 2)
    assert drawn.interval("m", "mad", "0").value == pytest.approx((first + other) / 2)
    assert drawn.interval("m", "mad", "1").value == pytest.approx(second)
    assert person_bootstrap(three, "mad", resamples=100) == drawn.interval("m", "mad")


def test_persons_may_lack_an_exercise():
    true, predicted = study(20, 0, 2)
    first, second = tables(true, predicted)
    half = Table("1", 0, second.person[:8], second.true[:8], second.predicted[:8])
    value, low, high = person_bootstrap([first, half], "mad", resamples=200)
    assert value == pytest.approx((first.value("mad") + half.value("mad")) / 2)
    assert low < value < high


def test_more_rows_of_the_same_persons_make_no_interval_narrower():
    true, predicted = study(25, 0)
    once = bootstrap({"m": tables(true, predicted)}, resamples=300)
    pieces = [
        Table(t.exercise, 0, [*t.person] * 6, np.tile(t.true, 6), np.tile(t.predicted, 6))
        for t in tables(true, predicted)
    ]
    six = bootstrap({"m": pieces}, resamples=300)
    for metric in board_metrics():
        np.testing.assert_allclose(six.interval("m", metric), once.interval("m", metric))


def test_the_order_of_rows_and_tables_changes_nothing():
    every = models(3)
    mixed = {m: [shuffled(t, i) for i, t in enumerate(ts)][::-1] for m, ts in every.items()}
    one, other = bootstrap(every, resamples=200), bootstrap(mixed, resamples=200)
    for metric in board_metrics():
        for model in every:
            np.testing.assert_allclose(
                one.interval(model, metric), other.interval(model, metric), rtol=1e-12
            )
        assert one.ranks(metric) == other.ranks(metric)


def test_the_same_seed_gives_the_same_on_every_machine():
    true, predicted = study(20, 0)
    drawn = bootstrap({"m": tables(true, predicted)}, ["mad", "spearman"])
    mad_interval = (5.994096304, 4.564962815, 7.821310922)
    assert drawn.interval("m", "mad") == pytest.approx(mad_interval)
    assert drawn.interval("m", "spearman") == pytest.approx((0.505864662, 0.133963647, 0.772909629))
    other = person_bootstrap(tables(true, predicted), "mad", seed=1)
    assert other.value == pytest.approx(mad_interval[0])
    assert other.low != pytest.approx(mad_interval[1], rel=1e-6)


def test_differences_come_from_the_same_draws():
    true, predicted = study(40, 0)
    worse = predicted + np.where(predicted > true, 1.0, -1.0)
    drawn = bootstrap({"a": tables(true, predicted), "b": tables(true, worse)}, resamples=300)
    assert drawn.difference("b", "a") == pytest.approx((1, 1, 1))
    low, high = drawn.interval("a", "mad")[1:]
    assert high - low > 1
    mads = [np.mean([t.value("mad") for t in tables(true, p)]) for p in (predicted, worse)]
    better = drawn.improvement("a", "b")
    assert better.value == pytest.approx(100 * (1 - mads[0] / mads[1]))
    assert 0 < better.low < better.value < better.high


def test_ranks_follow_the_metric_and_their_intervals_the_noise():
    ranks = bootstrap(models(12, persons=60), resamples=500).ranks("mad")
    values = bootstrap(models(12, persons=60), ["mad"], resamples=1)
    by_value = sorted(ranks, key=lambda m: values.interval(m, "mad").value)
    assert [ranks[m].rank for m in by_value] == list(range(1, 13))
    assert all(1 <= r.low <= r.rank <= r.high <= 12 for r in ranks.values())
    assert ranks["m11"].low > ranks["m0"].high
    assert ranks["m0"].high > 1
    correlation = bootstrap(models(12, persons=60), resamples=500).ranks("spearman")
    assert correlation["m0"].rank < correlation["m11"].rank


def test_equal_models_share_their_rank_and_undefined_ones_have_none():
    true, predicted = study(20, 0)
    constant = np.full_like(true, 30)
    drawn = bootstrap(
        {
            "one": tables(true, predicted),
            "same": [shuffled(t, 3) for t in tables(true, predicted)],
            "constant": tables(true, constant),
        },
        resamples=200,
    )
    ranks = drawn.ranks("mad")
    assert ranks["one"] == ranks["same"]
    assert ranks["one"].rank == 1
    assert ranks["constant"].rank == 3
    assert set(drawn.ranks("spearman")) == {"one", "same"}
    assert all(math.isnan(x) for x in drawn.interval("constant", "spearman"))
    only = bootstrap({"constant": tables(true, constant)}, ["spearman"], resamples=20)
    assert only.ranks("spearman") == {}


def test_one_person_has_values_but_no_intervals():
    true, predicted = study(1, 0)
    value, low, high = person_bootstrap(tables(true, predicted), "mad", resamples=20)
    assert value == pytest.approx(mad(true[0], predicted[0]))
    assert math.isnan(low)
    assert math.isnan(high)


def test_what_cannot_be_computed_is_refused():
    one = models(1)
    with pytest.raises(ConfigError, match="no intervals are made for 'r2', only for mad, rmse"):
        bootstrap(one, ["r2"])
    with pytest.raises(ConfigError, match="confidence 95"):
        bootstrap(one, confidence=95)
    with pytest.raises(ConfigError, match="0 resamples"):
        bootstrap(one, resamples=0)
    with pytest.raises(DataError, match="no model"):
        bootstrap({})
    with pytest.raises(DataError, match="fewer was not: models are compared only over the same"):
        bootstrap({**one, "fewer": one["m0"][:4]})
    drawn = bootstrap(one, ["mad"], resamples=10)
    with pytest.raises(ConfigError, match="without metric 'rmse'"):
        drawn.interval("m0", "rmse")
    with pytest.raises(ConfigError, match="without model 'm1'"):
        drawn.difference("m0", "m1")
    with pytest.raises(ConfigError, match="without exercise '9'"):
        drawn.interval("m0", "mad", "9")


def coverage(persons, studies, metric, *, by_row=False, resamples=400):
    """Share of studies whose 95 % interval holds what a very large study finds."""
    truth = np.mean([table.value(metric) for table in tables(*study(200_000, 99))])
    held = 0
    for seed in range(studies):
        drawn = tables(*study(persons, 1000 + seed))
        if by_row:
            drawn = [
                Table(t.exercise, 0, [f"{t.exercise}-{p}" for p in t.person], t.true, t.predicted)
                for t in drawn
            ]
        _, low, high = person_bootstrap(drawn, metric, resamples=resamples, seed=seed)
        held += low <= truth <= high
    return held / studies


def test_intervals_hold_the_truth_as_often_as_they_say_where_persons_are_drawn():
    # The standard error of a coverage of .95 over 200 studies is .015.
    assert 0.92 <= coverage(40, 200, "mad") <= 0.98
    assert coverage(40, 200, "mad", by_row=True) < 0.85


@pytest.mark.slow
@pytest.mark.parametrize("persons", [20, 77])
@pytest.mark.parametrize(("metric", "least"), [("mad", 0.92), ("rmse", 0.9), ("spearman", 0.92)])
def test_coverage(persons, metric, least):
    assert least <= coverage(persons, 1000, metric, resamples=1000) <= 0.97


def test_the_cost_of_a_board_grows_with_its_models_and_not_with_their_pairs():
    def cost(count):
        board, times = models(count, persons=77, seeds=3), []
        for _ in range(3):
            start = time.process_time()
            bootstrap(board).ranks("mad")
            times.append(time.process_time() - start)
        return min(times)

    assert cost(25) < 12 * cost(5)  # by pairs 25 times as much

"""Weights and combined scores, and what an altered ensemble is told."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.errors import DataError
from zoo.runs.ensemble import combined, ensemble_faults, require_combinable, weights_of
from zoo.runs.record import Member
from zoo.runs.run import Run, load_run


@pytest.fixture
def runs(make_store):
    store = make_store(persons=30)
    return [
        load_run(store.run(model, "1", error=error))
        for model, error in (("stgcn", 1.0), ("gru", 3.0), ("tcn", 9.0))
    ]


def squared(runs, weights):
    table = combined(runs, weights).of("validation")
    whole = table.per_recording("mean")
    return float(np.sum(np.square(whole.predicted - whole.true)))


def test_the_mean_is_the_mean(runs):
    weights = weights_of(runs, "mean")
    expected = np.mean([run.scores.predicted for run in runs], axis=0)
    np.testing.assert_allclose(combined(runs, weights).predicted, expected, rtol=1e-6)


def test_fitted_weights_are_the_best_on_the_simplex(runs):
    weights = weights_of(runs, "fitted")
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    steps = np.linspace(0, 1, 41)
    grid = [(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1]
    assert squared(runs, weights) <= min(squared(runs, w) for w in grid) + 1e-3


def test_samples_in_another_order_are_brought_together(runs):
    backwards = load_run(runs[1].path)
    rows = range(len(backwards.scores))[::-1]
    backwards.__dict__["scores"] = backwards.scores.at(list(rows))
    usual = combined(runs[:2], [0.3, 0.7])
    turned = combined([runs[0], backwards], [0.3, 0.7])
    np.testing.assert_array_equal(usual.predicted, turned.predicted)
    backwards.__dict__["scores"] = replace(runs[1].scores, true=runs[1].scores.true + 1)
    with pytest.raises(DataError, match="different true scores"):
        combined([runs[0], backwards], [0.5, 0.5])


def test_what_cannot_be_combined_is_told_apart(make_store, tmp_path, store_maker):
    store = make_store()
    one = load_run(store.run("gru", "1"))
    others = store_maker(tmp_path / "others", fingerprint="e" * 64, overrides=["protocol.frames=7"])
    for other, words in (
        (store.run("tcn", "5"), "different exercises: 1 and 5"),
        (store.run("tcn", "1", fold=1), "different folds: 0 and 1"),
        (others.run("tcn", "1"), r"different data.*different protocols.*frames"),
        (one.path, "stands twice"),
    ):
        with pytest.raises(DataError, match=words):
            require_combinable([one, load_run(other)])
    with pytest.raises(DataError, match="at least two"):
        require_combinable([one])


def test_no_validation_people_no_fitted_weights(runs):
    for run in runs:
        run.__dict__["scores"] = run.scores.of("test")
    with pytest.raises(DataError, match="no validation people"):
        weights_of(runs, "fitted")


def test_members_that_do_not_fit_are_faults(runs):
    ensemble = load_run(runs[0].path)
    record = replace(
        ensemble.record,
        model=replace(ensemble.record.model, params={"combine": "mean"}),
        members=tuple(
            Member("x", run.record.key_hash, weight)
            for run, weight in zip(runs, (0.9, 0.4, -0.1), strict=True)
        ),
    )
    faults = " ".join(ensemble_faults(Run(ensemble.path, record), runs))
    assert record.config["members"] == [run.record.key_hash for run in runs]
    assert "negative or do not sum" in faults
    assert "not those of its members combined" in faults
    assert "not those that 'mean' gives" in faults

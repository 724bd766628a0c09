"""``selection: refit``: validation people choose the epoch, then everybody is trained on."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from zoo.protocol.feed import AS_THE_PROTOCOL
from zoo.protocol.split import Split
from zoo.training.evaluate import evaluate_fold, load_trained
from zoo.training.report import Reporter
from zoo.training.run import train_run
from zoo.training.stop import TrainingStopped

ERRATIC = {"lr": 0.1, "epochs": 8, "schedule": "constant", "optimizer": "sgd"}
"""The best epoch comes early."""


class Told(Reporter):
    def __init__(self, stop_after=None):
        self.starts, self.epochs, self.notes, self.stop_after = [], [], [], stop_after

    def on_start(self, start):
        self.starts.append(start)

    def on_epoch(self, row):
        self.epochs.append(row.epoch)
        if len(self.epochs) == self.stop_after:
            os.kill(os.getpid(), signal.SIGTERM)

    def on_note(self, text):
        self.notes.append(text)


@pytest.fixture
def go(toy, tmp_path):
    def train(data=None, build=None, where="runs", resume=False, reporter=None, **settings):
        return train_run(
            build or toy.TinyNet,
            data or toy.make_fold(selection="refit"),
            toy.make_config(**settings),
            dataset=toy.DATASET,
            runs=tmp_path / where,
            resume=resume,
            reporter=reporter,
        )

    return train


def everybody(toy, **protocol):
    """The toy fold with the validation people among those trained on."""
    fold = toy.make_fold(selection="last", **protocol)
    at = sorted([*fold.split.train.tolist(), *fold.split.validation.tolist()])
    split = Split.of(fold.samples, at, [], fold.split.test.tolist())
    scalers = fold.protocol.scalers(fold.samples, split, AS_THE_PROTOCOL)
    return replace(fold, split=split, **scalers)


def test_what_is_tested_was_trained_on_everybody_for_the_chosen_epochs(toy, go):
    told = Told()
    run = go(reporter=told, **ERRATIC)
    first = go(toy.make_fold(selection="best"), where="first", **ERRATIC)
    best = first.record.epochs.selected
    assert best < 8, "choose settings whose best epoch comes early"
    plain = go(everybody(toy), where="plain", **{**ERRATIC, "epochs": best})
    np.testing.assert_array_equal(run.scores.of("test").predicted, plain.scores.predicted)
    assert (run.record.epochs.selected, run.record.epochs.best) == (best, best)
    assert run.record.epochs.trained == len(run.history) == 8 + best
    assert run.record.baseline_score == plain.record.baseline_score
    assert run.record.split_hash == first.record.split_hash
    assert run.record.counts == first.record.counts
    assert told.epochs == [*range(1, 9), *range(1, best + 1)]
    assert told.starts[1].counts["train"].persons == 10
    assert told.starts[1].epochs == best
    assert "trained anew on all 10 training people" in told.notes[0]


def test_scores_of_validation_people_are_those_of_the_first_training(toy, go):
    run = go(**ERRATIC)
    first = go(toy.make_fold(selection="best"), where="first", **ERRATIC)
    np.testing.assert_array_equal(
        run.scores.of("validation").predicted, first.scores.of("validation").predicted
    )
    assert run.record.metrics["validation"] == first.record.metrics["validation"]


@pytest.mark.parametrize("after", [3, 8, 9])
def test_stopped_in_either_training_it_ends_with_the_same_bits(go, after):
    whole = go(where="whole", **ERRATIC)
    assert len(whole.history) > 9
    with pytest.raises(TrainingStopped) as stopped:
        go(reporter=Told(stop_after=after), **ERRATIC)
    assert stopped.value.epoch == after
    told = Told()
    resumed = go(resume=True, reporter=told, **ERRATIC)
    assert len(told.epochs) == len(whole.history) - after
    for name in ("checkpoint.safetensors", "predictions.csv"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_early_stopping_is_for_the_first_training_alone(go):
    run = go(early_stopping=2, **ERRATIC)
    best = run.record.epochs.selected
    assert run.record.epochs.trained == best + 2 + best


def test_a_closed_form_model_is_fitted_to_everybody(toy, go):
    run = go(build=toy.Nearest)
    plain = go(everybody(toy), build=toy.Nearest, where="plain")
    np.testing.assert_array_equal(run.scores.of("test").predicted, plain.scores.predicted)
    assert len(run.scores.of("validation")) > 0
    assert run.record.epochs.trained == 2


def test_it_never_looks_at_test_scores(toy, go):
    fold = toy.make_fold(selection="refit")
    samples = fold.samples
    other = samples.target.clone()
    other[fold.split.test] = 50 - other[fold.split.test]
    changed = replace(fold, samples=replace(samples, target=other))
    one, two = go(fold, **ERRATIC), go(changed, where="changed", **ERRATIC)
    assert not np.array_equal(one.tested.true, two.tested.true)
    np.testing.assert_array_equal(one.tested.predicted, two.tested.predicted)
    assert one.record.epochs.selected == two.record.epochs.selected


def test_the_kept_model_gives_the_same_scores_again(toy, tmp_path):
    fold = toy.make_fold(selection="refit")
    layout = "kinect-v2"  # any that exists: the toy network does not look at it
    samples = replace(fold.samples, layout=layout)
    run = train_run(
        toy.TinyNet,
        replace(fold, samples=samples),
        toy.make_config(**ERRATIC),
        dataset=type(toy.DATASET)(**{**vars(toy.DATASET), "layout": layout}),
        runs=tmp_path / "again",
    )
    trained = load_trained(run, build=toy.TinyNet)
    found = evaluate_fold(trained, replace(fold, samples=samples), toy.DATASET.fingerprint)
    assert found.agrees
    assert set(found.metrics) == {"test"}


@pytest.mark.parametrize("selection", ["best", "refit"])
def test_a_recipe_of_fixed_length_keeps_the_last_epoch(toy, go, selection):
    told = Told()
    settings = {**ERRATIC, "keep": "last"}
    run = go(toy.make_fold(selection=selection), reporter=told, **settings)
    assert run.record.epochs.selected == 8
    assert told.epochs == list(range(1, 9)) * (2 if selection == "refit" else 1)
    chosen = go(toy.make_fold(selection=selection), where="chosen", **ERRATIC)
    assert chosen.record.epochs.selected < 8
    if selection == "refit":
        last = go(everybody(toy), where="last", **ERRATIC)
        assert np.array_equal(run.tested.predicted, last.tested.predicted)

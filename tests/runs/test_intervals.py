"""Intervals of finished runs, from what stands in their folders."""

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.prediction import Predictor
from zoo.runs.intervals import no_interval, on_scale, run_calibration, run_intervals, too_wide
from zoo.runs.run import Run
from zoo.runs.scores import Scores
from zoo.training.evaluate import load_trained

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def run_of(make_record):
    """Makes a run with one row a score: true 25 of 50, predicted so much more than that."""
    return lambda *values, **more: made(make_record(), *values, **more)


def made(record, validation, test, deviation=None, person=None):
    values = [*validation, *test]
    parts = ["validation"] * len(validation) + ["test"] * len(test)
    names = [f"P{i}" for i in range(len(values))]
    run = Run(Path(), record)
    run.__dict__["scores"] = Scores(
        part=parts,
        person=names if person is None else person,
        group=[""] * len(values),
        recording=[f"{name}/Es5" for name in names],
        sample=[0] * len(values),
        true=np.full(len(values), 25.0),
        predicted=25 + np.array(values, dtype=float),
        deviation=None if deviation is None else np.array(deviation),
    )
    return run


def test_calibrated_on_validation_and_measured_on_test(run_of):
    found = run_intervals(run_of(range(1, 10), [0, 8.5, 9, -9.5]))
    assert (found.calibration.people, found.calibration.factor) == (9, 9)
    assert (found.people, found.covered, found.coverage, found.width) == (4, 3, 0.75, 18)
    assert run_intervals(run_of(range(1, 10), [0]), 0.5).width == 10


def test_an_interval_ends_where_the_scale_does(run_of):
    assert run_intervals(run_of(range(1, 10), [0, 20])).width == (18 + 14) / 2
    assert on_scale(45.0, 9.0, (0.0, 50.0)) == (36, 50)
    assert on_scale(-3.0, 9.0, (0.0, 50.0)) == (0, 6)
    assert on_scale(70.0, 9.0, (0.0, 50.0)) is None


def test_an_interval_over_half_the_scale_is_called_too_wide():
    assert too_wide(25.0, (0.0, 50.0)) == ""
    assert too_wide(28.6, (0.0, 50.0)).startswith("57% of the scale from 0 to 50: too wide")


def test_too_few_people_are_said_plainly(run_of):
    found = run_intervals(run_of([1, 2], [0]))
    assert found.width == np.inf
    assert no_interval(found.calibration) == (
        "No interval: one of 90% needs at least 9 validation people, the run has 2."
    )
    assert "the run has none" in no_interval(run_calibration(run_of([], [0])))


def test_people_nobody_knows_stand_for_themselves(run_of):
    run = run_of([1, 2, 3], [0], person=["", "unknown", "unknown", ""])
    assert run_calibration(run).people == 3


def test_predicted_deviations_scale_the_intervals(run_of):
    deviation = [2.0] * 9 + [1.0, 4.0]
    found = run_intervals(run_of(range(1, 10), [5, 5], deviation))
    assert found.calibration.factor == 4.5
    assert (found.coverage, found.width) == (0.5, 22.5)


def test_a_gaussian_run_stores_deviations_and_predicts_with_them(tmp_path):
    run = zoo.train(
        "stgcn-small",
        overrides={
            "model.channels": [8, 8],
            "model.strides": [1, 2],
            "model.head": "gaussian",
            "trainer.epochs": 1,
            "trainer.threads": 1,
            "protocol.frames": 16,
            "dataset.people": 30,
            "dataset.repetitions": 1,
        },
        runs=tmp_path,
        data_root=tmp_path,
    )
    test = run.scores.of("test")
    deviation = test.deviation
    assert len(deviation) == len(test)
    predictor = Predictor.open(run, data_root=tmp_path, level=0.8)
    (scored,) = predictor.score(test.recording[0])
    radius = predictor.calibration.factor * deviation[0]
    assert scored.interval == pytest.approx(on_scale(scored.score, radius, (0, 50)), rel=1e-4)
    found = run_intervals(run, 0.8)
    assert found.calibration.scaled
    assert found.calibration == predictor.calibration
    assert load_trained(run.path).model.head is not None

"""Expected costs: as recorded, scaled, or from the operations."""

import json

import pytest

from zoo.experiments.cost import FLOPS_PER_SECOND, expected_costs
from zoo.experiments.schema import Row


def record_seconds(job, seconds):
    file = job.path / "run.json"
    record = json.loads(file.read_text())
    record["durations"] = {"train": seconds, "finish": 0.0}
    file.write_text(json.dumps(record))
    return record


def test_recorded_durations_of_the_same_model_in_the_same_place(desk):
    plan = desk.plan("toy-line", seeds=(0, 1, 2))
    desk.sweep(desk.plan("toy-line"))
    for job in desk.plan("toy-line").jobs:
        record_seconds(job, 100.0)
    assert set(expected_costs(plan).values()) == {100.0}


def test_elsewhere_they_are_scaled_by_samples_and_epochs(desk):
    desk.sweep(desk.plan("toy-line"))
    for job in desk.plan("toy-line").jobs:
        record = record_seconds(job, 100.0)
    epochs, samples = record["epochs"]["trained"], record["counts"]["train"]["samples"]
    pieces = ("protocol.split.folds=2", "protocol.sampling={kind: pieces, pieces: 4}")
    other = desk.plan(
        "toy-line", protocols=("random-kfold",), settings=(*pieces, "trainer.epochs=6")
    )
    costs = expected_costs(other)
    (cost,) = {costs[job.path] for job in other.jobs if job.model == "toy-line"}
    assert cost == pytest.approx(100 * 3 * (15 * 4 * 0.7) / samples, rel=0.01)
    assert epochs == 2


def test_without_a_record_operations_count(desk):
    few, many = (Row("stgcn-small", settings={"trainer.epochs": epochs}) for epochs in (10, 1000))
    plan = desk.plan(few, many, "mean", folds=(0,))
    short, long, closed = (expected_costs(plan)[job.path] for job in plan.jobs)
    assert closed < 1
    assert long - closed == pytest.approx(100 * (short - closed))
    assert 1e6 < (short - closed) * FLOPS_PER_SECOND / (3 * 15 * 0.7 * 10) < 1e10


def test_damaged_records_tell_nothing(desk):
    plan = desk.plan("toy-line", folds=(0,))
    desk.sweep(plan)
    (plan.jobs[0].path / "run.json").write_text('{"durations": 3}')
    assert expected_costs(plan)[plan.jobs[0].path] < 10

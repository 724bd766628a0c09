"""Scores drawn towards the person's other exercises, and what is refused."""

import json
from statistics import fmean

import numpy as np
import pytest

from zoo.errors import DataError
from zoo.runs.person_context import context_of, drawn
from zoo.runs.run import load_run

WEIGHT = 0.3


@pytest.fixture
def entry(make_store):
    store = make_store(persons=16, exercises=("1", "3", "5"), pieces=2)
    return [load_run(path) for path in store.entry("gru", seeds=(0, 1))]


def found(entry, exercise, fold=0, seed=0):
    return next(run for run in entry if run.place == (exercise, fold, seed))


def test_the_formula(entry):
    run = found(entry, "1")
    after = drawn(run, context_of(run, entry), WEIGHT).of("test").per_recording("mean")
    for recording, person, score in zip(
        after.recording, after.person, after.predicted, strict=True
    ):
        before = run.tested.predicted[run.tested.recording.index(recording)]
        elsewhere = [
            other.tested.predicted[other.tested.person.index(person)] - other.record.baseline_score
            for other in entry
            if other.exercise != "1" and other.seed == 0 and person in other.tested.person
        ]
        assert len(elsewhere) == 2
        towards = run.record.baseline_score + fmean(elsewhere)
        assert score == pytest.approx((1 - WEIGHT) * before + WEIGHT * towards, abs=1e-4)


def test_samples_of_a_recording_move_together(entry):
    run = found(entry, "1")
    after = drawn(run, context_of(run, entry), WEIGHT)
    assert after.names == run.scores.names
    by = after.predicted - run.scores.predicted
    for recording in set(after.recording):
        at = [i for i, name in enumerate(after.recording) if name == recording]
        assert len(at) == 2
        np.testing.assert_allclose(by[at], by[at[0]], atol=1e-4)


def test_true_scores_have_no_part_in_it(entry):
    """The people's own labels, moved anywhere, leave every drawn score as it is."""
    run, others = found(entry, "1"), context_of(found(entry, "1"), entry)
    before = drawn(run, others, WEIGHT).predicted
    for one in (run, *others):
        scores = one.scores
        object.__setattr__(scores, "true", 50 - scores.true)
        for cached in ("test_scores", "tested"):
            one.__dict__.pop(cached, None)
    np.testing.assert_array_equal(drawn(run, others, WEIGHT).predicted, before)


def test_a_person_of_no_other_exercise_keeps_the_score(entry):
    run = found(entry, "1")
    np.testing.assert_allclose(drawn(run, [], WEIGHT).predicted, run.scores.predicted)


def test_a_single_seed_and_only_runs_that_test_these_people(entry):
    run = found(entry, "1", fold=1, seed=1)
    others = context_of(run, entry)
    assert {other.seed for other in others} == {1}
    assert {other.exercise for other in others} == {"3", "5"}
    people = set(run.scores.person)
    assert all(people.intersection(other.tested.person) for other in others)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_run_that_saw_a_person_it_tests_is_refused(entry, part):
    run = found(entry, "1")
    others = context_of(run, entry)
    person = others[0].tested.person[0]
    file = others[0].path / "split.json"
    split = json.loads(file.read_text())
    split[part]["persons"].append(person)
    file.write_text(json.dumps(split))
    others[0].__dict__.pop("split", None)
    with pytest.raises(DataError, match=f"tests {person}, who stands in its training"):
        drawn(run, others, WEIGHT)


def test_a_protocol_that_leaks_is_refused(make_store):
    store = make_store(persons=8, protocol="d2sta-paper", pieces=10)
    runs = [load_run(path) for path in store.entry("gru")]
    with pytest.raises(DataError, match="follows a protocol that leaks"):
        drawn(runs[0], context_of(runs[0], runs), WEIGHT)


@pytest.mark.parametrize("weight", [0, 1, -0.1, float("nan")])
def test_weights_that_are_none(entry, weight):
    with pytest.raises(DataError, match="expected a number above 0 and below 1"):
        drawn(entry[0], [], weight)

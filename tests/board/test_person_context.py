"""Entries that saw the person's other exercises: made, set apart on the board, and checked."""

import json
from dataclasses import replace

import pytest

from zoo.board.check import check_store
from zoo.board.compare import compare
from zoo.board.ensemble import ensembles_of_models
from zoo.board.leaderboard import build_board
from zoo.board.person_context import with_other_exercises
from zoo.errors import CheckpointError, ConfigError, DataError
from zoo.files import file_hash
from zoo.report import csv, markdown, page
from zoo.runs.ensemble import require_combinable
from zoo.runs.find import open_run
from zoo.runs.run import load_run

NAME = "gru, 30 % from the person's other exercises"


@pytest.fixture
def store(make_store):
    made = make_store(persons=16)
    made.entry("gru", seeds=(0, 1), error=4.0)
    made.entry("tcn", error=3.0)
    return made


def test_one_run_a_place_that_says_what_it_saw(store):
    made = with_other_exercises("gru", 0.3, runs=store.root)
    assert len(made) == 8
    record = json.loads((made[0].path / "run.json").read_text())
    assert record["model"]["name"] == NAME
    assert record["context"]["weight"] == 0.3
    assert made[0].record.sees == "person"
    behind = {load_run(path).record.key_hash for path in store.root.rglob("gru/fold*")}
    assert set(record["context"]["runs"]) < behind
    assert check_store(store.root) == (20, [])


def test_it_is_ranked_apart_from_those_that_saw_one_recording(store):
    with_other_exercises("gru", 0.3, runs=store.root)
    board = build_board(store.root)
    alone, more = board.sections
    assert {row.name for row in alone.ranked} == {"gru", "tcn"}
    assert [row.name for row in more.ranked] == [NAME]
    assert (alone.protocol.sees, more.protocol.sees) == ("recording", "person")
    assert more.published == []
    assert "rest on more than one recording" in more.notes[0]
    assert not any("never mixed" in note for note in [*alone.notes, *more.notes])
    assert "person-kfold, with the person's other exercises" in markdown.render(board)
    assert page.render(board).count("person-kfold, with the person&#39;s other exercises") >= 2
    assert csv.render(board).splitlines()[0].split(",")[3] == "sees"


def test_it_is_compared_person_by_person_with_one_that_saw_less(store):
    with_other_exercises("gru", 0.3, name="drawn", runs=store.root)
    found = compare("drawn", "tcn", store.root)
    assert found.sees_more == ("drawn",)
    assert found.verdict.endswith("Scores of drawn rest on the person's other exercises as well.")
    assert compare("gru", "tcn", store.root).sees_more == ()


def test_an_ensemble_of_all_seeds_may_be_drawn_and_not_the_other_way_round(store):
    ensembles_of_models(["gru", "tcn"], all_seeds=True, name="both", runs=store.root)
    made = with_other_exercises("both", 0.2, runs=store.root)
    assert len(made) == 4
    assert check_store(store.root)[1] == []
    plain = load_run(store.run("lite", "1"))
    with pytest.raises(DataError, match="has seen other recordings of each person already"):
        require_combinable([plain, made[0]])
    with pytest.raises(DataError, match="no board has all of"):
        with_other_exercises(made[0].record.model.name, 0.2, runs=store.root)


def test_what_was_changed_by_hand_or_trained_anew_is_found(store):
    made = with_other_exercises("gru", 0.3, runs=store.root)
    record = json.loads((made[0].path / "run.json").read_text())
    record["context"]["weight"] = 0.5
    record["files"] = {name: file_hash(made[0].path / name) for name in record["files"]}
    (made[0].path / "run.json").write_text(json.dumps(record))
    stale = {f.path for f in check_store(store.root)[1] if "drawn by its weight" in f.fault}
    assert stale == {made[0].path}
    assert any("not the one of its settings" in f.fault for f in check_store(store.root)[1])
    store.run("gru", "5", error=9.0)  # the same key, other predictions
    stale = {f.path for f in check_store(store.root)[1] if "drawn by its weight" in f.fault}
    assert len(stale) == 3


def test_runs_of_another_model_behind_it_are_found(store):
    from zoo.runs.person_context import context_faults

    made = with_other_exercises("gru", 0.3, runs=store.root)[0]
    own, other = load_run(store.run("gru", "1")), load_run(store.run("tcn", "5"))
    faults = list(context_faults(made, own, [other]))
    assert "not scored by the same model" in faults[0]
    assert (
        list(context_faults(replace(made, record=replace(made.record, context=None)), own, []))
        == []
    )


def test_it_has_no_model_to_predict_with(store):
    made = with_other_exercises("gru", 0.3, runs=store.root)[0]
    with pytest.raises(CheckpointError, match=r"person's other exercises.*its members \(gru\)"):
        open_run(made)


def test_what_is_refused(store):
    store.run("lite", "1")
    with pytest.raises(DataError, match="lite needs every exercise and fold"):
        with_other_exercises("lite", 0.3, runs=store.root)
    with pytest.raises(ConfigError, match="is a model's name"):
        with_other_exercises("gru", 0.3, name="tcn", runs=store.root)
    with pytest.raises(DataError, match="above 0 and below 1"):
        with_other_exercises("gru", 1.0, runs=store.root)


def test_one_exercise_alone_has_no_others(make_store):
    store = make_store(persons=8, exercises=("1",))
    store.entry("gru")
    with pytest.raises(DataError, match="has exercise 1 alone"):
        with_other_exercises("gru", 0.3, runs=store.root)

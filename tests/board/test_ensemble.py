"""Runs and entries combined into run folders that the store takes for its own."""

import json

import numpy as np
import pytest

from zoo.board.check import check_store
from zoo.board.ensemble import ensemble_of_runs, ensembles_of_models
from zoo.board.entries import read_groups
from zoo.errors import CheckpointError, ConfigError, DataError
from zoo.files import file_hash
from zoo.runs.find import open_run
from zoo.training.checkpoint import read_checkpoint


@pytest.fixture
def store(make_store):
    made = make_store(persons=16)
    made.entry("stgcn", error=2.0)
    made.entry("gru", error=4.0)
    return made


@pytest.mark.parametrize("how", ["mean", "fitted"])
def test_one_ensemble_a_place_stands_on_the_board(store, how):
    made, left_out = ensembles_of_models(["stgcn", "gru"], how=how, runs=store.root)
    assert [run.record.fold for run in made] == [0, 1, 0, 1]
    assert left_out == []
    assert made[0].record.model.parameters == 2000
    entries = {e.name: e for group in read_groups(store.root)[0] for e in group.entries}
    entry = entries[f"{how} of stgcn, gru"]
    assert entry.complete
    assert entry.builtin
    assert len(entry.runs) == 4
    runs, findings = check_store(store.root, again=lambda folder: "of_stgcn" not in str(folder))
    assert findings == []
    assert runs == 12


def test_a_second_time_is_the_same_run(store):
    first = ensembles_of_models(["stgcn", "gru"], exercise="1", runs=store.root)[0]
    again = ensembles_of_models(["stgcn", "gru"], exercise="1", runs=store.root)[0]
    assert [run.path for run in first] == [run.path for run in again]
    np.testing.assert_array_equal(first[0].scores.predicted, again[0].scores.predicted)


def test_a_board_renders_it(store):
    from zoo.api import leaderboard

    ensembles_of_models(["stgcn", "gru"], name="both", runs=store.root)
    board = leaderboard(store.root)
    assert {entry.name for entry in board.sections[0].ranked} == {"stgcn", "gru", "both"}


def test_runs_of_other_seeds_are_named_by_seed(store):
    folders = [store.run("tcn", "1", seed=seed) for seed in (2, 3)]
    made = ensemble_of_runs(folders, runs=store.root)
    assert made.record.model.name == "mean of tcn seed 2, tcn seed 3"
    assert made.record.seed == 2
    weights = read_checkpoint(made.path / "checkpoint.json").tensors["model"]["weights"]
    assert weights.tolist() == [0.5, 0.5]


def test_an_entry_is_found_by_its_model_while_that_is_clear(store):
    store.entry("tcn", trainer={"epochs": 7})
    made, _ = ensembles_of_models(["stgcn", "tcn"], exercise="1", runs=store.root)
    assert made[0].record.members[1].model == "tcn (trainer.epochs=7)"
    assert made[0].record.model.params["members"][1] == {
        "model": "tcn",
        "settings": {"trainer.epochs": 7},
    }
    store.entry("tcn", trainer={"epochs": 8})
    with pytest.raises(DataError, match="no board has all of stgcn, tcn"):
        ensembles_of_models(["stgcn", "tcn"], runs=store.root)


def test_a_member_trained_anew_makes_the_ensemble_stale(store):
    made = ensembles_of_models(["stgcn", "gru"], runs=store.root)[0]
    store.run("gru", "1", error=5.0)  # the same key, other predictions
    stale = {f.path for f in check_store(store.root)[1] if "members combined" in f.fault}
    assert stale == {made[0].path}


def test_weights_changed_by_hand_are_found(store):
    made = ensembles_of_models(["stgcn", "gru"], runs=store.root)[0][0]
    record = json.loads((made.path / "run.json").read_text())
    record["members"][0]["weight"], record["members"][1]["weight"] = 0.25, 0.75
    record["files"] = {name: file_hash(made.path / name) for name in record["files"]}
    (made.path / "run.json").write_text(json.dumps(record))
    faults = " ".join(f.fault for f in check_store(store.root)[1])
    assert "not those of its members combined" in faults
    assert "weights are not those that 'mean' gives" in faults


def test_all_seeds_of_each_entry_make_one_ensemble_a_fold(store):
    store.entry("tcn", seeds=(0, 1, 2))
    made, left_out = ensembles_of_models(["stgcn", "tcn"], all_seeds=True, runs=store.root)
    assert (len(made), left_out) == (4, [])
    record = made[0].record
    assert record.model.name == "mean of stgcn, tcn (3 seeds)"
    assert [m.model for m in record.members] == ["stgcn", *(f"tcn seed {s}" for s in range(3))]
    weights = [m.weight for m in record.members]
    np.testing.assert_allclose(weights, [1 / 2, 1 / 6, 1 / 6, 1 / 6])
    entry = {e.name: e for g in read_groups(store.root)[0] for e in g.entries}[record.model.name]
    assert entry.complete
    assert check_store(store.root)[1] == []


def test_the_seeds_of_one_entry_make_an_ensemble(store):
    store.entry("tcn", seeds=(0, 1, 2))
    made, _ = ensembles_of_models(["tcn"], all_seeds=True, how="fitted", runs=store.root)
    assert len(made) == 4
    assert made[0].record.model.name == "fitted of tcn (3 seeds)"
    assert check_store(store.root)[1] == []


def test_weights_are_fitted_under_refit_too(make_store):
    """The validation scores of such runs are those of the first training, which is kept."""
    store = make_store(persons=16, protocol="person-kfold-refit")
    store.entry("stgcn", error=2.0)
    store.entry("gru", error=4.0)
    made, _ = ensembles_of_models(["stgcn", "gru"], how="fitted", runs=store.root)
    assert len(made) == 4
    assert any(run.record.members[0].weight != 0.5 for run in made)
    assert check_store(store.root)[1] == []


def test_a_fold_that_lacks_a_seed_is_left_out(store):
    for seed in (0, 1):
        store.run("tcn", "1", seed=seed)
    store.run("tcn", "1", fold=1)
    made, left_out = ensembles_of_models(["stgcn", "tcn"], all_seeds=True, runs=store.root)
    assert len(made) == 1
    assert left_out == ["exercise 1, fold 1", "exercise 5, folds 0-1"]


def test_places_that_a_member_lacks_are_left_out(store):
    store.run("tcn", "1", fold=0)
    made, left_out = ensembles_of_models(["stgcn", "tcn"], runs=store.root)
    assert len(made) == 1
    assert left_out == ["exercise 1, seed 0, fold 1", "exercise 5, seed 0, folds 0-1"]


def test_what_is_refused(store, make_store, store_maker):
    with pytest.raises(DataError, match="no board has all of stgcn, grru"):
        ensembles_of_models(["stgcn", "grru"], runs=store.root)
    with pytest.raises(DataError, match="at least two"):
        ensembles_of_models(["stgcn"], runs=store.root)
    with pytest.raises(ConfigError, match="is a model's name"):
        ensembles_of_models(["stgcn", "gru"], name="gru", runs=store.root)
    with pytest.raises(ConfigError, match="mean or fitted"):
        ensembles_of_models(["stgcn", "gru"], how="median", runs=store.root)
    other = store_maker(store.root, persons=16, fingerprint="e" * 64)
    other.entry("stgcn")
    other.entry("gru")
    with pytest.raises(DataError, match=r"2 boards have all of these"):
        ensembles_of_models(["stgcn", "gru"], runs=store.root)


def test_it_has_no_model_to_predict_with(store):
    made = ensembles_of_models(["stgcn", "gru"], runs=store.root)[0][0]
    with pytest.raises(CheckpointError, match=r"is an ensemble.*\(stgcn, gru\)"):
        open_run(made)

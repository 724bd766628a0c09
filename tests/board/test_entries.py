"""Runs as entries: names, what is missing, and what is never mixed."""

import json
import shutil

import pytest

from zoo.board.entries import BoardKey, fold_words, read_groups, spans
from zoo.errors import DataError
from zoo.files import to_json
from zoo.words import natural


@pytest.fixture
def store(make_store):
    return make_store()


def all_entries(root, **chosen):
    groups, _ = read_groups(root, **chosen)
    return [entry for group in groups for entry in group.entries]


def entries(store, **chosen):
    return {entry.name: entry for entry in all_entries(store.root, **chosen)}


def edit(path, **changes):
    record = json.loads((path / "run.json").read_text())
    for key, value in changes.items():
        place = record
        *way, last = key.split("__")
        for step in way:
            place = place[step]
        place[last] = value
    (path / "run.json").write_bytes(to_json(record))


def test_an_entry_is_all_runs_of_one_model_and_its_settings(store):
    store.entry("d2sta", seeds=(0, 1))
    store.entry("mean", constant=True, closed_form=True)
    found = entries(store)
    assert sorted(found) == ["d2sta", "mean"]
    d2sta = found["d2sta"]
    assert (d2sta.exercises, d2sta.seeds, d2sta.folds) == (["1", "5"], [0, 1], [0, 1])
    assert d2sta.complete
    assert len(d2sta.runs) == d2sta.expected == 8
    assert d2sta.builtin
    assert [(t.exercise, t.seed, len(t)) for t in d2sta.tables] == [
        ("1", 0, 12), ("1", 1, 12), ("5", 0, 12), ("5", 1, 12),
    ]  # fmt: skip


def test_other_settings_are_another_entry_that_names_them(store):
    store.entry("d2sta")
    store.entry("d2sta", params={"groups": 3}, trainer={"lr": 0.5, "device": "cuda"})
    store.entry("d2sta", params={"groups": 4, "heads": 2, "mask_hidden": 1, "dropout": 0.5,
                                 "order": "groups-first", "motion": "input"})  # fmt: skip
    found = entries(store)
    assert set(found) == {
        "d2sta",
        "d2sta (groups=3, trainer.lr=0.5)",
        "d2sta (dropout=0.5, groups=4, heads=2, mask_hidden=1, 2 more)",
    }
    assert found["d2sta (groups=3, trainer.lr=0.5)"].settings == {"groups": 3, "trainer.lr": 0.5}


def test_a_closed_form_model_has_no_trainer(store):
    store.entry("mean", closed_form=True, trainer={"lr": 0.1})
    assert list(entries(store)) == ["mean"]


def test_models_of_the_same_name_are_told_apart_by_their_owner(store):
    store.entry("tempo", owner="tempo-wheel 0.2")
    store.entry("tempo", owner="/home/somebody/tempo.py", params={"width": 2})
    assert set(entries(store)) == {
        "tempo from tempo-wheel",
        "tempo from tempo.py (width=2)",
    }


def test_a_model_that_is_registered_nowhere_is_named_by_what_differs(store):
    store.entry("tempo", owner="tempo 0.1", params={"width": 8})
    store.entry("tempo", owner="tempo 0.1", params={"width": 9}, trainer={"epochs": 3})
    names = set(entries(store))
    assert len(names) == 2
    assert any("trainer.epochs=3" in name for name in names)


def test_what_is_missing_is_said(store):
    store.entry("d2sta", seeds=(0, 1))
    for path in store.entry("stgcn"):
        if "/5/" in str(path):
            shutil.rmtree(path)
    store.run("stgcn", "1", 0, seed=3)
    found = entries(store)
    assert found["d2sta"].complete
    assert not found["stgcn"].complete
    assert found["stgcn"].expected == 8
    assert found["stgcn"].missing == [
        "all folds of exercise 5, seed 0",
        "fold 1 of exercise 1, seed 3",
        "all folds of exercise 5, seed 3",
    ]


def test_missing_folds_are_seen_although_no_entry_has_them(make_store):
    store = make_store(folds=5)
    store.run("d2sta", "1", 0)
    (entry,) = all_entries(store.root)
    assert entry.missing == ["folds 1-4 of exercise 1, seed 0"]


def test_leaving_one_person_out_has_as_many_folds_as_people(make_store):
    store = make_store(protocol="leave-one-person-out", exercises=("1",), persons=6)
    for fold in range(5):
        store.run("mean", "1", fold, closed_form=True)
    (entry,) = all_entries(store.root)
    assert entry.missing == ["fold 5 of exercise 1, seed 0"]


def test_other_data_and_other_protocols_are_never_mixed(make_store):
    one = make_store()
    one.entry("d2sta")
    one.entry("stgcn")
    make_store(fingerprint="e" * 64).entry("d2sta")
    make_store(overrides=["protocol.frames=50"]).entry("d2sta")
    groups, _ = read_groups(one.root)
    assert [len(group.entries) for group in groups] == [2, 1, 1]
    assert groups[0].key.fingerprint == "f" * 64
    assert all(
        BoardKey.of(entry.runs[0]) == group.key for group in groups for entry in group.entries
    )
    assert sorted(groups[0].others.values()) == [4, 4]


def test_dataset_protocol_and_exercise_choose(make_store):
    store = make_store()
    store.entry("d2sta")
    make_store(protocol="d2sta-paper", pieces=10).entry("mean")
    assert list(entries(store, protocol="d2sta-paper")) == ["mean"]
    assert entries(store, dataset="uiprmd-vicon") == {}
    (group,) = read_groups(store.root, protocol="person-kfold", exercise="5")[0]
    assert list(group.folds) == ["5"]
    assert group.entries[0].complete


def test_an_entry_under_another_split_is_not_compared(store):
    store.entry("d2sta")
    store.entry("stgcn")
    path = store.entry("aagcn")[0]
    edit(path, split_hash="0" * 64)
    found = entries(store)
    assert found["d2sta"].complete
    assert not found["aagcn"].missing
    assert not found["aagcn"].complete
    assert "another split" in found["aagcn"].objection


def test_an_entry_with_other_true_scores_is_not_compared(store):
    store.entry("d2sta")
    store.entry("stgcn")
    path = store.entry("aagcn")[0]
    table = path / "predictions.csv"
    lines = table.read_text().splitlines()
    *cells, _, predicted, deviation = lines[-1].split(",")
    table.write_text(
        "\n".join([*lines[:-1], ",".join([*cells, "1.5", predicted, deviation])]) + "\n"
    )
    assert "people or true scores are not those" in entries(store)["aagcn"].objection


def test_a_copied_folder_counts_once(store):
    path = store.entry("d2sta")[0]
    shutil.copytree(path, store.root / "kimore" / "1" / "copied")
    (group,) = read_groups(store.root)[0]
    assert len(group.entries[0].runs) == 4
    assert len(group.copies) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 0}, "schema 0"),
        ({"model__name": None}, "damaged: model.name is None, expected text"),
        ({"dataset__params": 3}, "damaged"),
        ({"baseline_score": "much"}, "damaged"),
        ({"fold": None}, "damaged"),
        ({"protocol": []}, "damaged"),
    ],
)
def test_a_damaged_record_is_reported_and_the_rest_ranked(store, changes, words):
    store.entry("d2sta")
    edit(store.run("stgcn", "1"), **changes)
    groups, unreadable = read_groups(store.root)
    assert [entry.name for entry in groups[0].entries] == ["d2sta"]
    assert len(unreadable) == 1
    assert words in unreadable[0].reason


def test_damaged_files_are_reported(store):
    store.entry("d2sta")
    paths = [store.run("stgcn", e, f) for e in ("1", "5") for f in (0, 1)]
    (paths[0] / "run.json").write_text("{")
    (paths[1] / "predictions.csv").write_text("part,person\n")
    (paths[2] / "predictions.csv").unlink()
    edit(paths[3], trainer=[1, 2])
    groups, unreadable = read_groups(store.root)
    assert [entry.name for entry in groups[0].entries] == ["d2sta"]
    assert {bad.path for bad in unreadable} == set(paths)


def test_a_recording_without_a_person_counts_as_one(store):
    for path in store.entry("d2sta"):
        table = path / "predictions.csv"
        lines = [
            ",".join([cells[0], "unknown", *cells[2:]])
            for cells in (line.split(",") for line in table.read_text().splitlines()[1:])
        ]
        table.write_text(
            "\n".join(["part,person,group,recording,sample,true,predicted,deviation", *lines])
        )
    (entry,) = all_entries(store.root)
    assert len(set(entry.tables[0].person)) == 12


def test_pieces_are_averaged_or_scored_by_themselves(make_store):
    averaged = make_store(pieces=3)
    averaged.entry("d2sta")
    single = make_store(pieces=3, overrides=["protocol.aggregate=none"])
    single.entry("d2sta")
    rows = {entry.protocol.aggregate: len(entry.tables[0]) for entry in all_entries(single.root)}
    assert rows == {"mean": 12, "none": 36}


def test_no_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such folder of runs"):
        all_entries(tmp_path / "nothing")
    assert all_entries(tmp_path) == []


def test_numbers_in_words():
    assert spans([4, 0, 1, 2]) == "0-2, 4"
    assert spans([7]) == "7"
    assert spans([]) == ""
    assert fold_words([3]) == "fold 3"
    assert fold_words([0, 1]) == "folds 0-1"
    assert sorted(["m10", "10", "2", "all"], key=natural) == ["2", "10", "all", "m10"]

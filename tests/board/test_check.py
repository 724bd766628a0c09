"""A store that was edited by hand: each kind of edit is caught, and a sound store is not accused.

The edits are those of somebody who knows the folder and renews its hashes (`forge`).
"""

import copy
import json
import shutil
from pathlib import Path

import pytest

from zoo.board.check import check_store
from zoo.build import to_plain
from zoo.files import file_hash, to_json
from zoo.runs.run import load_run


@pytest.fixture(scope="module")
def sound(store_maker, tmp_path_factory):
    store = store_maker(tmp_path_factory.mktemp("sound") / "runs")
    store.entry("d2sta", seeds=(0, 1))
    store.entry("stgcn")
    store.entry("mean", constant=True, closed_form=True)
    return store


@pytest.fixture
def store(sound, tmp_path):
    copied = copy.copy(sound)
    copied.root = Path(shutil.copytree(sound.root, tmp_path / "runs"))
    return copied


@pytest.fixture
def victim(store):
    return next(iter(sorted(store.root.glob("kimore/5/*/d2sta/fold0-seed0-*"))))


def faults(store):
    runs, findings = check_store(store.root)
    assert runs == 16
    return {f.fault for f in findings}, {f.path for f in findings}


def read(path, name="run.json"):
    return json.loads((path / name).read_text())


def forge(path, *, metrics=True, **record):
    """Change ``run.json`` and renew in it the hashes and, if asked, the metrics."""
    found = read(path)
    for key, value in record.items():
        place = found
        *way, last = key.split("__")
        for step in way:
            place = place[step]
        place[last] = value
    if metrics:
        predictions = load_run(path).scores
        how = found["protocol"]["aggregate"]
        mean = found["baseline_score"]
        for part in found["metrics"]:
            table = predictions.of(part)
            found["metrics"][part] = table.metrics(how)
            found["baseline"][part] = table.with_predicted(mean).metrics(how)
    for name in found["files"]:
        found["files"][name] = file_hash(path / name)
    (path / "run.json").write_bytes(to_json(to_plain(found)))


def change_column(path, column, change, part="test"):
    table = path / "predictions.csv"
    head, *rows = table.read_text().splitlines()
    cells = [row.split(",") for row in rows]
    for row in cells:
        if row[0] == part:
            row[column] = change(row)
    table.write_text("\n".join([head, *(",".join(row) for row in cells)]) + "\n")


def better(row):
    """A prediction halfway between the one that was made and the truth."""
    return repr((float(row[5]) + float(row[6])) / 2)


def test_a_sound_store_has_no_findings(store):
    assert faults(store) == (set(), set())


def test_a_sound_leaky_store_has_no_findings(make_store):
    store = make_store(protocol="d2sta-paper", pieces=10)
    store.entry("d2sta", seeds=(0, 1))
    assert check_store(store.root)[1] == []


def test_the_training_mean_of_a_refit_is_that_of_everybody_trained_on(make_store):
    store = make_store(protocol="person-kfold-refit")
    store.entry("gru")
    assert check_store(store.root)[1] == []


def test_a_changed_metric(store, victim):
    record = read(victim)
    record["metrics"]["test"]["recording"]["mad"] = 0.1
    (victim / "run.json").write_bytes(to_json(record))
    said, paths = faults(store)
    assert paths == {victim}
    assert any("metrics.test.recording.mad is stored as 0.1" in fault for fault in said)


def test_a_changed_baseline(store, victim):
    record = read(victim)
    record["baseline"]["test"]["sample"]["rmse"] = 99.0
    (victim / "run.json").write_bytes(to_json(record))
    said, paths = faults(store)
    assert paths == {victim}
    assert any("baseline.test.sample.rmse is stored as 99" in fault for fault in said)


def test_a_defined_metric_in_place_of_an_undefined_one(store):
    path = next(store.root.glob("kimore/5/*/mean/fold0-*"))
    record = read(path)
    record["metrics"]["test"]["recording"]["spearman"] = 0.9
    (path / "run.json").write_bytes(to_json(record))
    said, paths = faults(store)
    assert paths == {path}
    assert any("the predictions give nan" in fault for fault in said)


def test_changed_predictions(store, victim):
    change_column(victim, 6, better)
    said, paths = faults(store)
    assert paths == {victim}
    assert "predictions.csv is no longer what the run wrote" in said


def test_changed_predictions_with_a_new_hash(store, victim):
    change_column(victim, 6, better)
    forge(victim, metrics=False)
    said, paths = faults(store)
    assert paths == {victim}
    assert any("metrics.test.recording.mad is stored as" in fault for fault in said)


def test_changed_validation_predictions_with_new_hashes_and_metrics(store, victim):
    history = (victim / "history.csv").read_text().replace("1,,,,", f"1,0.1,0.5,{mad(victim)},")
    (victim / "history.csv").write_text(history)
    forge(victim)
    assert faults(store) == (set(), set())
    change_column(victim, 6, better, part="validation")
    forge(victim)
    said, paths = faults(store)
    assert paths == {victim}
    assert any(fault.startswith("the validation MAD was") for fault in said)


def mad(path):
    return load_run(path).record.metrics["validation"]["recording"]["mad"]


def test_changed_true_scores_with_new_hashes_and_metrics(store, victim):
    change_column(victim, 5, lambda row: row[6])
    forge(victim)
    said, paths = faults(store)
    assert victim in paths
    assert any("the true score of P000/Es5 is" in fault for fault in said)


def test_a_person_under_another_name(store, victim):
    change_column(victim, 1, lambda row: "P001" if row[1] == "P000" else row[1])
    forge(victim)
    said, _ = faults(store)
    assert "predictions.csv: the test people are not those of split.json" in said
    assert any("P000/Es5 is by P001" in fault for fault in said)


def test_left_out_samples_with_new_hashes_and_metrics(store, victim):
    table = victim / "predictions.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-2]) + "\n")
    forge(victim)
    said, _ = faults(store)
    assert "predictions.csv: the test samples are not those of split.json" in said


def test_another_split_with_new_hashes(store, victim):
    split = read(victim, "split.json")
    moved = split["train"]["samples"].pop()
    split["test"]["samples"].append(moved)
    (victim / "split.json").write_text(json.dumps(split))
    forge(victim)
    said, _ = faults(store)
    assert "the split's hash in split.json is not the one of its samples" in said
    assert "the split's hash in run.json is not the one of its samples" in said
    assert "predictions.csv: the test samples are not those of split.json" in said


def test_a_person_on_both_sides(store, victim):
    split = read(victim, "split.json")
    split["train"]["persons"].append(split["test"]["persons"][0])
    (victim / "split.json").write_text(json.dumps(split))
    forge(victim)
    said, _ = faults(store)
    assert any("stand in train and test" in fault for fault in said)


def test_another_mean_score_with_new_hashes_and_metrics(store, victim):
    forge(victim, baseline_score=10.0)
    said, paths = faults(store)
    assert paths == {victim}
    assert any("its mean training score is 10 and" in fault for fault in said)


def test_another_mean_score_in_every_run_is_found_from_the_scores_themselves(store):
    for path in store.root.glob("kimore/5/*/*/fold0-*"):
        forge(path, baseline_score=10.0)
    said, paths = faults(store)
    assert len(paths) == 4
    assert any("the scores that other runs were tested on give" in fault for fault in said)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 7}, "differ in seed: 7 in run.json, 0 now"),
        ({"fold": 1}, "differ in fold: 1 in run.json, 0 now"),
        ({"model__name": "stgcn"}, "differ in model.name"),
        ({"protocol__leaky": True}, "protocol.leaky is True in run.json and False"),
        ({"protocol__aggregate": "median"}, "protocol.aggregate is 'median' in run.json"),
        ({"dataset__params": {"exercise": "1"}}, "differ in dataset.exercise"),
        ({"dataset__fingerprint": "0" * 64}, "key_hash is not the one"),
        ({"protocol__hash": "0" * 64}, "protocol's hash is not the one"),
        ({"key_hash": "0" * 64}, "key_hash is not the one of its settings"),
        ({"split_hash": "0" * 64}, "split's hash in run.json is not the one"),
        ({"counts__test__persons": 60}, "test has"),
        ({"epochs__trained": 60}, "run.json has 60 epochs and history.csv 2"),
        ({"durations__train": 0.01}, "run.json has 0.01 s of training"),
        ({"files": {}}, "run.json keeps no hash of predictions.csv"),
        ({"schema": 9}, "schema 9"),
        ({"epochs": None}, "epochs is None, expected keys and values"),
    ],
)
def test_a_changed_record_with_new_hashes(store, victim, change, words):
    forge(victim, metrics=False, **change)
    said, paths = faults(store)
    assert victim in paths
    assert any(words in fault for fault in said), said


def test_changed_settings_with_new_hashes(store, victim):
    config = victim / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 30", "epochs: 3000"))
    forge(victim)
    said, _ = faults(store)
    assert "its key_hash is not the one of its settings and data" in said


def test_changed_settings_of_the_protocol_with_a_new_key(store, victim):
    config = victim / "config.yaml"
    config.write_text(config.read_text().replace("folds: 2", "folds: 3"))
    forge(victim)
    said, _ = faults(store)
    assert any("protocol's hash is not the one of the settings in config.yaml" in s for s in said)


def test_another_models_checkpoint(store, victim):
    other = next(store.root.glob("kimore/5/*/stgcn/fold0-seed0-*"))
    shutil.copy(other / "checkpoint.json", victim)
    (victim / "checkpoint.safetensors").write_bytes(b"other tensors")
    forge(victim)
    said, paths = faults(store)
    assert paths == {victim}
    assert any("checkpoint.json is of another run" in fault for fault in said)
    assert any("is not about the checkpoint.safetensors" in fault for fault in said)


def test_a_seed_that_is_a_copy_of_another(store, victim):
    twin = next(victim.parent.glob("fold0-seed1-*"))
    shutil.copy(victim / "predictions.csv", twin)
    forge(twin)
    said, paths = faults(store)
    assert paths == {victim, twin}
    assert any("to the last digit, and both were trained" in fault for fault in said)


def test_a_missing_file_and_a_renamed_folder(store, victim):
    (victim / "history.csv").unlink()
    victim.rename(victim.with_name("best"))
    said, _ = faults(store)
    assert "history.csv is missing" in said
    assert any("is kept in a folder called fold0-seed0-" in fault for fault in said)


def test_missing_folds(store, victim):
    shutil.rmtree(victim)
    _, findings = check_store(store.root)
    assert [f.fault for f in findings] == [
        "kimore, person-kfold: d2sta lacks fold 0 of exercise 5, seed 0"
    ]
    assert findings[0].path == store.root


def test_mixed_fingerprints_and_protocols(make_store):
    store = make_store()
    store.entry("d2sta")
    make_store(fingerprint="e" * 64).entry("stgcn")
    make_store(overrides=["protocol.frames=50"]).entry("aagcn")
    said = {f.fault for f in check_store(store.root)[1]}
    assert any("two fingerprints lie together" in fault for fault in said)
    assert any("two protocol hashes lie together" in fault for fault in said)


def test_a_copied_folder(store, victim):
    shutil.copytree(victim, store.root / "kimore" / "5" / "copy" / victim.name)
    _, findings = check_store(store.root)
    assert any("another run of the same settings" in f.fault for f in findings)


def test_a_folder_that_cannot_be_read(store, victim):
    (victim / "run.json").write_text("[]")
    said, paths = faults(store)
    assert victim in paths
    assert any("expected a JSON object" in fault for fault in said)


def test_predicting_anew_is_asked_for_each_run(store):
    asked = []
    _, findings = check_store(
        store.root, again=lambda path: not asked.append(path) and "mean" not in str(path)
    )
    assert len(asked) == 16
    assert {f.fault for f in findings} == {"its checkpoint does not give the stored predictions"}
    assert len(findings) == 4

import json
import math
import re

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from zoo.build import to_plain
from zoo.errors import DataError
from zoo.files import to_json
from zoo.runs.environment import hardware, versions
from zoo.runs.folder import RunFolder
from zoo.runs.record import Source, changed_settings
from zoo.runs.run import load_run, pooled_metrics, versus_mean_score

FILES = {
    "history.csv": b"epoch,lr,loss,validation_mad,seconds\n1,0.1,,2.5,0.2\n",
    "split.json": b'{"hash": "s"}',
    "config.yaml": b"model:\n  name: toy\n",
}


@pytest.fixture
def record(make_record):
    undefined = {"recording": {"mad": 2.0, "spearman": math.nan}, "sample": {"mad": 3.0}}
    return make_record(metrics={"test": undefined}, protocol__leaky=True)


@pytest.fixture
def path(tmp_path, record):
    folder = RunFolder(tmp_path / "run")
    folder.begin()
    folder.finish(FILES, to_plain(record))
    folder.end()
    return tmp_path / "run"


def test_a_run_is_read_back(path, record):
    run = load_run(str(path))
    assert run.test["mad"] == 2.0
    assert math.isnan(run.test["spearman"])
    assert run.leaky
    assert run.place == ("5", 2, 0)
    assert run.digits == 2
    assert run.record.config == record.config
    assert run.split == {"hash": "s"}
    (row,) = run.history
    assert (row["epoch"], row["validation_mad"]) == (1, 2.5)
    assert math.isnan(row["loss"])
    assert to_plain(run.record) == {
        **to_plain(record), "files": json.loads((path / "run.json").read_text())["files"],
    }  # fmt: skip


def test_its_configuration_is_the_one_it_was_made_from(record):
    assert record.config == {
        "model": {"name": "d2sta"},
        "dataset": {"name": "kimore", "exercise": "5"},
        "protocol": {"name": "person-kfold", "frames": 100, "split": {"folds": 5}},
        "trainer": {"epochs": 2},
        "seed": 0,
        "fold": 2,
    }


def test_altered_and_missing_files_are_named(path):
    run = load_run(path)
    assert run.altered_files() == []
    (path / "config.yaml").write_bytes(b"model:\n  name: other\n")
    (path / "split.json").unlink()
    assert run.altered_files() == ["config.yaml", "split.json"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 3}, "run.json has schema 3, this zoo reads 2"),
        ({"metrics": None}, "run.json is damaged: metrics is None, expected keys and values"),
        ({"metrics": {}}, "damaged: metrics.test.recording lacks mad"),
        ({"metrics": {"test": {"recording": 5}}}, "metrics.test.recording is 5, expected keys"),
        ({"metrics": {"test": {"recording": {"mad": "2"}}}}, "mad is '2', expected a number"),
        ({"baseline": []}, "damaged: baseline is [], expected keys and values"),
        ({"files": 3}, "damaged: files is 3, expected keys and values"),
        ({"protocol": "x"}, "damaged: protocol is 'x', expected keys and values"),
        ({"seed": "0"}, "damaged: seed is '0', expected a whole number"),
        ({"fold": True}, "damaged: fold is True, expected a whole number"),
        ({"sede": 1}, "damaged: has no key 'sede'. Did you mean 'seed'"),
    ],
)
def test_a_damaged_record_is_refused(path, change, words):
    record = json.loads((path / "run.json").read_text())
    (path / "run.json").write_bytes(to_json({**record, **change}))
    with pytest.raises(DataError, match=re.escape(words)):
        load_run(path)


def test_missing_keys_and_foreign_files_are_refused(path, tmp_path):
    record = json.loads((path / "run.json").read_text())
    del record["split_hash"], record["seed"], record["model"]["source"]["class"]
    (path / "run.json").write_bytes(to_json(record))
    with pytest.raises(DataError, match=r"run\.json is damaged: model\.source lacks class"):
        load_run(path)
    record["model"]["source"]["class"] = "toy:Toy"
    (path / "run.json").write_bytes(to_json(record))
    with pytest.raises(DataError, match=r"run\.json is damaged: lacks split_hash, seed"):
        load_run(path)
    (path / "run.json").write_bytes(b"\x80\x04")
    with pytest.raises(DataError, match="no JSON"):
        load_run(path)
    with pytest.raises(DataError, match=r"is no run folder: it has no run\.json"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("owner", "provider", "builtin"),
    [
        ("skeleton-zoo 0.1.0", "skeleton-zoo", True),
        ("somebody 2.0", "somebody", False),
        ("/home/x/my_model.py", "my_model.py", False),
        ("C:\\x\\my_model.py", "my_model.py", False),
        (None, "unknown", False),
    ],
)
def test_who_provides_a_model(owner, provider, builtin):
    source = Source(owner, "a:B", None)
    assert (source.provider, source.builtin) == (provider, builtin)


@pytest.mark.parametrize(
    ("tags", "family"),
    [(("graph",), "graph"), (("attention", "trivial"), "trivial"), ((), "other")],
)
def test_the_first_tag_that_names_a_family_decides(make_record, tags, family):
    assert make_record(model__tags=tags).model.family == family


@pytest.mark.parametrize(("span", "digits"), [((0.0, 50.0), 2), ((0.0, 1.0), 4)])
def test_decimals_follow_the_range_of_the_scores(make_record, span, digits):
    assert make_record(dataset__score_range=span).dataset.digits == digits


def test_what_differs_from_the_defaults_is_kept_as_it_was():
    usual = {
        "model": {"name": "m", "width": 8, "streams": ("position",)},
        "dataset": {"name": "d", "exercise": "1", "people": 10},
        "trainer": {"epochs": 60, "lr": 0.1, "device": "auto"},
    }
    config = {
        "model": {"name": "m", "width": 9, "streams": ["position"], "head": "usdl"},
        "dataset": {"name": "d", "exercise": "5", "people": 10},
        "trainer": {"epochs": 5, "lr": 0.1, "device": "cpu", "init_from": None},
    }
    changed = {"width": 9, "head": "usdl"}
    assert changed_settings(config, usual) == {**changed, "trainer.epochs": 5}
    assert changed_settings(config, usual, closed_form=True) == changed


def test_the_environment_names_versions_and_hardware_but_not_the_machine():
    assert versions()["numpy"].count(".") == 2
    assert set(versions()) == {
        "python", "skeleton-zoo", "torch", "torch-geometric", "numpy", "scipy", "safetensors",
    }  # fmt: skip
    assert set(hardware()) == {"system", "machine", "processor", "cores", "memory_gb"}
    assert hardware()["cores"] >= 1


def test_runs_are_judged_against_the_mean_score_person_by_person(make_store):
    store = make_store(persons=24)
    good = [load_run(store.run("gru", "5", fold, error=1.0)) for fold in (0, 1)]
    found = versus_mean_score(good)
    assert found.word == "better"
    mads = [np.mean([r.test["mad"] - r.baseline_test["mad"] for r in good])]
    assert found.difference == pytest.approx(mads[0], abs=1e-4)
    assert versus_mean_score(good[:1]).difference < 0
    mean = load_run(store.run("mean", "5", 0, constant=True, closed_form=True))
    assert versus_mean_score([mean]).word == "no clear difference"


def test_nothing_is_said_of_a_single_person(make_store):
    alone = load_run(make_store(persons=8, folds=8).run("gru", "5", 0))
    assert versus_mean_score([alone]) is None


def test_right_and_wrong_have_an_auc_over_all_folds(make_store):
    store = make_store(persons=24, dataset="irds-simplified", exercises=("0",))
    runs = [load_run(store.run("gru", "0", fold, error=0.3)) for fold in (0, 1)]
    assert versus_mean_score(runs) is None
    pooled = pooled_metrics(runs)
    assert list(pooled) == ["auc", "mad", "rmse", "balanced-accuracy", "f1"]
    true = np.concatenate([run.tested.true for run in runs])
    predicted = np.concatenate([run.tested.predicted for run in runs])
    assert pooled["auc"] == pytest.approx(roc_auc_score(true, predicted))
    assert pooled_metrics(runs, baseline=True)["auc"] == 0.5

import json
import math

import pytest

from zoo.errors import DataError
from zoo.files import to_json
from zoo.runs.environment import hardware, versions
from zoo.runs.folder import RunFolder
from zoo.runs.run import load_run, without_nan

METRICS = {"recording": {"mad": 2.0, "spearman": None}, "segment": {"mad": 3.0, "spearman": 0.5}}
RECORD = {
    "schema": 1,
    "model": {"name": "toy"},
    "dataset": {"name": "toy"},
    "protocol": {"name": "p", "leaky": True},
    "split_hash": "s",
    "key_hash": "k",
    "seed": 0,
    "fold": 0,
    "metrics": {"test": METRICS},
    "baseline": {"test": {"recording": {"mad": 4.0, "spearman": None}, "segment": {"mad": 5.0}}},
}
FILES = {
    "history.csv": b"epoch,lr,loss,validation_mad,seconds\n1,0.1,,2.5,0.2\n",
    "split.json": b'{"hash": "s"}',
    "config.yaml": b"model:\n  name: toy\n",
}


@pytest.fixture
def path(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin()
    folder.finish(FILES, RECORD)
    folder.end()
    return tmp_path / "run"


def test_a_run_is_read_back(path):
    run = load_run(str(path))
    assert run.test["mad"] == 2.0
    assert math.isnan(run.test["spearman"])
    assert run.improvement == 0.5
    assert run.leaky
    assert run.config == {"model": {"name": "toy"}}
    assert run.split == {"hash": "s"}
    (row,) = run.history
    assert (row["epoch"], row["validation_mad"]) == (1, 2.5)
    assert math.isnan(row["loss"])


def test_altered_and_missing_files_are_named(path):
    run = load_run(path)
    assert run.altered_files() == []
    (path / "config.yaml").write_bytes(b"model:\n  name: other\n")
    (path / "split.json").unlink()
    assert run.altered_files() == ["config.yaml", "split.json"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, "has schema 2, this zoo reads 1"),
        ({"metrics": None}, "is damaged"),
        ({"metrics": {}}, "is damaged"),
        ({"metrics": {"test": {"recording": 5}}}, "is damaged"),
        ({"baseline": []}, "is damaged"),
        ({"files": 3}, "is damaged"),
        ({"protocol": "x"}, "is damaged"),
    ],
)
def test_a_damaged_record_is_refused(path, change, words):
    record = json.loads((path / "run.json").read_text())
    (path / "run.json").write_bytes(to_json({**record, **change}))
    with pytest.raises(DataError, match=words):
        load_run(path)


def test_missing_keys_and_foreign_files_are_refused(path, tmp_path):
    record = json.loads((path / "run.json").read_text())
    del record["split_hash"], record["seed"]
    (path / "run.json").write_bytes(to_json(record))
    with pytest.raises(DataError, match=r"split_hash, seed missing.*--overwrite"):
        load_run(path)
    (path / "run.json").write_bytes(b"\x80\x04")
    with pytest.raises(DataError, match="no JSON"):
        load_run(path)
    with pytest.raises(DataError, match=r"is no run folder: it has no run\.json"):
        load_run(tmp_path)


def test_what_json_has_no_word_for_becomes_null():
    assert without_nan({1: [math.nan, (math.inf, 2.0)], "a": {"b": "x"}}) == {
        "1": [None, [None, 2.0]],
        "a": {"b": "x"},
    }


def test_the_environment_names_versions_and_hardware_but_not_the_machine():
    assert versions()["numpy"].count(".") == 2
    assert set(versions()) == {
        "python", "skeleton-zoo", "torch", "torch-geometric", "numpy", "scipy", "safetensors",
    }  # fmt: skip
    assert set(hardware()) == {"system", "machine", "processor", "cores", "memory_gb"}
    assert hardware()["cores"] >= 1

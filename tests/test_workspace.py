"""A session: the folds a protocol has on a dataset, and the data of each."""

import pytest

import zoo
from zoo.compose import compose
from zoo.errors import ConfigError, LeakageError
from zoo.workspace import Session, Workspace

QUICK = ["protocol.frames=16"]
SIMULATED = ["dataset.people=10", "dataset.repetitions=2"]


def session(trained, protocol="person-kfold", *overrides, dataset="kimore") -> Session:
    config = compose(
        model="mean", dataset=dataset, protocol=protocol, overrides=[*QUICK, *overrides]
    )
    return Workspace("runs", trained.data_root).open(config)


@pytest.mark.parametrize(
    ("protocol", "overrides", "folds"),
    [
        ("person-kfold", [], 5),
        ("person-kfold", ["protocol.split.folds=3", "protocol.split.repeats=2"], 6),
        ("leave-one-person-out", [], 15),
        ("person-holdout", ["protocol.split.repeats=4"], 4),
        ("random-kfold", [], 10),
        ("d2sta-paper", [], 1),
    ],
)
def test_number_of_folds(trained, protocol, overrides, folds):
    assert session(trained, protocol, *overrides).num_folds == folds


def test_everybody_is_left_out_once(trained):
    whole = session(trained, "leave-one-person-out")
    folds = [whole.fold(k) for k in range(whole.num_folds)]
    assert [fold.split.persons("test") for fold in folds] == [[p] for p in whole.dataset.subjects]
    with pytest.raises(ConfigError, match="no fold 15"):
        whole.fold(15)


def test_trained_on_one_dataset_and_tested_on_another(trained, tmp_path):
    settings = ["protocol.split.dataset=kimore", *SIMULATED]
    with pytest.raises(LeakageError, match="8 of 15 test persons also stand in training"):
        session(trained, "cross-dataset", *settings, dataset="synthetic").fold(0)
    settings.append("protocol.split.people=apart")
    whole = session(trained, "cross-dataset", *settings, dataset="synthetic")
    assert whole.num_folds == 1
    fold = whole.fold(0)
    assert len(fold.split.persons("train")) == 8
    assert len(fold.split.persons("validation")) == 2
    assert all(person.startswith("kimore:") for person in fold.split.persons("test"))
    run = zoo.train(
        "mean", "synthetic", protocol="cross-dataset",
        overrides=[*QUICK, *settings], runs=tmp_path, data_root=trained.data_root,
    )  # fmt: skip
    assert run.record.counts["test"].persons == 15
    assert run.record.dataset.fingerprint == whole.dataset.fingerprint
    assert zoo.evaluate(run, data_root=trained.data_root).agrees


def test_a_sweep_and_a_single_training_give_the_same_bits(tmp_path):
    few = {
        "dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 16, "trainer.epochs": 2,
        "model.channels": [8, 8], "model.strides": [1, 2],
    }  # fmt: skip
    where = {"overrides": few, "data_root": tmp_path / "data"}
    alone = zoo.train("stgcn-small", exercise="5", runs=tmp_path / "a", **where)
    zoo.bench(
        ["stgcn-small"], exercises=["5"], folds=[0], seeds=[0], runs=tmp_path / "b", jobs=1, **where
    )
    swept = tmp_path / "b" / alone.path.relative_to(tmp_path / "a")
    for name in ("predictions.csv", "checkpoint.safetensors"):
        assert (swept / name).read_bytes() == (alone.path / name).read_bytes()
    assert alone.record.sessions[0]["threads"] == 1

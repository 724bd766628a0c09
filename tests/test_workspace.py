"""A session: the folds a protocol has on a dataset, and the data of each."""

import pytest

import zoo
from zoo.board.naming import names
from zoo.compose import compose, compose_start, written
from zoo.errors import ConfigError, LeakageError
from zoo.runs.find import finished_runs
from zoo.runs.identity import Identity
from zoo.runs.run import Run, load_run
from zoo.runs.verify import run_faults
from zoo.workspace import Session, Workspace, check_run

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


FEW = {
    "dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 16, "trainer.epochs": 2,
    "model.channels": [8, 8], "model.strides": [1, 2],
}  # fmt: skip


def started(tmp_path, **start) -> Run:
    """A network that starts from the run that `start` describes."""
    return zoo.train(
        "stgcn-small", exercise="5", runs=tmp_path / "runs", data_root=tmp_path / "data",
        overrides={**FEW, "trainer.init_from": start, "trainer.init_head": "fresh"}, resume=True,
    )  # fmt: skip


def test_a_run_to_start_from_is_trained_if_it_is_not_there(tmp_path):
    start = {"set": {"trainer.epochs": 3}}
    run = started(tmp_path, **start)
    folders = finished_runs(tmp_path / "runs")
    (source,) = [found for found in map(load_run, folders) if found.path != run.path]
    assert source.record.config["trainer"]["epochs"] == 3
    assert source.record.init_from is None
    assert (source.fold, source.seed) == (run.fold, run.seed)
    assert run.record.init_from.key_hash == source.record.key_hash
    said = run.record.config["trainer"]["init_from"]
    assert said == {**start, "run": source.record.key_hash}
    stamp = (source.path / "run.json").stat().st_mtime_ns
    # It is known before anything is trained.
    config = compose(
        model="stgcn-small", exercise="5", data_root=tmp_path / "data",
        overrides=written(
            {**FEW, "trainer.init_from": start, "trainer.init_head": "fresh"}
        ),
    )  # fmt: skip
    workspace = Workspace(tmp_path / "elsewhere", tmp_path / "data")
    assert workspace.key(config).hash == run.record.key_hash
    assert started(tmp_path, **start).path == run.path
    assert (source.path / "run.json").stat().st_mtime_ns == stamp


def test_folds_that_start_from_runs_of_their_own_are_one_entry(tmp_path):
    start = {"set": {"trainer.epochs": 1}}
    where = {"runs": tmp_path / "runs", "data_root": tmp_path / "data"}
    zoo.bench(
        ["stgcn-small"], exercises=["5"], folds=[0, 1], seeds=[0], jobs=1,
        overrides={**FEW, "trainer.init_from": start}, **where,
    )  # fmt: skip
    runs = [load_run(found) for found in finished_runs(tmp_path / "runs")]
    begun = [run for run in runs if run.record.init_from is not None]
    assert len(runs) == 4
    assert len({run.record.init_from.key_hash for run in begun}) == 2
    (entry,) = {Identity.of(run) for run in begun}
    ((_, differing),) = names({entry: begun}).values()
    assert differing["trainer.init_from"] == start
    assert all(not run_faults(run.path) for run in begun)


def test_a_run_of_another_dataset_is_its_first_fold(tmp_path):
    config = compose(
        model="stgcn", dataset="kimore", exercise="5", fold=3, seed=2,
        overrides=written({"model.dropout": 0.1, "trainer.lr": 0.5, "trainer.init_head": "fresh",
                           "trainer.init_from": {"dataset": "synthetic", "exercise": 2}}),
    )  # fmt: skip
    start = compose_start(config)
    assert start["dataset"] == {**compose(model="mean")["dataset"], "exercise": "2"}
    assert (start["fold"], start["seed"]) == (0, 2)
    assert start["protocol"] == config["protocol"]
    assert start["model"] == config["model"]
    assert start["trainer"]["lr"] == 0.5
    assert not {"init_from", "init_head"} & set(start["trainer"])
    assert compose_start(start) is None


def test_a_run_of_another_model_has_its_settings():
    config = compose(model="stgcn", overrides=['trainer.init_from={"model": "d2sta-small"}'])
    start = compose_start(config)
    own = compose(model="d2sta-small")
    assert (start["model"], start["trainer"]) == (own["model"], own["trainer"])


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"data": "synthetic"}, "trainer.init_from.*data.*dataset"),
        ({"fold": -1}, "trainer.init_from.fold"),
        ({"run": "runs/x"}, "trainer.init_from.*run"),
        ({"set": {"trainer.epoch": 3}}, "trainer.epoch.*trainer.epochs"),
    ],
)
def test_a_run_to_start_from_is_described_well(start, message):
    with pytest.raises(ConfigError, match=message):
        check_run(compose(model="stgcn", overrides=written({"trainer.init_from": start})))

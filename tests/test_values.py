"""Values from overrides, YAML and Python: taken as they are meant, or refused in one message."""

import contextlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zoo
from registry import UserError
from registry.yaml_files import read_value, to_yaml
from zoo.compose import compose, written
from zoo.errors import ConfigError
from zoo.training.config import TrainerConfig


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("fold=x", "fold is 'x', expected a whole number from 0"),
        ("fold={}", "fold is {}, expected a whole number from 0"),
        ("fold=true", "fold is True, expected a whole number from 0"),
        ("fold=-1", "fold is -1, expected a whole number from 0"),
        ("fold=1e-400", "'fold=1e-400': 1e-400 is too small to be told from 0"),
        ("fold=???", r"fold is '\?\?\?', expected a whole number from 0"),
        ("fold=010", "fold is '010', expected a whole number from 0"),
        ("seed=[1]", r"seed is \[1\], expected a whole number from 0"),
        ("seed=1.5", "seed is 1.5, expected a whole number from 0"),
        ("seed=true", "seed is True, expected a whole number from 0"),
        ("seed=1:30", "seed is '1:30', expected a whole number from 0"),
        ("seed=", "seed is None, expected a whole number from 0"),
        ("trainer=1", "trainer is 1, expected keys and values"),
        ("trainer.epochs=???", r"trainer.epochs is '\?\?\?', expected a whole number"),
        ("trainer.lr=1e400", "trainer.lr is inf, expected a number"),
        ("model=", "model is None, expected keys and values"),
        ("model.name=1", "model.name is 1: the model is chosen by its own argument"),
        ("model.groups=four", "model.groups is 'four', expected a whole number"),
        ("dataset.people=many", "people is 'many', expected a whole number"),
        ("dataset.exercise=[5]", r"exercise is \[5\], expected text"),
        ("protocol.transforms=", "transforms are None, expected a list"),
        ("protocol.frames=x", "frames is 'x', expected a whole number"),
    ],
)
def test_a_value_of_another_type_is_refused_in_one_message(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(model="d2sta", overrides=[override])


def test_an_exercise_is_text_however_it_is_written() -> None:
    made = [compose(model="mean", exercise="5"), compose(model="mean", exercise=5)]  # type: ignore[arg-type]
    made.append(compose(model="mean", overrides=["dataset.exercise=5"]))
    assert [config["dataset"]["exercise"] for config in made] == ["5"] * 3


def test_a_whole_number_is_the_number_the_trainer_has() -> None:
    assert compose(model="gru", overrides=["trainer.lr=1"])["trainer"]["lr"] == 1.0


HOSTILE = st.one_of(
    st.sampled_from(
        [
            "", "x", "???", "${oc.env:HOME}", "true", "yes", "null", "~", "0", "-1", "1.5",
            "1e-400", "1e400", "-0.0", ".nan", ".inf", "1:30", "0x10", "010", "1_000", "2020-01-01",
            "[]", "[1]", "[[1]]", "{}", "{a: 1}", "[", "{", "&a [*a]", "!!python/name:os.system",
            "!!set {a}", "!!binary aGk=", "é", "9" * 400, "9" * 5000, "'", '"', "a: b: c", "\x00",
            "[x, 1]", "{1: 2}",
        ]
    ),
    st.text(max_size=6),
    st.floats().map(str),
    st.integers().map(str),
)  # fmt: skip


def keys(node: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key, value in node.items():
        found.append(f"{prefix}{key}")
        found += keys(value, f"{prefix}{key}.") if isinstance(value, dict) else []
    return found


BASES = [
    {"model": "d2sta", "dataset": "synthetic"},
    {"model": "stgcn-small", "dataset": "uiprmd-vicon", "protocol": "leave-one-person-out"},
    {"model": "ridge-pose", "dataset": "keraal", "protocol": "random-kfold"},
    {"model": "skateformer", "dataset": "kimore", "protocol": "d2sta-paper"},
]


@cache
def every_key() -> list[tuple[dict[str, str], str]]:
    return [(base, key) for base in BASES for key in keys(compose(**base))]  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_key_takes_a_hostile_value_or_says_why_not(data: st.DataObject) -> None:
    base, key = data.draw(st.sampled_from(every_key()))
    with contextlib.suppress(UserError):  # everything else is a fault
        made = compose(**base, overrides=[f"{key}={data.draw(HOSTILE)}"])
        assert type(made["fold"]) is int
        assert type(made["seed"]) is int
        assert read_value(to_yaml(made)) == made
        TrainerConfig.from_dict(made["trainer"])


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES, ids=lambda base: str(base["model"]))
def test_every_key_with_every_hostile_value(base: dict[str, str]) -> None:
    values = [
        "",
        "x",
        "???",
        "true",
        "-1",
        "1.5",
        "1e400",
        ".nan",
        "1:30",
        "[]",
        "[1]",
        "{}",
        "&a [*a]",
    ]
    for key in keys(compose(**base)):  # type: ignore[arg-type]
        for value in values:
            with contextlib.suppress(UserError):  # everything else is a fault
                compose(**base, overrides=[f"{key}={value}"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [1e-5, 1e16, -0.5, "1e-3", "1:30", "null", "é\u2028😀", [1, [2.5]], {"a": None}, "", " x"],
)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    (text,) = written({"key": value})
    assert read_value(text.removeprefix("key=")) == value
    assert read_value(to_yaml({"key": value})) == {"key": value}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x", {1, 2}])
def test_what_no_file_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="trainer.lr is"):
        written({"trainer.lr": value})


def test_numbers_of_numpy_and_torch_are_numbers() -> None:
    made = compose(
        model="stgcn-small",
        fold=np.int64(1),  # type: ignore[arg-type]
        seed=torch.tensor(2),  # type: ignore[arg-type]
        overrides=written(
            {
                "trainer.epochs": np.int32(3),
                "trainer.lr": np.float32(0.5),
                "model.channels": np.array([8, 8]),
                "model.strides": (np.int64(1), 2),
                "trainer.init_from": Path("runs") / "x",
            }
        ),
    )
    assert (made["fold"], made["seed"]) == (1, 2)
    assert (made["trainer"]["epochs"], made["trainer"]["lr"]) == (3, 0.5)
    assert made["trainer"]["init_from"] == str(Path("runs/x"))
    assert (made["model"]["channels"], made["model"]["strides"]) == ([8, 8], [1, 2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: zoo.train("mean", fold=1.5), "train: fold is 1.5, expected a whole number from 0"),  # type: ignore[arg-type]
        (lambda: zoo.train("mean", fold=True), "train: fold is True, expected a whole number"),
        (lambda: zoo.train("mean", seed="1"), "train: seed is '1', expected a whole number"),  # type: ignore[arg-type]
        (lambda: zoo.train(5.5), "train: model is 5.5, expected text"),  # type: ignore[arg-type]
        (lambda: zoo.train("mean", overrides="trainer.epochs=5"), "train: overrides is .*list"),
        (lambda: zoo.train("mean", runs=5), "train: runs is 5, expected a path"),  # type: ignore[arg-type]
        (lambda: zoo.train("mean", resume="no"), "train: resume is 'no', expected true or false"),  # type: ignore[arg-type]
        (lambda: zoo.bench("mean"), "bench: models is 'mean', expected a list"),
        (lambda: zoo.bench(["mean"], folds=1), "bench: folds is 1, expected a list"),  # type: ignore[arg-type]
        (lambda: zoo.bench(["mean"], seeds=[0.5]), r"bench: seeds\[0\] is 0.5"),  # type: ignore[list-item]
        (lambda: zoo.bench(["mean"], jobs=0), "jobs is 0"),
        (lambda: zoo.predict("runs/x", "a.csv"), "predict: files is 'a.csv', expected a list"),
        (lambda: zoo.leaderboard(None), "leaderboard: runs is None, expected a path"),  # type: ignore[arg-type]
        (lambda: zoo.evaluate(7), "run is 7, expected a finished run or its folder"),  # type: ignore[arg-type]
        (lambda: zoo.create_model("gru", hidden=2.5), "model 'gru'.hidden is 2.5"),
        (lambda: zoo.load_dataset("synthetic", people="x"), "people is 'x'"),
    ],
)
def test_a_wrong_argument_is_told_by_its_name(call: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        call()


def test_the_home_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    few = {"dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 16}
    run = zoo.train(
        "mean",
        fold=np.int64(1),
        overrides=few,
        runs="~/mine",
        data_root="~/data",  # type: ignore[arg-type]
    )
    assert run.path.is_relative_to(tmp_path / "home" / "mine")
    assert [p.name for p in tmp_path.iterdir()] == ["home"]
    progress = zoo.bench(
        ["mean"], exercises=[5], folds=np.arange(2), seeds=range(1),  # type: ignore[list-item, arg-type]
        overrides=few, runs="~/mine", data_root="~/data", jobs=1,
    )  # fmt: skip
    assert (progress.finished, progress.there) == (1, 1)

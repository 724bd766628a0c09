"""What a sweep is asked for: experiments, and what narrows them."""

import re
from pathlib import Path

import pytest
import yaml

from registry import catalogues
from zoo.compose import compose
from zoo.errors import ConfigError
from zoo.sweep.request import Entrant, Request, whole_numbers

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sweeps.md"


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """Writes ``configs/experiment/mine.yaml`` and reads it as a sweep."""
    monkeypatch.setattr(catalogues, "_user_dirs", [tmp_path])
    (tmp_path / "experiment").mkdir()

    def write(text):
        (tmp_path / "experiment" / "mine.yaml").write_text(text)
        return Request.from_experiment("mine")

    return write


def test_the_block_of_an_experiment(experiment):
    block = {
        "dataset": "kimore",
        "exercises": [1, "2"],
        "protocols": "person-kfold",
        "seeds": [0, 1],
        "folds": "all",
        "set": ["trainer.epochs=3"],
        "models": [
            "d2sta",
            {"name": "mean", "seeds": [0], "set": ["a=1"], "protocols": ["person-kfold"]},
        ],
    }
    assert experiment(yaml.safe_dump({"bench": block})) == Request(
        models=(Entrant("d2sta"), Entrant("mean", (0,), ("a=1",), ("person-kfold",))),
        dataset="kimore",
        protocols=("person-kfold",),
        exercises=("1", "2"),
        folds=None,
        seeds=(0, 1),
        settings=("trainer.epochs=3",),
    )


def test_the_example_of_the_docs(experiment):
    (text,) = re.findall(r"^```yaml\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    assert [entrant.name for entrant in experiment(text).models] == ["mean", "stgcn-small"]


def test_our_board_names_every_model_once_a_protocol():
    board = Request.from_experiment("kimore_board")
    pairs = [(e.name, p) for e in board.models for p in e.protocols or board.protocols]
    assert len(set(pairs)) == len(pairs)
    assert {p for e, p in pairs if e == "mean"} == set(board.protocols)
    assert set(board.protocols) == {"person-kfold", "d2sta-paper"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bench: {models: [mean], seedz: [0]}", "no key 'seedz'. Did you mean 'seeds'"),
        ("bench: {models: [{name: mean, sets: []}]}", "no key 'sets'. Did you mean 'set'"),
        ("bench: {models: [{seeds: [0]}]}", "has no name"),
        ("bench: {models: []}", "models is empty"),
        ("bench: [mean]", "expected keys and values"),
        ("bench: {models: [mean], seeds: [-1]}", "'?-1'? is no whole number"),
        ("bench: {models: [mean], seeds: [true]}", "True is no whole number"),
        ("bench: {models: [mean], exercises: {a: 1}}", "expected a list"),
        ("model: mean", "describes one training, not a sweep.*zoo train --experiment mine"),
    ],
)
def test_mistakes_in_an_experiment(experiment, text, words):
    with pytest.raises(ConfigError, match=words):
        experiment(text)


def test_an_experiment_that_is_not_there():
    with pytest.raises(ConfigError, match="Did you mean 'kimore_board'"):
        Request.from_experiment("kimore_bord")


def test_a_sweep_is_no_training():
    with pytest.raises(ConfigError, match=r"run `zoo bench --experiment kimore_board`$"):
        compose(experiment="kimore_board", model="mean")


def test_choices_narrow_it():
    board = Request(
        models=(Entrant("mean", seeds=(0,)), Entrant("gru"), Entrant("d2sta", settings=("a=1",))),
        seeds=(0, 1, 2),
        settings=("b=1",),
    )
    narrowed = board.narrowed(
        models=["d2sta", "mean", "tcn"], seeds=[1], folds=[0], settings=["c=1"]
    )
    assert narrowed.models == (
        Entrant("d2sta", settings=("a=1",)),
        Entrant("mean", seeds=()),
        Entrant("tcn"),
    )
    assert (narrowed.seeds, narrowed.folds, narrowed.settings) == ((1,), (0,), ("b=1", "c=1"))
    assert board.narrowed() == board
    with pytest.raises(ConfigError, match="name the models that take part"):
        Request(()).narrowed()


def test_numbers():
    assert whole_numbers(["0", 2, "2"], "--seeds") == (0, 2)
    with pytest.raises(ConfigError, match="--seeds: '1.5' is no whole number"):
        whole_numbers(["1.5"], "--seeds")

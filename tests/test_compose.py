"""A run's configuration: what overrides what, and how mistakes are answered."""

import pytest

from zoo.compose import compose
from zoo.errors import ConfigError
from zoo.files import json_hash


def test_defaults() -> None:
    made = compose(model="d2sta")
    assert made["dataset"]["name"] == "synthetic"
    assert made["protocol"]["name"] == "person-kfold"
    assert (made["seed"], made["fold"]) == (0, 0)
    assert "card" not in made["model"]


def test_order_of_precedence() -> None:
    made = compose(model="d2sta", seed=7, overrides=["trainer.epochs=3"])
    assert made["seed"] == 7
    assert made["trainer"]["epochs"] == 3
    assert made["trainer"]["lr"] == compose(model="d2sta")["trainer"]["lr"]


def test_a_protocol_can_say_how_to_train() -> None:
    made = compose(model="d2sta", protocol="stgcn-rehab")
    plain = compose(model="d2sta")
    assert made["model"]["head"] == {"name": "huber", "delta": 0.1}
    assert made["trainer"] == plain["trainer"]
    assert "head" not in plain["model"]
    assert "head" not in compose(model="mean", protocol="stgcn-rehab")["model"]
    assert "seeds" not in made["protocol"]
    told = ["model.head=mse"]
    assert compose(model="d2sta", protocol="stgcn-rehab", overrides=told)["model"]["head"] == "mse"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.gruops=4", r"'model\.gruops'.*'model\.groups'"),
        ("trainer.epoch=4", r"'trainer\.epoch'.*'trainer\.epochs'"),
        ("trainer.epochs", "key=value"),
        ("nonsense=1", "no setting is called 'nonsense'"),
        ("trainer.epochs=[1", "trainer.epochs"),
    ],
)
def test_mistyped_override(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(model="d2sta", overrides=[override])


def test_no_model() -> None:
    with pytest.raises(ConfigError, match="no model is given"):
        compose()


def test_hash_ignores_the_order_of_keys() -> None:
    assert json_hash({"a": 1, "b": 2}) == json_hash({"b": 2, "a": 1})
    assert json_hash({"a": 1}) != json_hash({"a": 2})


def test_every_parameter_of_the_class_is_in_the_configuration() -> None:
    made = compose(model="stgcn-small", dataset="uiprmd-vicon")
    assert made["model"]["channels"] == [32, 32, 48, 48, 64, 64]
    assert made["model"]["importance"] is True  # said by the class alone
    assert made["dataset"]["max_lost"] == 0.5
    assert made["dataset"]["score"] == "everybody"
    assert made["trainer"]["batch_size"] == 32
    assert compose(model="gru")["trainer"]["batch_size"] == 16

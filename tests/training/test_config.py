import pytest

from zoo.compose import TRAINER_OPTIONS, compose
from zoo.errors import ConfigError
from zoo.training.config import TrainerConfig


def test_a_configuration_holds_every_setting_and_the_same_values():
    values = compose(model="aagcn")["trainer"]
    assert TrainerConfig.from_dict(values) == TrainerConfig()
    assert values | TRAINER_OPTIONS == vars(TrainerConfig())


def test_a_mistyped_key_names_the_nearest():
    with pytest.raises(ConfigError, match=r"trainer has no key 'epoch'.*'epochs'"):
        TrainerConfig.from_dict({"epoch": 3})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("epochs", 0, "whole number of at least 1"),
        ("epochs", 2.5, "whole number"),
        ("epochs", True, "whole number"),
        ("batch_size", -1, "whole number"),
        ("lr", 0.0, "above 0"),
        ("lr", float("nan"), "a number"),
        ("lr", float("inf"), "a number"),
        ("lr", "1e-3", "a number"),
        ("weight_decay", -0.1, "0 or above"),
        ("grad_clip", 0, "or null"),
        ("optimizer", "adam", "adamw or sgd"),
        ("schedule", "step", "cosine or constant"),
        ("precision", "fp16", "fp32 or bf16"),
        ("device", "gpu", "auto, cpu, cuda"),
        ("early_stopping", 0, "whole number"),
        ("threads", 0, "whole number"),
        ("warmup_epochs", 60, r"fewer than trainer\.epochs"),
    ],
)
def test_an_impossible_value_is_refused_by_name(key, value, words):
    with pytest.raises(ConfigError, match=rf"trainer\.{key} is .*{words}"):
        TrainerConfig.from_dict({key: value})

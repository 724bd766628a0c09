import pytest

from zoo.config import TRAINER_OPTIONS, entry_config
from zoo.errors import ConfigError
from zoo.training.config import TrainerConfig


def test_the_default_file_holds_every_setting_and_the_same_values():
    values = entry_config("trainer", "default")
    assert TrainerConfig.from_dict(values) == TrainerConfig()
    assert values | TRAINER_OPTIONS == TrainerConfig().to_dict()


def test_a_mistyped_key_names_the_nearest():
    with pytest.raises(ConfigError, match=r"trainer\.epoch\b.*'epochs'"):
        TrainerConfig.from_dict({"epoch": 3})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("epochs", 0, "whole number of at least 1"),
        ("epochs", 2.5, "whole number"),
        ("epochs", True, "whole number"),
        ("batch_size", -1, "whole number"),
        ("lr", 0.0, "above 0"),
        ("lr", float("nan"), "above 0"),
        ("lr", float("inf"), "above 0"),
        ("lr", "1e-3", "YAML reads 1e-3 as text"),
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

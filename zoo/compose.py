"""A run's configuration: of which entries, with which settings, and what overrides what.

Later wins:

    the defaults of the classes and of `TrainerConfig`, the entries' YAML files (the ``trainer:``
    blocks of the model and of the protocol and the protocol's ``head:`` among them), the
    arguments, overrides
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from registry import MODELS, REGISTRIES, did_you_mean
from registry.yaml_files import Config, one_line
from zoo.catalogue import blocks_of, parameters
from zoo.errors import ConfigError
from zoo.models import chooses_head
from zoo.training.config import TrainerConfig

TRAINER_OPTIONS = {"init_from": None, "init_joints": None, "init_head": "keep"}
"""Settings of the trainer, and their defaults, that only a configuration that uses them names."""


def compose(
    *,
    model: str | None = None,
    dataset: str | None = None,
    protocol: str | None = None,
    exercise: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    data_root: Path | str | None = None,
) -> Config:
    """The full configuration of one run, as plain containers.

    Arguments as in `zoo.train`, with `overrides` as ``key=value``, such as ``trainer.epochs=50``.
    `data_root` is where a dataset that is not registered is looked for.

    Raises:
        ConfigError: a key that does not exist (with the nearest one), or a value that does not
            parse.
        RegistryError: an unknown model, dataset or protocol.
    """
    if model is None:
        raise ConfigError("no model is given: use --model NAME (see `zoo models`)")
    from zoo.data.known import dataset_settings

    chosen = {"model": model, "protocol": protocol or "person-kfold"}
    entries = {kind: REGISTRIES[kind].get(name) for kind, name in chosen.items()}
    root = None if data_root is None else Path(data_root)
    config: Config = {
        "model": {"name": model, **parameters(entries["model"])},
        "dataset": dataset_settings(dataset or "synthetic", root),
        "protocol": {"name": chosen["protocol"], **parameters(entries["protocol"])},
    }
    head = blocks_of(entries["protocol"]).get("head")
    takes_head = chooses_head(entries["model"].load())
    if head is not None and takes_head:
        config["model"]["head"] = head
    config["trainer"] = {
        **{k: v for k, v in vars(TrainerConfig()).items() if k not in TRAINER_OPTIONS},
        **blocks_of(entries["model"]).get("trainer", {}),
        **blocks_of(entries["protocol"]).get("trainer", {}),
    }
    config |= {"seed": seed or 0, "fold": fold or 0}
    if exercise is not None:
        config["dataset"]["exercise"] = str(exercise)
    config = apply_overrides(config, overrides)
    if takes_head and config["model"].get("head") is not None:
        from zoo.nn.heads import head_choice

        head_choice(config["model"]["head"])
    return config


def apply_overrides(config: Config, overrides: Sequence[str]) -> Config:
    """A copy of `config` with ``key=value`` settings applied; a key must exist already.

    Another kind of split begins with settings of its own: those of the former are forgotten.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    result: Any = OmegaConf.create(config)
    for override in overrides:
        key, equals, _ = override.partition("=")
        if not equals or not key:
            raise ConfigError(f"{override!r} is no setting; write key=value, as trainer.epochs=50")
        _require_key(config, key)
        try:
            given = OmegaConf.from_dotlist([override])
            split = OmegaConf.select(given, "protocol.split.kind")
            if split is not None and split != result.protocol.split.kind:
                result.protocol.split = {}
            result = OmegaConf.merge(result, given)
        except (YAMLError, OmegaConfBaseException) as error:
            raise ConfigError(f"{override!r}: {one_line(error)}") from None
    return cast(Config, OmegaConf.to_container(result, resolve=True))


def _require_key(config: Config, key: str) -> None:
    """Refuse a key that neither stands in `config` nor is an option of the trainer or the model."""
    keys = _all_keys(config) | {f"trainer.{name}" for name in TRAINER_OPTIONS}
    if key.startswith("model.") and key not in keys:
        factory = MODELS.get(config["model"]["name"]).load()
        own = set(inspect.signature(factory).parameters) - {"self", "layout", "args", "kwargs"}
        keys |= {f"model.{name}" for name in own | ({"head"} if chooses_head(factory) else set())}
    if key not in keys:
        group = f"{key.partition('.')[0]}."
        near = did_you_mean(key, {k for k in keys if k.startswith(group)} or keys)
        raise ConfigError(f"no setting is called {key!r}. {near}")


def _all_keys(node: Mapping[str, Any], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for key, value in node.items():
        keys.add(f"{prefix}{key}")
        if isinstance(value, Mapping):
            keys |= _all_keys(value, f"{prefix}{key}.")
    return keys


def written(settings: Mapping[str, Any]) -> list[str]:
    """Settings as overrides spell them: ``key=value``."""
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]

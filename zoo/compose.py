"""A run's configuration: of which entries, with which settings, and what overrides what.

Later wins:

    the defaults of the classes and of `TrainerConfig`, the entries' YAML files (the ``trainer:``
    blocks of the model and of the protocol and the protocol's ``head:`` among them), the
    arguments, overrides
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, cast

from registry import MODELS, REGISTRIES, Entry, did_you_mean
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
) -> Config:
    """The full configuration of one run, as plain containers.

    Args:
        model: name of a registered model.
        dataset: name of a registered dataset; default ``synthetic``.
        protocol: name of a registered protocol; default ``person-kfold``.
        exercise: exercise id; default as the dataset's config says.
        fold: fold of the protocol; default 0.
        seed: seed of weights and batch order; default 0.
        overrides: ``key=value``, dotted keys, such as ``trainer.epochs=50``.

    Raises:
        ConfigError: a key that does not exist (with the nearest one), or a value that does not
            parse.
        RegistryError: an unknown model, dataset or protocol.
    """
    if model is None:
        raise ConfigError("no model is given: use --model NAME (see `zoo models`)")
    chosen = {"model": model, "dataset": dataset or "synthetic"}
    chosen["protocol"] = protocol or "person-kfold"
    entries = {kind: REGISTRIES[kind].get(name) for kind, name in chosen.items()}
    config: Config = {kind: {"name": entry.name} for kind, entry in entries.items()}
    config["dataset"]["exercise"] = blocks_of(entries["dataset"]).get("exercise")
    for kind, entry in entries.items():
        config[kind] |= parameters(entry)
    config["model"] |= _protocols_head(entries["model"], entries["protocol"])
    config["trainer"] = {
        **{k: v for k, v in vars(TrainerConfig()).items() if k not in TRAINER_OPTIONS},
        **blocks_of(entries["model"]).get("trainer", {}),
        **blocks_of(entries["protocol"]).get("trainer", {}),
    }
    config |= {"seed": 0, "fold": 0}
    if exercise is not None:
        config["dataset"]["exercise"] = str(exercise)
    if fold is not None:
        config["fold"] = fold
    if seed is not None:
        config["seed"] = seed
    config = apply_overrides(config, overrides)
    _require_head(config)
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
    keys = _all_keys(config) | {f"trainer.{name}" for name in TRAINER_OPTIONS}
    if key in keys:
        return
    if key.startswith("model."):
        keys |= {f"model.{name}" for name in _model_parameters(config)}
        if key in keys:
            return
    raise ConfigError(f"no setting is called {key!r}. {_nearest_setting(key, keys)}")


def _nearest_setting(key: str, keys: set[str]) -> str:
    group = key.partition(".")[0]
    same = {k for k in keys if k.startswith(f"{group}.")}
    return did_you_mean(key, same or keys)


def _all_keys(node: Mapping[str, Any], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for key, value in node.items():
        keys.add(f"{prefix}{key}")
        if isinstance(value, Mapping):
            keys |= _all_keys(value, f"{prefix}{key}.")
    return keys


def _model_parameters(config: Config) -> set[str]:
    """Parameters of the model's class that have no default, and ``head``; imports the class."""
    factory = MODELS.get(config["model"]["name"]).load()
    own = set(inspect.signature(factory).parameters) - {"self", "layout", "args", "kwargs"}
    return own | {"head"} if chooses_head(factory) else own


def _protocols_head(model: Entry, protocol: Entry) -> Config:
    """The head that a protocol trains networks with, for a model that can be given one."""
    head = blocks_of(protocol).get("head")
    return {} if head is None or not chooses_head(model.load()) else {"head": head}


def _require_head(config: Config) -> None:
    """Refuse a ``model.head`` that does not exist; a model's own parameter of that name is its."""
    if config["model"].get("head") is None:
        return
    if chooses_head(MODELS.get(config["model"]["name"]).load()):
        from zoo.nn.heads import head_choice

        head_choice(config["model"]["head"])

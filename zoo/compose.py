"""A run's configuration: of which entries, with which settings, and what overrides what.

Later wins:

    the defaults of the classes and of `TrainerConfig`, the entries' YAML files (the ``trainer:``
    blocks of the model and of the protocol and the protocol's ``head:`` among them), the
    experiment, the arguments, overrides
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, cast

from registry import MODELS, REGISTRIES, Entry, config_names, did_you_mean
from registry.yaml_files import Config, merged, one_line
from zoo.catalogue import blocks_of, entry_config, parameters
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
    experiment: str | None = None,
    exercise: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
) -> Config:
    """The full configuration of one run, as plain containers.

    Args:
        model: name of a registered model; like the next two, from the experiment if None.
        dataset: name of a registered dataset; default ``synthetic``.
        protocol: name of a registered protocol; default ``person-kfold``.
        experiment: name of a file in ``configs/experiment``.
        exercise: exercise id; default as the dataset's config says.
        fold: fold of the protocol; default 0.
        seed: seed of weights and batch order; default 0, or the experiment's.
        overrides: ``key=value``, dotted keys, such as ``trainer.epochs=50``.

    Raises:
        ConfigError: an unknown experiment, a key that does not exist (with the nearest one), or
            a value that does not parse.
        RegistryError: an unknown model, dataset or protocol.
    """
    study = experiment_block(experiment) if experiment else {}
    if "bench" in study:
        raise ConfigError(
            f"experiment {experiment} is a sweep over many models: run "
            f"`zoo bench --experiment {experiment}`"
        )
    entries = {
        kind: REGISTRIES[kind].get(_chosen(kind, given, study, default))
        for kind, given, default in (
            ("model", model, None),
            ("dataset", dataset, "synthetic"),
            ("protocol", protocol, "person-kfold"),
        )
    }
    config: Config = {kind: {"name": entry.name} for kind, entry in entries.items()}
    config["dataset"]["exercise"] = blocks_of(entries["dataset"]).get("exercise")
    for kind, entry in entries.items():
        config[kind] |= parameters(entry)
    config["model"] |= _protocols_head(entries["model"], entries["protocol"])
    config["trainer"] = {
        **{k: v for k, v in TrainerConfig().to_dict().items() if k not in TRAINER_OPTIONS},
        **blocks_of(entries["model"]).get("trainer", {}),
        **blocks_of(entries["protocol"]).get("trainer", {}),
    }
    config |= {"seed": 0, "fold": 0}
    config = _apply_mapping(config, study, f"experiment {experiment}")
    for kind, entry in entries.items():
        config[kind]["name"] = entry.name
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


def experiment_block(name: str) -> Config:
    """The settings in ``configs/experiment/NAME.yaml``, without its card.

    Raises:
        ConfigError: there is no such file; the nearest one is named.
    """
    known = config_names("experiment")
    if name not in known:
        raise ConfigError(f"no experiment is called {name!r}. {did_you_mean(name, known)}")
    study = entry_config("experiment", name)
    study.pop("card", None)
    return study


def _chosen(kind: str, given: str | None, study: Config, default: str | None) -> str:
    block = study.get(kind)
    name = given or (block.get("name") if isinstance(block, dict) else block) or default
    if name is None:
        raise ConfigError(f"no {kind} is given: use --{kind} NAME (see `zoo {kind}s`)")
    return str(name)


def _apply_mapping(config: Config, values: Config, where: str) -> Config:
    flat: list[str] = []

    def walk(node: Mapping[str, Any], prefix: str) -> None:
        for key, value in node.items():
            path = f"{prefix}{key}"
            if isinstance(value, Mapping) and path in ("model", "dataset", "protocol", "trainer"):
                walk(value, f"{path}.")
            else:
                flat.append(path)

    walk(values, "")
    known = {"model", "dataset", "protocol", "model.name", "dataset.name", "protocol.name"}
    for path in flat:
        if path not in known:
            try:
                _require_key(config, path)
            except ConfigError as error:
                raise ConfigError(f"{where}: {error}") from None
    named = {k: ({} if k in known and not isinstance(v, Mapping) else v) for k, v in values.items()}
    return merged(config, named)


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

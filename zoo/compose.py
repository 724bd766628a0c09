"""A run's configuration: of which entries, with which settings, and what overrides what.

Later wins:

    the defaults of the classes and of `TrainerConfig`, the entries' YAML files (the ``trainer:``
    blocks of the model and of the protocol and the protocol's ``head:`` among them), the
    arguments, overrides
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from registry import DATASETS, MODELS, REGISTRIES, SPLITS, did_you_mean
from registry.yaml_files import Config, merged, read_value
from zoo.build import Index, build, checked, to_plain
from zoo.catalogue import blocks_of, parameters
from zoo.errors import ConfigError
from zoo.models import chooses_head, may_be_causal, require_parameters
from zoo.training.config import Augment, Start, TrainerConfig

TRAINER_OPTIONS = {
    "keep": "chosen",
    "exercises": "one",
    "init_from": None,
    "init_joints": None,
    "init_head": "keep",
    "augment": Augment(),
    "rate": None,
    "sampling": None,
}
"""Settings of the trainer, and their defaults, that only a configuration that uses them names."""


@dataclass(frozen=True)
class _Place:
    """Where in a grid of runs a configuration stands."""

    exercise: str | None
    fold: Index
    seed: Index


@checked
def compose(
    *,
    model: str | None = None,
    dataset: str | None = None,
    protocol: str | None = None,
    exercise: str | None = None,
    fold: Index | None = None,
    seed: Index | None = None,
    overrides: Sequence[str] = (),
    data_root: Path | str | None = None,
) -> Config:
    """The full configuration of one run, as plain containers.

    Arguments as in `zoo.train`, with `overrides` as ``key=value``, such as ``trainer.epochs=50``.
    `data_root` is where a dataset that is not registered is looked for.

    Raises:
        ConfigError: a key that does not exist (with the nearest one), or a value that does not
            parse or is not what its key takes.
        RegistryError: an unknown model, dataset or protocol.
    """
    if model is None:
        raise ConfigError("no model is given: name one, such as model='d2sta' (zoo.list_models())")
    return _composed(model, dataset, protocol, exercise, fold, seed, overrides, data_root)


def compose_data(
    dataset: str,
    protocol: str | None = None,
    exercise: str | None = None,
    fold: int = 0,
    overrides: Sequence[str] = (),
    data_root: Path | str | None = None,
) -> Config:
    """The configuration of a fold's data alone: `compose` without a model and its trainer."""
    return _composed(None, dataset, protocol, exercise, fold, 0, overrides, data_root)


def compose_start(config: Mapping[str, Any], data_root: Path | str | None = None) -> Config | None:
    """The configuration of the run that one starts from which says what makes it; see `Start`.

    None where it starts afresh, or from a run that it names by its folder.

    Raises:
        ConfigError, RegistryError: as `compose` does.
    """
    given = config["trainer"].get("init_from")
    if not isinstance(given, Mapping):
        return None
    start = Start.from_dict(given)
    own = {kind: config[kind]["name"] for kind in ("model", "dataset", "protocol")}
    chosen = {kind: getattr(start, kind) or name for kind, name in own.items()}
    elsewhere = chosen["dataset"] != own["dataset"]
    fold = start.fold if start.fold is not None else 0 if elsewhere else config["fold"]
    seed = config["seed"] if start.seed is None else start.seed
    exercise = start.exercise or config["dataset"].get("exercise")
    found = compose(**chosen, exercise=exercise, fold=fold, seed=seed, data_root=data_root)
    kept = {kind: config[kind] for kind in own if getattr(start, kind) is None}
    if "dataset" in kept:
        kept["dataset"] = {**kept["dataset"], "exercise": exercise}
    if "model" in kept:
        trainer = {k: v for k, v in config["trainer"].items() if not k.startswith("init_")}
        kept["trainer"] = trainer
    return _checked(apply_overrides({**found, **kept}, written(start.settings)), chosen)


def _composed(
    model: str | None,
    dataset: str | None,
    protocol: str | None,
    exercise: str | None,
    fold: int | None,
    seed: int | None,
    overrides: Sequence[str],
    data_root: Path | str | None,
) -> Config:
    from zoo.data.known import dataset_settings

    chosen = {} if model is None else {"model": model}
    chosen["protocol"] = protocol or "person-kfold"
    entries = {kind: REGISTRIES[kind].get(name) for kind, name in chosen.items()}
    config: Config = {
        kind: {"name": entry.name, **parameters(entry)} for kind, entry in entries.items()
    }
    root = None if data_root is None else Path(data_root)
    config["dataset"] = dataset_settings(dataset or "synthetic", root)
    chosen["dataset"] = config["dataset"]["name"]
    if model is not None:
        head = blocks_of(entries["protocol"]).get("head")
        if head is not None and chooses_head(entries["model"].load()):
            config["model"]["head"] = head
        config["trainer"] = {
            **{k: v for k, v in vars(TrainerConfig()).items() if k not in TRAINER_OPTIONS},
            **blocks_of(entries["model"]).get("trainer", {}),
            **blocks_of(entries["protocol"]).get("trainer", {}),
        }
    config |= {"seed": seed or 0, "fold": fold or 0}
    if exercise is not None:
        config["dataset"]["exercise"] = exercise
    return _checked(apply_overrides(config, overrides), chosen)


def _checked(config: Config, chosen: Mapping[str, str]) -> Config:
    """`config`, if every value is what its key takes; numbers as the trainer has them.

    Raises:
        ConfigError: a value is not; what a model or an adapter refuses when it is made is found
            where it is made.
    """
    from zoo.data.dataset import create_adapter
    from zoo.protocol.protocol import load_protocol

    for kind in {**chosen, "trainer": ""} if "model" in chosen else chosen:
        block = config[kind]
        if not isinstance(block, Mapping):
            raise ConfigError(f"{kind} is {block!r}, expected keys and values")
        if block.get("name") != chosen.get(kind):
            raise ConfigError(
                f"{kind}.name is {block['name']!r}: the {kind} is chosen by its own argument, not "
                f"by a setting, since each has settings of its own"
            )
    given = {"fold": config["fold"], "seed": config["seed"]}
    exercise = config["dataset"].get("exercise")
    place = build(_Place, {**given, "exercise": exercise}, "", error=ConfigError)
    load_protocol(**config["protocol"])
    if "model" in chosen:
        params = {k: v for k, v in config["model"].items() if k != "name"}
        require_parameters(params, chosen["model"])
        trainer = TrainerConfig.from_dict(config["trainer"])
        settings = {key: to_plain(getattr(trainer, key)) for key in config["trainer"]}
        if trainer.sampling is not None:
            settings["sampling"] = trainer.sampling.to_config()
        config = {**config, "trainer": settings}
    dataset = {k: v for k, v in config["dataset"].items() if k != "exercise"}
    if dataset["name"] in DATASETS:
        create_adapter(**dataset)
    return {
        **config,
        "dataset": {**config["dataset"], "exercise": place.exercise},
        "fold": place.fold,
        "seed": place.seed,
    }


def apply_overrides(config: Config, overrides: Sequence[str]) -> Config:
    """A copy of `config` with ``key=value`` settings applied; a key must exist already.

    Another kind of split begins with settings of its own: those of the former are forgotten.

    Raises:
        ConfigError: a key that does not exist, or a value that does not parse.
    """
    result = config
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise ConfigError(f"{override!r} is no setting; write key=value, as trainer.epochs=50")
        _require_key(config, key, result)
        try:
            value = read_value(text)
        except ConfigError as error:
            raise ConfigError(f"{override!r}: {error}") from None
        given: Config = {}
        place = given
        *above, last = key.split(".")
        for name in above:
            place[name] = place = {}
        place[last] = value
        if _split_kind(given) not in (None, _split_kind(result)):
            result = {**result, "protocol": {**result["protocol"], "split": {}}}
        result = merged(result, given)
    return result


def _split_kind(config: Any) -> Any:
    """What ``protocol.split.kind`` is in a configuration; None where it is not there."""
    for key in ("protocol", "split", "kind"):
        config = config.get(key) if isinstance(config, Mapping) else None
    return config


def _require_key(config: Config, key: str, now: Any) -> None:
    """Refuse a key that neither stands in `config` nor is an option of something chosen in it.

    Those are the trainer, the model, and the way of splitting that the overrides `now` chose.
    """
    keys = _all_keys(config)
    if "trainer" in config:
        keys |= _all_keys({"trainer": to_plain(TRAINER_OPTIONS)})
    if key.startswith("model.") and key not in keys and "model" in config:
        factory = MODELS.get(config["model"]["name"]).load()
        own = set(inspect.signature(factory).parameters) - {"self", "layout", "args", "kwargs"}
        own |= {"head"} if chooses_head(factory) else set()
        own |= {"causal"} if may_be_causal(factory) else set()
        keys |= {f"model.{name}" for name in own}
    if key.startswith("protocol.split.") and key not in keys:
        rule = SPLITS.get(_split_kind(now)).load()
        keys |= {f"protocol.split.{field.name}" for field in fields(rule)}
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
    """Settings as overrides spell them: ``key=value``.

    Raises:
        ConfigError: a value that no file of settings can hold.
    """
    return [f"{key}={_spelled(key, value)}" for key, value in settings.items()]


def _spelled(key: str, value: Any) -> str:
    if isinstance(value, float) and value - value != 0:  # to_plain takes it for a missing number
        raise ConfigError(f"{key} is {value!r}, expected a finite number")
    try:
        return json.dumps(to_plain(value), ensure_ascii=False)
    except TypeError:
        raise ConfigError(
            f"{key} is a {type(value).__name__}, expected what YAML can hold: numbers, text, true "
            "or false, lists and mappings of these"
        ) from None

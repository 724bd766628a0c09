"""Configuration: YAML of the entries, experiments, and overrides from the command line.

An entry point names code; ``configs/KIND/NAME.yaml`` holds its numbers. A file with ``extends:``
starts from another of its kind. A run's configuration is composed in this order, later wins:

    trainer/default.yaml, the ``trainer:`` blocks of the model and of the protocol and the
    protocol's ``head:``, the experiment, the arguments, overrides
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from functools import reduce
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

from registry import REGISTRIES, Card, Entry, Source, did_you_mean
from zoo import resources
from zoo.errors import ConfigError
from zoo.yaml_files import Config, merged, one_line, read_yaml

_FACTORIES = {
    "layout": Source("zoo.skeleton.layout", "Layout.from_config", "", None),
    "protocol": Source("zoo.protocol.protocol", "Protocol.from_config", "", None),
}

TRAINER_OPTIONS = {"init_from": None, "init_joints": None, "init_head": "keep"}
"""Settings of the trainer, and their defaults, that only a configuration that uses them names."""


def use_config_dir(path: str | Path) -> None:
    """Search a user's folder before the zoo's own configs, and register what is new in it.

    A new layout or protocol needs no code. A new model or dataset needs ``extends:`` with the name
    of a registered one, whose code it then uses with its own numbers.
    """
    folder = Path(path)
    resources.add_config_dir(folder)
    for kind, registry in REGISTRIES.items():
        for file in sorted((folder / kind).glob("*.yaml")):
            if file.stem in registry:
                continue
            base = read_yaml(file).get("extends")
            source = _FACTORIES.get(kind)
            if source is None:
                if not base:
                    raise ConfigError(
                        f"{file}: a new {kind} needs `extends:` with the name of a registered one"
                    )
                source = registry.get(str(base)).source
            registry.add(
                file.stem, Source(source.module, source.attribute, str(file), source.distribution)
            )


def entry_config(kind: str, name: str) -> Config:
    """The configuration of an entry, merged along ``extends:``; empty where there is no file.

    Args:
        kind: ``model``, ``dataset``, ``protocol``, ``layout``, ``trainer`` or ``experiment``.
        name: of the entry or file.

    Raises:
        ConfigError: a file that does not parse or has a block of the wrong kind, or files that
            extend each other in a circle.
    """
    chain: list[Config] = []
    names: list[str] = []
    current: str | None = name
    while current is not None:
        if current in names:
            raise ConfigError(f"{kind} configs extend each other: {' -> '.join([*names, current])}")
        names.append(current)
        file = _config_file(kind, current)
        if file is None:
            if len(names) > 1:
                raise ConfigError(f"{kind} {names[-2]!r} extends {current!r}, which has no config")
            return {}
        values = _blocks(kind, file, read_yaml(file))
        current = values.pop("extends", None)
        chain.append(values)
    return reduce(merged, reversed(chain))


def card(name: str) -> Card:
    """The card of a registered model."""
    return card_of(REGISTRIES["model"].get(name))


def card_of(entry: Entry) -> Card:
    """The card of a model's entry, which need not be looked up again."""
    return Card.from_dict(entry.name, entry_config("model", entry.name).get("card", {}))


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
    chosen = {
        kind: _chosen(kind, given, study, default)
        for kind, given, default in (
            ("model", model, None),
            ("dataset", dataset, "synthetic"),
            ("protocol", protocol, "person-kfold"),
        )
    }
    blocks = {kind: entry_config(kind, name) for kind, name in chosen.items()}
    data_block = blocks["dataset"]
    config: Config = {
        "model": {
            "name": chosen["model"],
            **blocks["model"].get("params", {}),
            **_protocols_head(chosen["model"], blocks["protocol"]),
        },
        "dataset": {
            "name": chosen["dataset"],
            "exercise": data_block.get("exercise"),
            **data_block.get("params", {}),
        },
        "protocol": {"name": chosen["protocol"], **blocks["protocol"].get("params", {})},
        "trainer": {
            **entry_config("trainer", "default"),
            **blocks["model"].get("trainer", {}),
            **blocks["protocol"].get("trainer", {}),
        },
        "seed": 0,
        "fold": 0,
    }
    config = _apply_mapping(config, study, f"experiment {experiment}")
    for kind in ("model", "dataset", "protocol"):
        config[kind]["name"] = chosen[kind]
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
    """A copy of `config` with ``key=value`` settings applied; a key must exist already."""
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
            result = OmegaConf.merge(result, OmegaConf.from_dotlist([override]))
        except (YAMLError, OmegaConfBaseException) as error:
            raise ConfigError(f"{override!r}: {one_line(error)}") from None
    return cast(Config, OmegaConf.to_container(result, resolve=True))


def to_yaml(config: Mapping[str, Any]) -> str:
    """The configuration as YAML text."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a configuration: equal settings, equal hash."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()


def experiment_block(name: str) -> Config:
    """The settings in ``configs/experiment/NAME.yaml``, without its card.

    Raises:
        ConfigError: there is no such file; the nearest one is named.
    """
    known = resources.config_names("experiment")
    if name not in known:
        raise ConfigError(f"no experiment is called {name!r}. {did_you_mean(name, known)}")
    study = entry_config("experiment", name)
    study.pop("card", None)
    return study


def require_keys(values: Any, known: Sequence[str], where: str) -> Mapping[str, Any]:
    """`values`, if they are a mapping with no other keys than `known`.

    Raises:
        ConfigError: they are not; the message begins with `where` they stand.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {values!r}, expected keys and values")
    for key in values:
        if key not in known:
            raise ConfigError(f"{where} has no key {key!r}. {did_you_mean(str(key), known)}")
    return values


def _chosen(kind: str, given: str | None, study: Config, default: str | None) -> str:
    block = study.get(kind)
    name = given or (block.get("name") if isinstance(block, dict) else block) or default
    if name is None:
        raise ConfigError(f"no {kind} is given: use --{kind} NAME (see `zoo {kind}s`)")
    return REGISTRIES[kind].get(name).name


def _blocks(kind: str, file: Path | Traversable, values: Config) -> Config:
    """The values of a file without empty blocks; blocks that are no mappings are refused."""
    known = ("extends", "card", "params", "trainer")
    for key, value in values.items():
        if kind == "model" and key not in known:
            raise ConfigError(f"{file}: unknown key {key!r}. {did_you_mean(key, known)}")
        if key in known[1:] and not isinstance(value, Mapping | None):
            raise ConfigError(f"{file}: {key} is {value!r}, expected keys and values below it")
    return {k: v for k, v in values.items() if v is not None or k not in known}


def _config_file(kind: str, name: str) -> Path | Traversable | None:
    file = resources.find_config(kind, name)
    if file is not None:
        return file
    registry = REGISTRIES.get(kind)
    if registry is None or name not in registry:
        return None
    module = registry.get(name).source.file()
    beside = module.parent / f"{name}.yaml" if module else None
    return beside if beside is not None and beside.is_file() else None


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
    """Parameters of the model's class that its YAML does not mention; imports the class."""
    from zoo.models import chooses_head

    entry: Entry = REGISTRIES["model"].get(config["model"]["name"])
    parameters = inspect.signature(entry.load()).parameters
    own = {name for name in parameters if name not in ("self", "layout", "args", "kwargs")}
    return own | {"head"} if chooses_head(entry.load()) else own


def _protocols_head(model: str, protocol: Config) -> Config:
    """The head that a protocol trains networks with, for a model that can be given one."""
    from zoo.models import chooses_head

    head = protocol.get("head")
    if head is None or not chooses_head(REGISTRIES["model"].get(model).load()):
        return {}
    return {"head": head}


def _require_head(config: Config) -> None:
    """Refuse a ``model.head`` that does not exist; a model's own parameter of that name is its."""
    from zoo.models import chooses_head

    if config["model"].get("head") is None:
        return
    if chooses_head(REGISTRIES["model"].get(config["model"]["name"]).load()):
        from zoo.nn.heads import head_choice

        head_choice(config["model"]["head"])

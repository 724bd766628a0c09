"""What a sweep is asked for, before anything is looked up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from registry import did_you_mean
from zoo.config import experiment_block
from zoo.errors import ConfigError


@dataclass(frozen=True)
class Entrant:
    """A model that takes part.

    Attributes:
        name: of a registered model.
        seeds: its own; None takes the sweep's.
        set: its own settings as ``key=value``.
        protocols: the ones it takes part in; None for all of the sweep's.
    """

    name: str
    seeds: tuple[int, ...] | None = None
    set: tuple[str, ...] = ()
    protocols: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Request:
    """A grid of runs.

    Attributes:
        models: who takes part.
        dataset: name of a prepared dataset.
        protocols: names.
        exercises: ids; None for all that have scores.
        folds: numbers; None for all.
        seeds: None takes those of each protocol.
        set: settings for every run as ``key=value``.
    """

    models: tuple[Entrant, ...]
    dataset: str = "synthetic"
    protocols: tuple[str, ...] = ("person-kfold",)
    exercises: tuple[str, ...] | None = None
    folds: tuple[int, ...] | None = None
    seeds: tuple[int, ...] | None = None
    set: tuple[str, ...] = ()

    @classmethod
    def from_experiment(cls, name: str) -> "Request":
        """The sweep that the ``bench:`` block of ``configs/experiment/NAME.yaml`` describes.

        Raises:
            ConfigError: no such experiment, no such block in it, or a key or value that is none.
        """
        block = experiment_block(name).get("bench")
        where = f"experiment {name}: bench"
        if block is None:
            raise ConfigError(
                f"experiment {name} describes one training, not a sweep: it has no bench: block. "
                f"Use `zoo train --experiment {name}`"
            )
        values = _known_keys(block, cls, where)
        models = _listed(values.pop("models", None), f"{where}.models")
        if not models:
            raise ConfigError(f"{where}.models is empty: name the models that take part")
        return cls(
            models=tuple(_entrant(model, f"{where}.models") for model in models),
            **_narrowed(values, where),
        )

    def narrowed(self, **choices: Any) -> "Request":
        """With some of it replaced; what is None stays.

        ``models`` are names: those that take part already keep their own settings.
        """
        given = {key: value for key, value in choices.items() if value is not None}
        if "models" in given:
            own = {
                entrant.name: [e for e in self.models if e.name == entrant.name]
                for entrant in self.models
            }
            given["models"] = tuple(
                entrant for name in given["models"] for entrant in own.get(name, [Entrant(name)])
            )
        if "set" in given:
            given["set"] = (*self.set, *given["set"])
        return replace(self, **given)


def _entrant(value: Any, where: str) -> Entrant:
    if isinstance(value, str):
        return Entrant(value)
    values = _known_keys(value, Entrant, where)
    if not isinstance(values.get("name"), str):
        raise ConfigError(f"{where}: {value!r} has no name")
    return Entrant(**_narrowed(values, f"{where}, {values['name']}"))


def _narrowed(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Values with every list as a tuple of what its key takes; ``all`` is None."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("name", "dataset"):
            result[key] = str(value)
        elif value is None or value == "all":
            result[key] = None
        elif key in ("seeds", "folds"):
            result[key] = whole_numbers(_listed(value, f"{where}.{key}"), f"{where}.{key}")
        else:
            result[key] = tuple(str(item) for item in _listed(value, f"{where}.{key}"))
    return {key: value for key, value in result.items() if value is not None}


def whole_numbers(values: Iterable[Any], where: str) -> tuple[int, ...]:
    """`values` as whole numbers from 0.

    Raises:
        ConfigError: one is not.
    """
    numbers = []
    for value in values:
        if isinstance(value, bool) or not str(value).isdecimal():
            raise ConfigError(f"{where}: {value!r} is no whole number from 0")
        numbers.append(int(value))
    return tuple(dict.fromkeys(numbers))


def _listed(value: Any, where: str) -> Sequence[Any]:
    if value is None:
        return ()
    if isinstance(value, str | int):
        return (value,)
    if not isinstance(value, Sequence):
        raise ConfigError(f"{where} is {value!r}, expected a list")
    return value


def _known_keys(values: Any, cls: type, where: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {values!r}, expected keys and values")
    known = [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            raise ConfigError(f"{where} has no key {key!r}. {did_you_mean(str(key), known)}")
    return dict(values)

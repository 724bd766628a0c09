"""What a sweep is asked for, before anything is looked up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from zoo.build import require_keys
from zoo.compose import experiment_block
from zoo.errors import ConfigError


@dataclass(frozen=True)
class Entrant:
    """A model that takes part.

    Attributes:
        name: of a registered model.
        seeds: its own; None takes the sweep's.
        settings: its own, as ``key=value``.
        protocols: the ones it takes part in; None for all of the sweep's.
    """

    name: str
    seeds: tuple[int, ...] | None = None
    settings: tuple[str, ...] = ()
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
        settings: for every run, as ``key=value``.
    """

    models: tuple[Entrant, ...]
    dataset: str = "synthetic"
    protocols: tuple[str, ...] = ("person-kfold",)
    exercises: tuple[str, ...] | None = None
    folds: tuple[int, ...] | None = None
    seeds: tuple[int, ...] | None = None
    settings: tuple[str, ...] = ()

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
        return cls.from_block(block, where)

    @classmethod
    def from_block(cls, block: Any, where: str) -> "Request":
        """The sweep that a ``bench:`` block describes.

        Args:
            block: its keys and values.
            where: it stands, for messages.

        Raises:
            ConfigError: a key or value that is none.
        """
        values = _known_keys(block, cls, where)
        models = _listed(values.pop("models", None), f"{where}.models")
        if not models:
            raise ConfigError(f"{where}.models is empty: name the models that take part")
        return cls(
            models=tuple(_entrant(model, f"{where}.models") for model in models),
            **_narrowed(values, where),
        )

    def narrowed(
        self,
        *,
        models: Sequence[str] | None = None,
        dataset: str | None = None,
        protocols: Sequence[str] | None = None,
        exercises: Sequence[str] | None = None,
        folds: Sequence[int] | None = None,
        seeds: Sequence[int] | None = None,
        settings: Sequence[str] = (),
    ) -> "Request":
        """With some of it replaced; what is None stays, and `settings` are added.

        Models that take part already keep their own settings; of their own seeds those stay that
        are among the given ones.

        Raises:
            ConfigError: no model takes part.
        """
        given: dict[str, Any] = {
            "dataset": dataset,
            "protocols": protocols and tuple(protocols),
            "exercises": exercises and tuple(exercises),
            "folds": folds and tuple(folds),
            "seeds": seeds and tuple(seeds),
        }
        known = list(self.models)
        if models is not None:
            own = {name: [e for e in known if e.name == name] for name in models}
            known = [e for name, found in own.items() for e in found or [Entrant(name)]]
        if not known:
            raise ConfigError(
                "name the models that take part (`zoo models` lists them), or an experiment"
            )
        if seeds is not None:
            known = [
                e if e.seeds is None else replace(e, seeds=tuple(s for s in e.seeds if s in seeds))
                for e in known
            ]
        return replace(
            self,
            models=tuple(known),
            settings=(*self.settings, *settings),
            **{key: value for key, value in given.items() if value is not None},
        )


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
            name = "settings" if key == "set" else key
            result[name] = tuple(str(item) for item in _listed(value, f"{where}.{key}"))
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
    known = ["set" if f.name == "settings" else f.name for f in fields(cls)]
    return dict(require_keys(values, known, where))

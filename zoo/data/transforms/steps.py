"""Transforms as a protocol lists them: a name, or a name with its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from registry import TRANSFORMS, did_you_mean
from registry.registry import Entry
from zoo.build import build_arguments
from zoo.data.transforms.motion import Motion
from zoo.errors import ConfigError


@dataclass(frozen=True)
class Step:
    """One transform with its parameters.

    Attributes:
        name: as registered.
        params: keyword arguments of that transform.

    Raises:
        ConfigError: no such transform, no such parameter, or a value of another type.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in TRANSFORMS:
            near = did_you_mean(self.name, TRANSFORMS.names())
            raise ConfigError(f"no transform is called {self.name!r}. {near}")
        self.resolved()

    def __call__(self, motion: Motion) -> Motion:
        """The transformed motion."""
        return self._bound(motion)

    @property
    def entry(self) -> Entry:
        """Whose the transform is."""
        return TRANSFORMS.get(self.name)

    def resolved(self) -> dict[str, Any]:
        """Every parameter with its value, defaults among them."""
        return self._bound.keywords

    @cached_property
    def _bound(self) -> "partial[Motion]":
        function = self.entry.load()
        where = f"transform {self.name}"
        return partial(function, **build_arguments(function, self.params, where, skip=1))

    def to_config(self) -> str | dict[str, Any]:
        """How a configuration writes it: a name, or ``{name: parameters}``."""
        return {self.name: dict(self.params)} if self.params else self.name


def parse_steps(config: Any) -> tuple[Step, ...]:
    """Steps from a configuration's list of names and ``{name: parameters}``.

    Raises:
        ConfigError: an entry of another form, an unknown transform or parameter.
    """
    if isinstance(config, str) or not isinstance(config, Sequence):
        raise ConfigError(f"transforms are {config!r}, expected a list")
    return tuple(map(_step, config))


def _step(entry: Any) -> Step:
    if isinstance(entry, Step):
        return entry
    if isinstance(entry, str):
        return Step(entry)
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, params),) = entry.items()
        return Step(str(name), {} if params is None else params)
    raise ConfigError(f"transform {entry!r} is neither a name nor one name with its parameters")

"""YAML mappings as plain containers, read quickly and strictly."""

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

import yaml

from registry.errors import ConfigError

Config = dict[str, Any]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):
    """Safe YAML in which 1e-3 is a number and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", node.start_mark
                )
        return cast(dict[Any, Any], super().construct_mapping(node, deep))


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$|^[-+]?\.\d[\d_]*([eE][-+]?\d+)?$"),
    list("-+.0123456789"),
)


def read_yaml(file: Path | Traversable) -> Config:
    """A YAML mapping as plain containers; what OmegaConf would fill in (``${...}``) is refused.

    Raises:
        ConfigError: it cannot be read, does not parse, or is no mapping of words to values.
    """
    try:
        text = file.read_text(encoding="utf-8")
        values = yaml.load(text, Loader=_StrictLoader)
        if "${" in text:
            raise ValueError("${...} is not filled in here: write the value itself")
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError, ValueError) as error:
        raise ConfigError(f"{file}: {one_line(error)}") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{file}: expected a mapping of keys to values")
    return values


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Config:
    """`base` with `over` laid on top: mappings are merged, everything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def one_line(error: BaseException) -> str:
    """An error's message without its line breaks."""
    return " ".join(str(error).split())


def to_yaml(config: Mapping[str, Any]) -> str:
    """The configuration as YAML text."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))

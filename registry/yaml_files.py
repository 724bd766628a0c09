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


class _Dumper(yaml.SafeDumper):
    """Writes what `_StrictLoader` reads as it was, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_REPLACED = (_INT, _FLOAT, "tag:yaml.org,2002:timestamp")


def _number(loader: Any, node: yaml.ScalarNode) -> float:
    """A float; one that would be rounded to nothing is refused."""
    value = float(node.value.replace(".inf", "inf").replace(".nan", "nan"))
    if value == 0 and re.search("[1-9]", re.split("[eE]", node.value)[0]):
        raise ValueError(f"{node.value} is too small to be told from 0")
    return value


for _class in (_StrictLoader, _Dumper):
    # Numbers as everywhere else, 1e-3 among them; not YAML 1.1's 1:30 for 90, 010 for 8, dates.
    _class.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
        for first, resolvers in _class.yaml_implicit_resolvers.items()
    }
    _class.add_implicit_resolver(_INT, re.compile(r"[-+]?(0|[1-9]\d*)$"), list("-+0123456789"))
    _class.add_implicit_resolver(
        _FLOAT,
        re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?$|[-+]?\.inf$|\.nan$"),
        list("-+.0123456789"),
    )
_StrictLoader.add_constructor(_FLOAT, _number)


def read_yaml(file: Path | Traversable) -> Config:
    """A YAML mapping as plain containers; ``${...}``, which other tools fill in, is refused.

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


def read_value(text: str) -> Any:
    """One YAML value as plain containers, read as in a file.

    Raises:
        ConfigError: it does not parse.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(one_line(error)) from None


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
    text: str = yaml.dump(
        dict(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return text

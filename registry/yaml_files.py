"""YAML mappings as plain containers, read quickly and strictly.

Whoever's file it is, it is small, not deep, and no shorter than what it says: a file of a few
hundred bytes whose aliases multiply would fill the memory of whoever walks through it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

import yaml

from registry.errors import ConfigError
from registry.outside import read_text

Config = dict[str, Any]

LARGEST = 4_000_000
"""Bytes that a YAML file may have."""
DEEPEST = 50
"""Containers within each other."""
MOST_VALUES = 200_000
"""Values and keys of a file, those that aliases repeat counted as often as they stand for."""
MOST_DIGITS = 18
"""Of a whole number: what every machine's integers hold."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT, _FLOAT, _TIME, _MERGE, *_OTHERS = (
    f"tag:yaml.org,2002:{kind}"
    for kind in ("int", "float", "timestamp", "merge", "binary", "omap", "pairs", "set")
)


class _StrictLoader(_Loader):
    """Safe YAML: 1e-3 is a number, 1:30, 010 and a date are none; no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        own = [key for key, _ in node.value if key.tag != _MERGE]
        seen = set()
        for key in (self.construct_object(key, deep=True) for key in own):
            if isinstance(key, list | dict | set):
                raise _at(node, f"a key is {type(key).__name__}, expected a word")
            if key in seen:
                raise _at(node, f"the key {key!r} stands twice")
            seen.add(key)
        return cast(dict[Any, Any], super().construct_mapping(node, deep))

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        digits = len(node.value.lstrip("+-"))
        if digits > MOST_DIGITS:
            raise _at(node, f"a whole number of {digits} digits is too large")
        return int(node.value)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        value = float(node.value.replace(".inf", "inf").replace(".nan", "nan"))
        if value == 0 and re.search("[1-9]", re.split("[eE]", node.value)[0]):
            raise _at(node, f"{node.value} is too small to be told from 0")
        return value


class _Dumper(yaml.SafeDumper):
    """Writes what `_StrictLoader` reads as it was, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag in (_TIME, *_OTHERS):
    _StrictLoader.add_constructor(_tag, _StrictLoader.construct_undefined)
_StrictLoader.add_constructor(_INT, _StrictLoader.construct_yaml_int)
_StrictLoader.add_constructor(_FLOAT, _StrictLoader.construct_yaml_float)
for _class in (_StrictLoader, _Dumper):
    # Numbers as everywhere else, 1e-3 among them. YAML 1.1 reads 1:30 as 90, 010 as 8 and 1_2 as
    # 12, which nobody means who writes a person's id.
    _class.yaml_implicit_resolvers = {
        first: [(tag, match) for tag, match in known if tag not in (_INT, _FLOAT, _TIME)]
        for first, known in _class.yaml_implicit_resolvers.items()
    }
    _class.add_implicit_resolver(_INT, re.compile(r"[-+]?(0|[1-9]\d*)$"), list("-+0123456789"))
    _class.add_implicit_resolver(
        _FLOAT,
        re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?$|[-+]?\.inf$|\.nan$"),
        list("-+.0123456789"),
    )


def read_yaml(file: Path | Traversable) -> Config:
    """A YAML mapping as plain containers; ``${...}``, which other tools fill in, is refused.

    Raises:
        ConfigError: it cannot be read, does not parse, is no mapping of words to values, or is
            larger or deeper than `LARGEST`, `DEEPEST` and `MOST_VALUES` allow.
    """
    try:
        text = read_text(file, LARGEST) if isinstance(file, Path) else file.read_text("utf-8")
        _require_bounded(text)
        values = yaml.load(text, Loader=_StrictLoader)
        if "${" in text:
            raise ValueError("${...} is not filled in here: write the value itself")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f", line {mark.line + 1}"
        raise ConfigError(f"{file}{place}: {error.problem or one_line(error)}") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError, ValueError) as error:
        raise ConfigError(f"{file}: {one_line(error)}") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{file}: expected a mapping of keys to values")
    return values


def read_value(text: str) -> Any:
    """One YAML value as plain containers, read as in a file.

    Raises:
        ConfigError: it does not parse, or is larger or deeper than a file may be.
    """
    try:
        _require_bounded(text)
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(error.problem or one_line(error)) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(one_line(error)) from None


@dataclass
class _Part:
    """A container while it is read, or what an anchor names."""

    anchor: str | None
    values: int
    height: int = 0


def _require_bounded(text: str) -> None:
    """Look at the file's events before anything is made of it: PyYAML descends without a limit."""
    above: list[_Part] = []
    named: dict[str | None, _Part] = {}
    values = 0
    for event in yaml.parse(text, Loader=_Loader):
        height = 0
        if isinstance(event, yaml.CollectionEndEvent):
            part = above.pop()
            part.values, height = values - part.values, part.height + 1
            named[part.anchor] = part
        elif not isinstance(event, yaml.NodeEvent):
            continue
        elif isinstance(event, yaml.CollectionStartEvent):
            above.append(_Part(event.anchor, values))
            values += 1
        elif isinstance(event, yaml.AliasEvent):
            if any(part.anchor == event.anchor for part in above):
                raise _at(event, f"*{event.anchor} stands within itself")
            meant = named.get(event.anchor, _Part(None, 1))
            values, height = values + meant.values, meant.height + 1
        else:
            values += 1
            named[event.anchor] = _Part(event.anchor, 1, -1)
        if above:
            above[-1].height = max(above[-1].height, height)
        if len(above) + height > DEEPEST:
            raise _at(event, f"more than {DEEPEST} containers within each other")
        if values > MOST_VALUES:
            raise _at(event, f"more than {MOST_VALUES} values, aliases counted in full")


def _at(place: Any, what: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=place.start_mark)


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

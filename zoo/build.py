"""The one strict way from a mapping (YAML, JSON, keyword arguments) to a dataclass, and back."""

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePath
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, cast

from registry.nearest import did_you_mean
from zoo.errors import ConfigError, ZooError

T = TypeVar("T")

Measured = Annotated[float, "null is NaN"]
"""A number that may be undefined: null in a file, NaN here."""


class _MisfitError(Exception):
    """A value that does not fit: where below the root, and what is wrong with it.

    `at` is the path to look for in the file, which for an unknown key is that key's own.
    """

    def __init__(self, where: str, message: str, at: str | None = None) -> None:
        super().__init__(message)
        self.where = where
        self.at = where if at is None else at


def build(
    cls: type[T],
    values: Any,
    where: str,
    *,
    error: type[ZooError] = ConfigError,
    places: Mapping[str, str] = MappingProxyType({}),
) -> T:
    """An instance of the dataclass `cls` from keys and values.

    Every key must be a field; what is not given keeps its default. Values are checked against the
    fields' types: ``bool``, ``int``, finite ``float`` (a whole number will do), ``str`` (a whole
    number will do: YAML reads an exercise called 5 as one), ``None``, ``Literal``, unions of
    these, `Measured`, ``tuple[X, ...]`` and ``list[X]`` (from any list), fixed ``tuple[X, Y]``,
    ``Mapping[str, X]``, dataclasses, and ``Any``. A field may stand under another key with
    ``field(metadata={"key": "set"})``, under none with ``None``. A dataclass with a class attribute
    ``shorthand`` can be given as the value of that field alone, as ``stgcn`` for ``{name: stgcn}``.

    Args:
        cls: a dataclass; what its own ``__post_init__`` refuses passes through as it is.
        values: a mapping, or a shorthand.
        where: it stands, such as ``experiment d2sta-kimore: bench``; messages begin with it. Where
            it ends in a colon, keys are named after a space, else after a dot.
        error: class of the errors.
        places: stands in place of `where` for some keys: path → such as ``dataset.yaml, line 3:``.

    Raises:
        ZooError: `error`, for an unknown key (the nearest is named), a missing one, or a value of
            another type; the message says where.
    """
    try:
        return cast(T, _dataclass(cast(Any, cls))(values, ""))
    except _MisfitError as fault:
        raise error(_message(places.get(fault.at, where), fault)) from None


def to_plain(value: Any) -> Any:
    """The way back: dataclasses and named tuples as mappings, under the keys `build` takes.

    For JSON or YAML: sequences are lists, numbers that are not finite None. What is left out of a
    dataclass's constructor, or stands under no key, is left out here too.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.metadata.get("key", f.name): to_plain(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if f.init and f.metadata.get("key", f.name) is not None
        }
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, PurePath) else value


def build_arguments(
    function: Callable[..., Any], values: Any, where: str, *, skip: int = 0
) -> dict[str, Any]:
    """Keyword arguments for `function`, checked by its signature as `build` checks fields.

    Args:
        function: or class; its annotations say what is expected, a parameter without one takes
            anything.
        values: a mapping.
        where: it stands; messages begin with it.
        skip: parameters at the beginning that are not settings.

    Returns:
        Every parameter with its value, defaults among them.

    Raises:
        ConfigError: an unknown key, a missing one, or a value of another type.
    """
    annotated = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    hints = typing.get_type_hints(annotated)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    signature = inspect.signature(function).parameters.values()
    parameters = [p for p in signature if p.kind not in variable][skip:]
    known = {
        p.name: _Field(p.name, _converter(hints.get(p.name, Any)), p.default is p.empty)
        for p in parameters
    }
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    try:
        return {**defaults, **_fields(known, values, "")}
    except _MisfitError as fault:
        raise ConfigError(_message(where, fault)) from None


def require_keys(values: Any, known: Sequence[str], where: str) -> Mapping[str, Any]:
    """`values`, if they are a mapping with no other keys than `known`.

    Raises:
        ConfigError: they are not; the message begins with `where` they stand.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {values!r}, expected keys and values")
    for key in values:
        if key not in known:
            raise ConfigError(f"{where} {_no_key(key, known)}")
    return values


Converter = Callable[[Any, str], Any]


class _Field(NamedTuple):
    name: str
    convert: Converter
    required: bool


def _message(where: str, fault: _MisfitError) -> str:
    between = "" if fault.where.startswith("[") else " " if where.endswith(":") else "."
    return f"{where}{between}{fault.where} {fault}" if fault.where else f"{where} {fault}"


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _no_key(key: Any, known: Sequence[str]) -> str:
    return f"has no key {str(key)!r}. {did_you_mean(str(key), known)}"


@lru_cache(maxsize=256)
def _dataclass(cls: type) -> Converter:
    hints = typing.get_type_hints(cls, include_extras=True)
    known: dict[str, _Field] = {}
    for f in dataclasses.fields(cls):
        if f.init:
            required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
            key = f.metadata.get("key", f.name)
            if key is None:
                continue
            known[key] = _Field(f.name, _converter(hints[f.name]), required)
    shorthand: str | None = getattr(cls, "shorthand", None)

    def convert(value: Any, path: str) -> Any:
        if isinstance(value, cls):
            return value
        if shorthand is not None and not isinstance(value, Mapping):
            value = {shorthand: value}
        return cls(**_fields(known, value, path))

    return convert


def _fields(known: Mapping[str, _Field], value: Any, path: str) -> dict[str, Any]:
    if type(value) is not dict and not isinstance(value, Mapping):  # quick for thousands of records
        raise _MisfitError(path, f"is {value!r}, expected keys and values")
    found: dict[str, Any] = {}
    for key, item in value.items():
        field = known.get(key)
        if field is None:
            raise _MisfitError(path, _no_key(key, list(known)), _below(path, str(key)))
        found[field.name] = field.convert(item, _below(path, key))
    missing = [key for key, field in known.items() if field.required and key not in value]
    if missing:
        raise _MisfitError(path, f"lacks {', '.join(missing)}")
    return found


@lru_cache(maxsize=1024)
def _converter(hint: Any) -> Converter:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value, path: value
    if origin is Annotated:
        return _measured
    if dataclasses.is_dataclass(hint):
        return lambda value, path: _dataclass(cast(type, hint))(value, path)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is Literal:
        return _literal(arguments)
    if origin in (tuple, list) or hint in (tuple, list):
        return _sequence(origin or hint, arguments)
    if (
        isinstance(origin or hint, type)
        and issubclass(origin or hint, Sequence)
        and hint is not str
    ):
        return _sequence(tuple, (*arguments, ...))
    if isinstance(origin or hint, type) and issubclass(origin or hint, Mapping):
        return _mapping(arguments[1] if arguments else Any)
    return _scalar(hint)


def _measured(value: Any, path: str) -> Any:
    if type(value) is float:
        return value
    return math.nan if value is None else _converter(float)(value, path)


def _scalar(hint: Any) -> Converter:
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        type(None): "nothing",
    }

    def convert(value: Any, path: str) -> Any:
        kind = type(value)
        if kind is hint and (kind is not float or math.isfinite(value)):
            return value
        if hint is float and kind is int:
            return float(value)
        if hint is str and kind is int:
            return str(value)
        if hint not in words and isinstance(value, hint):
            return value
        raise _MisfitError(
            path, f"is {value!r}, expected {words.get(hint, getattr(hint, '__name__', hint))}"
        )

    return convert


def _union(arguments: tuple[Any, ...]) -> Converter:
    # An exact type wins over a conversion: 5 stays a number where numbers and text are taken.
    exact = {a for a in arguments if a in (bool, int, float, str, type(None))}
    converters = [_converter(a) for a in arguments if a is not type(None)]
    optional = type(None) in arguments

    def convert(value: Any, path: str) -> Any:
        if (value is None and optional) or (type(value) in exact and type(value) is not float):
            return value
        faults = []
        for one in converters:
            try:
                return one(value, path)
            except _MisfitError as fault:
                faults.append(fault)
        deepest = max(faults, key=lambda fault: len(fault.where))
        if deepest.where != path or len(faults) == 1:
            raise deepest
        expected = [str(f).partition(", expected ")[2] or str(f) for f in faults]
        none = ["nothing"] if optional else []
        raise _MisfitError(path, f"is {value!r}, expected {' or '.join([*expected, *none])}")

    return convert


def _literal(choices: tuple[Any, ...]) -> Converter:
    def convert(value: Any, path: str) -> Any:
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return choice
        raise _MisfitError(path, f"is {value!r}, expected {' or '.join(map(str, choices))}")

    return convert


def _sequence(kind: type, arguments: tuple[Any, ...]) -> Converter:
    fixed = kind is tuple and arguments and arguments[-1] is not ...
    item = _converter(arguments[0] if arguments else Any)
    items = [_converter(a) for a in arguments] if fixed else []

    def convert(value: Any, path: str) -> Any:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
            raise _MisfitError(path, f"is {value!r}, expected a list")
        if fixed and len(value) != len(items):
            raise _MisfitError(path, f"is {value!r}, expected a list of {len(items)}")
        each = items or [item] * len(value)
        return kind(
            one(v, f"{path}[{i}]") for i, (one, v) in enumerate(zip(each, value, strict=True))
        )

    return convert


def _mapping(hint: Any) -> Converter:
    item = _converter(hint)

    def convert(value: Any, path: str) -> Any:
        if type(value) is not dict and not isinstance(value, Mapping):
            raise _MisfitError(path, f"is {value!r}, expected keys and values")
        above = f"{path}." if path else ""
        return {str(key): item(v, f"{above}{key}") for key, v in value.items()}

    return convert

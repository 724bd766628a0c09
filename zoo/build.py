"""The one strict way from a mapping (YAML, JSON, keyword arguments) to a dataclass, and back."""

import builtins
import dataclasses
import functools
import inspect
import math
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, ParamSpec, TypeVar, cast

from registry.nearest import did_you_mean
from zoo.errors import ConfigError, ZooError

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")

Measured = Annotated[float, "null is NaN"]
"""A number that may be undefined: null in a file, NaN here."""

Index = Annotated[int, "from 0"]
"""A whole number from 0: a fold, a seed."""

Place = Annotated[Path | str, "a file or folder"]
"""A path as users name it; a `Path` once it is checked, ``~`` being their own folder."""


class _MisfitError(Exception):
    """A value that does not fit: where below the root, and what is wrong with it.

    `at` is the path to look for in the file, which for an unknown key is that key's own.
    """

    def __init__(self, message: str, unknown: str = "") -> None:
        super().__init__(message)
        self.where = ""
        self.at = unknown

    def below(self, place: str) -> "_MisfitError":
        """The same, seen from the container in which the value stands at `place`."""
        self.where, self.at = _joined(place, self.where), _joined(place, self.at)
        return self


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
    these, `Measured`, `Index`, `Place`, ``tuple[X, ...]`` and ``list[X]`` (from any list or
    array), fixed ``tuple[X, Y]``, ``Mapping[str, X]``, dataclasses, and ``Any``. A number of numpy
    or torch is the number it holds. A field may stand under another key with
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
        return cast(T, _dataclass(cast(Any, cls))(values))
    except _MisfitError as fault:
        raise error(_message(places.get(fault.at, where), fault)) from None


def to_plain(value: Any) -> Any:
    """The way back: dataclasses and named tuples as mappings, under the keys `build` takes.

    For JSON or YAML: sequences and arrays are lists, paths text, numbers that are not finite None.
    What is left out of a dataclass's constructor, or stands under no key, is left out here too.
    """
    value = _unwrapped(value)
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
    function: Callable[..., Any], values: Any, where: str, *, skip: int | str = 0
) -> dict[str, Any]:
    """Keyword arguments for `function`, checked by its signature as `build` checks fields.

    Args:
        function: or class; its annotations say what is expected, a parameter without one takes
            anything.
        values: a mapping.
        where: it stands; messages begin with it.
        skip: parameters that are not settings: how many at the beginning, or the name of one. What
            a function takes beside those it names (``**options``) is let through.

    Returns:
        Every parameter with its value, defaults among them.

    Raises:
        ConfigError: an unknown key, a missing one, or a value of another type.
    """
    hints = _hints(function)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    signature = list(inspect.signature(function).parameters.values())
    parameters = [p for p in signature if p.kind not in variable]
    first, other = (skip, "") if isinstance(skip, int) else (0, skip)
    parameters = [p for p in parameters[first:] if p.name != other]
    known = {
        p.name: _Field(p.name, _converter(hints.get(p.name, Any)), p.default is p.empty)
        for p in parameters
    }
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    free: dict[str, Any] = {}
    if isinstance(values, Mapping) and any(p.kind is p.VAR_KEYWORD for p in signature):
        free = {key: value for key, value in values.items() if key not in known}
        values = {key: value for key, value in values.items() if key in known}
    try:
        return {**defaults, **_fields(known, values), **free}
    except _MisfitError as fault:
        raise ConfigError(_message(where, fault)) from None


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, its arguments checked by their annotations and converted as in `build`.

    The door for values from Python: a fold from numpy is a plain number behind it, a path a `Path`,
    and a text where a list belongs is refused.

    Raises:
        ConfigError: from a call, for an argument of another type; it names function and argument.
    """
    signature = inspect.signature(function)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    held = {name for name, p in signature.parameters.items() if p.kind in variable}
    where = f"{function.__name__}:"

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        hints = _hints(function)
        for name, value in bound.arguments.items():
            if name not in held:
                try:
                    bound.arguments[name] = _converter(hints.get(name, Any))(value)
                except _MisfitError as fault:
                    raise ConfigError(_message(where, fault.below(name))) from None
        return function(*bound.args, **bound.kwargs)

    return call


def require_keys(values: Any, known: Sequence[str], where: str) -> Mapping[str, Any]:
    """`values`, if they are a mapping with no other keys than `known`.

    Raises:
        ConfigError: they are not; the message begins with `where` they stand.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {_shown(values)}, expected keys and values")
    for key in values:
        if key not in known:
            raise ConfigError(f"{where} {_no_key(key, known)}")
    return values


Converter = Callable[[Any], Any]
_LONGEST = 120  # characters of a value in a message


class _Field(NamedTuple):
    name: str
    convert: Converter
    required: bool


def _message(where: str, fault: _MisfitError) -> str:
    if not where:
        return f"{fault.where} {fault}"
    between = "" if fault.where.startswith("[") else " " if where.endswith(":") else "."
    place = fault.where if len(fault.where) <= _LONGEST else f"{fault.where[:_LONGEST]}…"
    return f"{where}{between}{place} {fault}" if place else f"{where} {fault}"


def _joined(place: str, below: str) -> str:
    return f"{place}{'' if not below or below.startswith('[') else '.'}{below}"


def _no_key(key: Any, known: Sequence[str]) -> str:
    word = str(key)[:_LONGEST]
    return f"has no key {word!r}. {did_you_mean(word, known)}"


def _shown(value: Any) -> str:
    """The value as Python writes it, on one line that can be read."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits; containers without end
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


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

    def convert(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if shorthand is not None and not isinstance(value, Mapping):
            value = {shorthand: value}
        return cls(**_fields(known, value))

    return convert


def _fields(known: Mapping[str, _Field], value: Any) -> dict[str, Any]:
    if type(value) is not dict and not isinstance(value, Mapping):  # quick for thousands of records
        raise _MisfitError(f"is {_shown(value)}, expected keys and values")
    found: dict[str, Any] = {}
    for key, item in value.items():
        field = known.get(key)
        if field is None:
            raise _MisfitError(_no_key(key, list(known)), str(key))
        try:
            found[field.name] = field.convert(item)
        except _MisfitError as fault:
            raise fault.below(key) from None
    missing = [key for key, field in known.items() if field.required and key not in value]
    if missing:
        raise _MisfitError(f"lacks {', '.join(missing)}")
    return found


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function's annotations say; `Any` where they name what only type checkers know."""
    annotated = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    annotated = inspect.unwrap(annotated)
    module = getattr(annotated, "__globals__", {})
    found: dict[str, Any] = {}
    for name, hint in getattr(annotated, "__annotations__", {}).items():
        one = types.SimpleNamespace(__annotations__={name: hint})
        try:
            found |= typing.get_type_hints(one, module, _Lenient(module), include_extras=True)
        except (NameError, AttributeError, TypeError, SyntaxError):
            found[name] = Any
    return found


class _Lenient(dict[str, Any]):
    """Names of a module, and `Any` for those it does not have when it runs."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)


def _converter(hint: Any) -> Converter:
    # `int | str` equals `str | int`, but what is said of them follows their order.
    return _converter_of(hint, repr(hint))


@lru_cache(maxsize=1024)
def _converter_of(hint: Any, shown: str) -> Converter:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value: value
    if origin is Annotated:
        return {Measured: _measured, Index: _index, Place: _place}.get(hint) or _converter(
            arguments[0]
        )
    if dataclasses.is_dataclass(hint):
        return lambda value: _dataclass(cast(type, hint))(value)
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


def _measured(value: Any) -> Any:
    if type(value) is float:
        return value
    return math.nan if value is None else _converter(float)(value)


def _index(value: Any) -> int:
    value = _unwrapped(value)
    if type(value) is not int or value < 0:
        raise _MisfitError(f"is {value!r}, expected a whole number from 0")
    return value


def _place(value: Any) -> Path:
    if not isinstance(value, str | PurePath) or not str(value):
        raise _MisfitError(f"is {value!r}, expected a path")
    return Path(value).expanduser()


def _unwrapped(value: Any) -> Any:
    """The plain number in a number of numpy or torch, the list in an array of them."""
    known = type(value).__module__.partition(".")[0] in ("numpy", "torch", "pandas")
    return value.tolist() if known and hasattr(value, "tolist") else value


def _scalar(hint: Any) -> Converter:
    cls = hint if isinstance(hint, type) else typing.get_origin(hint)
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        type(None): "nothing",
    }

    def convert(value: Any) -> Any:
        kind = type(value)
        if kind is hint and (kind is not float or math.isfinite(value)):
            return value
        if hint in words and kind not in words:
            plain = _unwrapped(value)
            if plain is not value:
                return convert(plain)
        if hint is float and kind is int and abs(value) < sys.float_info.max:
            return float(value)
        if hint is str and kind is int:
            return str(value)
        if hint not in words and (not isinstance(cls, type) or isinstance(value, cls)):
            return value
        raise _MisfitError(
            f"is {_shown(value)}, expected {words.get(hint, getattr(hint, '__name__', hint))}"
        )

    return convert


def _union(arguments: tuple[Any, ...]) -> Converter:
    # An exact type wins over a conversion: 5 stays a number where numbers and text are taken.
    exact = {a for a in arguments if a in (bool, int, float, str, type(None))}
    converters = [_converter(a) for a in arguments if a is not type(None)]
    optional = type(None) in arguments

    def convert(value: Any) -> Any:
        if (value is None and optional) or (type(value) in exact and type(value) is not float):
            return value
        plain = _unwrapped(value)
        if type(plain) in exact and type(plain) is not float:
            return plain
        faults = []
        for one in converters:
            try:
                return one(value)
            except _MisfitError as fault:
                faults.append(fault)
        deepest = max(faults, key=lambda fault: len(fault.where))
        if deepest.where or len(faults) == 1:
            raise deepest
        expected = [str(f).partition(", expected ")[2] or str(f) for f in faults]
        none = ["nothing"] if optional else []
        raise _MisfitError(f"is {_shown(value)}, expected {' or '.join([*expected, *none])}")

    return convert


def _literal(choices: tuple[Any, ...]) -> Converter:
    def convert(value: Any) -> Any:
        value = _unwrapped(value)
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return choice
        raise _MisfitError(f"is {_shown(value)}, expected {' or '.join(map(str, choices))}")

    return convert


def _sequence(kind: type, arguments: tuple[Any, ...]) -> Converter:
    fixed = kind is tuple and arguments and arguments[-1] is not ...
    item = _converter(arguments[0] if arguments else Any)
    items = [_converter(a) for a in arguments] if fixed else []

    def convert(value: Any) -> Any:
        value = _unwrapped(value)
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
            raise _MisfitError(f"is {_shown(value)}, expected a list")
        if fixed and len(value) != len(items):
            raise _MisfitError(f"is {_shown(value)}, expected a list of {len(items)}")
        each = items or [item] * len(value)
        found = []
        for i, (one, v) in enumerate(zip(each, value, strict=True)):
            try:
                found.append(one(v))
            except _MisfitError as fault:
                raise fault.below(f"[{i}]") from None
        return kind(found)

    return convert


def _mapping(hint: Any) -> Converter:
    item = _converter(hint)

    def convert(value: Any) -> Any:
        if type(value) is not dict and not isinstance(value, Mapping):
            raise _MisfitError(f"is {_shown(value)}, expected keys and values")
        found: dict[str, Any] = {}
        for key, one in value.items():
            try:
                found[str(key)] = item(one)
            except _MisfitError as fault:
                raise fault.below(str(key)) from None
        return found

    return convert

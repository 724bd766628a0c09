"""The card of a model: what it is, where it comes from, how far it departs from its source."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from registry.errors import RegistryError
from registry.nearest import did_you_mean


@dataclass(frozen=True)
class Published:
    """One number that a paper printed.

    Attributes:
        dataset: dataset and exercise, such as ``kimore/5``.
        protocol: how the paper split the data, in a few words.
        metric: such as ``mad`` or ``spearman``.
        value: in score units of the paper.
        table: where it stands, such as ``Table 3``.
    """

    dataset: str
    protocol: str
    metric: str
    value: float
    table: str


@dataclass(frozen=True)
class Card:
    """What a reader must know of a model before comparing it.

    Attributes:
        title: full name.
        summary: one or two sentences.
        paper: reference, or an empty string for a model of our own.
        doi: digital object identifier.
        year: of the paper.
        streams: streams the model takes by default.
        tags: such as ``graph``, ``trivial``, ``attention``.
        deviations: how this code departs from the paper or its released code.
        open_choices: what the paper leaves open and how it is decided here.
        licence: of the original code, where there is one.
        published: numbers the paper printed.
    """

    title: str
    summary: str = ""
    paper: str = ""
    doi: str = ""
    year: int | None = None
    streams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    open_choices: tuple[str, ...] = ()
    licence: str = ""
    published: tuple[Published, ...] = ()

    @classmethod
    def from_dict(cls, name: str, values: Mapping[str, Any]) -> "Card":
        """A card from the ``card:`` block of a configuration.

        Raises:
            RegistryError: a key that no card has, a value of the wrong kind, or a published
                number without its table.
        """
        known = [f.name for f in fields(cls)]
        block: dict[str, Any] = {"title": name}
        for key, value in values.items():
            if key not in known:
                raise RegistryError(
                    f"card of {name!r}: unknown key {key!r}. {did_you_mean(str(key), known)}"
                )
            if value is not None:  # a key with nothing behind it
                block[key] = _value(f"card of {name!r}: {key}", key, value)
        return cls(**block)


_LISTS = ("streams", "tags", "deviations", "open_choices")


def _value(where: str, key: str, value: Any) -> Any:
    if key == "published":
        if not isinstance(value, list):
            raise RegistryError(f"{where} is {value!r}, expected a list of numbers a paper printed")
        return tuple(_published(where, number) for number in value)
    if key in _LISTS:
        words = value if isinstance(value, list) else [value]
        if not all(isinstance(word, str) for word in words):
            raise RegistryError(f"{where} is {value!r}, expected a list of texts")
        return tuple(words)
    kind = int if key == "year" else str
    if not isinstance(value, kind) or isinstance(value, bool):
        expected = "a number such as 2026" if kind is int else "text (put it in quotes)"
        raise RegistryError(f"{where} is {value!r}, expected {expected}")
    return value


def _published(where: str, number: Any) -> Published:
    try:
        made = Published(**number)
        return replace(made, value=float(made.value))
    except (TypeError, ValueError) as error:
        raise RegistryError(
            f"{where}: a published number needs dataset, protocol, metric, value (a number) and "
            f"table ({error})"
        ) from None

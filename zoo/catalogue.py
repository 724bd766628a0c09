"""What the YAML files of entries say: blocks, parameters, and the card of a model."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from registry import MODELS, Entry
from registry.yaml_files import Config
from zoo.build import build, require_keys
from zoo.errors import ConfigError, UserError

T = TypeVar("T")

_BLOCKS = {
    "model": ("card", "params", "trainer"),
    "dataset": ("card", "params", "exercise"),
    "protocol": ("card", "params", "trainer", "head", "seeds"),
}
"""Keys of an entry's file beside ``code`` and ``variants``; other kinds check their own."""

_MAPPINGS = ("card", "params", "trainer")


FAMILIES = ("trivial", "graph", "classical", "neural")
"""Tags that name a family; the first that a model has decides."""


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
        """A card from the ``card:`` block of a model; a single text does for a list of texts.

        Raises:
            ConfigError: a key that no card has, a value of the wrong kind, or a published
                number without its table.
        """
        given = {"title": name, **{k: v for k, v in values.items() if v is not None}}
        for key in ("streams", "tags", "deviations", "open_choices"):
            if isinstance(given.get(key), str):
                given[key] = [given[key]]
        return build(cls, given, f"model {name!r}: card")


def blocks_of(entry: Entry) -> Config:
    """The blocks of an entry's YAML, variants and the user's files laid on; empty without a file.

    Raises:
        ConfigError: a key that the kind does not have, or a block that is none.
        RegistryError: the entry is broken.
    """
    entry.check()
    known = _BLOCKS.get(entry.kind)
    if known is not None:
        require_keys(entry.config, known, str(entry.file))
    for key in _MAPPINGS:
        value = entry.config.get(key)
        if not isinstance(value, Mapping | None):
            raise ConfigError(f"{entry.file}: {key} is {value!r}, expected keys and values")
    return {k: v for k, v in entry.config.items() if v is not None}


def parameters(entry: Entry) -> Config:
    """Every parameter of an entry with its value: its code's defaults, else as its YAML says.

    Raises:
        ConfigError: see `blocks_of`.
        RegistryError: the code, which is imported, is broken.
    """
    given = blocks_of(entry).get("params", {})
    signature = inspect.signature(entry.load()).parameters.values()
    defaults = {p.name: _plain(p.default) for p in signature if p.default is not p.empty}
    if entry.kind == "model":
        defaults.pop("layout", None)  # no parameter: the data bring it
    return {**defaults, **given}


def _plain(value: Any) -> Any:
    """A default as YAML would hold it: a list for a tuple."""
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def card(name: str) -> Card:
    """The card of a registered model."""
    return card_of(MODELS.get(name))


def card_of(entry: Entry) -> Card:
    """The card of a model's entry, which need not be looked up again."""
    return Card.from_dict(entry.name, blocks_of(entry).get("card", {}))


def family_of(tags: Sequence[str]) -> str:
    """``trivial``, ``classical``, ``neural``, ``graph`` or ``other``, by a model's tags."""
    return next((name for name in FAMILIES if name in tags), "other")


def or_problem(entry: Entry, read: Callable[[Entry], T], otherwise: T) -> tuple[T, str | None]:
    """What `read` says of an entry, or `otherwise` and why it cannot be used; for lists."""
    try:
        return read(entry), None
    except UserError as error:
        return otherwise, entry.problem or str(error)

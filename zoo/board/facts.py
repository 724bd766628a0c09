"""What the registry knows of the models, datasets and protocols that runs name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry import DATASETS, MODELS, UserError
from zoo.catalogue import Card, card, entry_config
from zoo.words import score_digits

OWN = "skeleton-zoo"
"""Distribution of the built-in models."""

FAMILIES = ("trivial", "graph", "classical", "neural")
"""Tags that name a family, the first that a card has decides."""


@dataclass(frozen=True)
class DatasetFacts:
    """What a board says of its dataset: title, score range, and titles of the exercises."""

    title: str
    score_range: tuple[float, float] | None
    exercises: Mapping[str, str]

    @property
    def digits(self) -> int:
        """Decimals of its scores and of errors in them."""
        return score_digits(self.score_range)


def provider(owner: str) -> str:
    """Who provides a model, whatever the version: a distribution, or the name of a file."""
    if owner.endswith(".py"):
        return owner.replace("\\", "/").rpartition("/")[2]
    return owner.partition(" ")[0]


def model_card(model: str, owner: str) -> Card:
    """The card of the model a run names; a bare one where another's model has that name here.

    Args:
        model: registered name.
        owner: who provided it when the run was made.
    """
    known = {entry.name: entry for entry in MODELS}
    if model not in known or provider(known[model].owner) != provider(owner):
        return Card(model)
    try:
        return card(model)
    except UserError:
        return Card(model)


def family(card_of: Card) -> str:
    """``trivial``, ``classical``, ``neural``, ``graph`` or ``other``, by the card's tags."""
    return next((name for name in FAMILIES if name in card_of.tags), "other")


def dataset_facts(name: str) -> DatasetFacts:
    """Title, score range and exercises of a dataset, as far as it is registered here."""
    if name not in DATASETS:
        return DatasetFacts(name, None, {})
    try:
        title = entry_config("dataset", name).get("card", {}).get("title") or name
        adapter: Any = DATASETS.get(name).load()
    except UserError:
        return DatasetFacts(name, None, {})
    span = getattr(adapter, "score_range", None)
    exercises = getattr(adapter, "exercises", None)
    return DatasetFacts(
        str(title),
        (float(span[0]), float(span[1])) if isinstance(span, tuple) else None,
        exercises if isinstance(exercises, Mapping) else {},
    )


def protocol_card(name: str) -> tuple[str, str]:
    """Title and summary of a protocol, as far as it is configured here."""
    try:
        block = entry_config("protocol", name).get("card", {})
    except UserError:
        return name, ""
    return str(block.get("title") or name), str(block.get("summary") or "")

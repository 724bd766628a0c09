"""Models that show what a leak is worth: they know the body and nothing of the movement."""

from registry import MODELS
from zoo.catalogue import Card, card_of, or_problem

LEAK_REFERENCE = "leak-reference"
"""Tag of the card of a model that belongs on every board of a leaky protocol."""


def leak_references() -> list[str]:
    """Names of the registered models whose card says that they are references, sorted.

    A broken model of somebody's is none; it does not end the question.
    """
    cards = ((entry.name, or_problem(entry, card_of, Card(entry.name))[0]) for entry in MODELS)
    return sorted(name for name, card in cards if LEAK_REFERENCE in card.tags)

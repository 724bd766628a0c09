"""Models that show what a leak is worth: they know the body and nothing of the movement."""

from registry import MODELS
from zoo.catalogue import card_of

LEAK_REFERENCE = "leak-reference"
"""Tag of the card of a model that belongs on every board of a leaky protocol."""


def leak_references() -> list[str]:
    """Names of the registered models whose card says that they are references, sorted."""
    return sorted(entry.name for entry in MODELS if LEAK_REFERENCE in card_of(entry).tags)

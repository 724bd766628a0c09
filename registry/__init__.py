"""What is in the zoo and how it is found. Imports nothing of ours, and no torch.

from registry import register_model

@register_model("my-model")
class MyModel(torch.nn.Module): ...
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from registry.card import Card, Published
from registry.discovery import Source, refresh, scan_plugin
from registry.errors import RegistryError, UserError
from registry.nearest import did_you_mean, nearest
from registry.registry import Entry, Registry

T = TypeVar("T")

MODELS = Registry("model", "zoo.models")
DATASETS = Registry("dataset", "zoo.datasets")
PROTOCOLS = Registry("protocol", "zoo.protocols")
LAYOUTS = Registry("layout", "zoo.layouts")
HEADS = Registry("head", home="zoo.nn.heads")

REGISTRIES = {r.kind: r for r in (MODELS, DATASETS, PROTOCOLS, LAYOUTS, HEADS)}
"""Every registry by the kind of thing it holds."""


def register_model(name: str) -> Callable[[T], T]:
    """Put a model class into the zoo: called with a layout, it gives a module on batches."""
    return MODELS.register(name)


def register_dataset(name: str) -> Callable[[T], T]:
    """Put a dataset adapter into the zoo."""
    return DATASETS.register(name)


def register_protocol(name: str) -> Callable[[T], T]:
    """Put a protocol factory into the zoo."""
    return PROTOCOLS.register(name)


def register_layout(name: str) -> Callable[[T], T]:
    """Put a layout factory into the zoo."""
    return LAYOUTS.register(name)


def register_head(name: str) -> Callable[[T], T]:
    """Put a head, a `zoo.nn.heads.Head`, into the zoo: what ``model.head`` can name."""
    return HEADS.register(name)


def add_plugin(path: str | Path) -> list[str]:
    """Add what a plug-in file registers, and return the names; the file is not run yet.

    Raises:
        RegistryError: no such file, it does not parse, or it registers nothing.
    """
    found = scan_plugin(path)
    for kind, name, source in found:
        REGISTRIES[kind].add(name, source)
    return [name for _, name, _ in found]


__all__ = [
    "DATASETS",
    "HEADS",
    "LAYOUTS",
    "MODELS",
    "PROTOCOLS",
    "REGISTRIES",
    "Card",
    "Entry",
    "Published",
    "Registry",
    "RegistryError",
    "Source",
    "UserError",
    "add_plugin",
    "did_you_mean",
    "nearest",
    "refresh",
    "register_dataset",
    "register_head",
    "register_layout",
    "register_model",
    "register_protocol",
    "scan_plugin",
]

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
METRICS = Registry("metric", home="zoo.evaluation.metrics")
SPLITS = Registry("split", home="zoo.protocol.splits")
STRATA = Registry("stratum", home="zoo.protocol.splits")
TRANSFORMS = Registry("transform", home="zoo.data.transforms")
ATTRIBUTIONS = Registry("attribution", home="zoo.explain.methods")
READERS = Registry("reader", home="zoo.data.readers")

REGISTRIES = {
    r.kind: r
    for r in (
        MODELS,
        DATASETS,
        PROTOCOLS,
        LAYOUTS,
        METRICS,
        SPLITS,
        STRATA,
        TRANSFORMS,
        ATTRIBUTIONS,
        READERS,
    )
}
"""Every registry by the kind of thing it holds."""

register_metric = METRICS.register
"""Put a metric into the zoo: a subclass of `zoo.evaluation.metrics.Metric`."""

register_split = SPLITS.register
"""Put a way of splitting into the zoo: a dataclass derived from `zoo.protocol.splits.SplitRule`."""

register_stratum = STRATA.register
"""Put what a split can spread evenly into the zoo: a function of samples, a label for each."""

register_transform = TRANSFORMS.register
"""Put a transform into the zoo: a function ``(motion, **settings) -> motion``."""

register_attribution = ATTRIBUTIONS.register
"""Put an attribution into the zoo: a function ``Sample -> Attribution``."""

register_reader = READERS.register
"""Put a reader of files into the zoo: a subclass of `zoo.data.readers.Reader`."""


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
    "ATTRIBUTIONS",
    "DATASETS",
    "LAYOUTS",
    "METRICS",
    "MODELS",
    "PROTOCOLS",
    "READERS",
    "REGISTRIES",
    "SPLITS",
    "STRATA",
    "TRANSFORMS",
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
    "register_attribution",
    "register_dataset",
    "register_layout",
    "register_metric",
    "register_model",
    "register_protocol",
    "register_reader",
    "register_split",
    "register_stratum",
    "register_transform",
    "scan_plugin",
]

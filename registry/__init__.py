"""What is in the zoo and how it is found. Imports nothing of ours, and no torch.

from registry import register_model

@register_model("my-model")
class MyModel(torch.nn.Module): ...
"""

from pathlib import Path

from registry.catalogues import (
    config_names,
    distribution_catalogues,
    find_config,
    use_config_dir,
    user_config_dirs,
)
from registry.discovery import Source, scan_plugin
from registry.entry import Entry
from registry.errors import RegistryError, UserError
from registry.nearest import did_you_mean, nearest
from registry.places import forget_places
from registry.registry import Registry

MODELS = Registry("model")
DATASETS = Registry("dataset")
PROTOCOLS = Registry("protocol", builder="zoo.protocol.protocol:Protocol.from_config")
LAYOUTS = Registry("layout", builder="zoo.skeleton.layout:Layout.from_config")
HEADS = Registry("head", home="zoo.nn.heads")

METRICS = Registry("metric", home="zoo.evaluation.metrics")
SPLITS = Registry("split", home="zoo.protocol.splits")
STRATA = Registry("stratum", home="zoo.protocol.splits")
TRANSFORMS = Registry("transform", home="zoo.data.transforms")
ATTRIBUTIONS = Registry("attribution", home="zoo.explain.methods")
READERS = Registry("reader", home="zoo.data.readers")
FIGURES = Registry("figure", home="zoo.experiments.figures")

REGISTRIES = {
    r.kind: r
    for r in (
        MODELS,
        DATASETS,
        PROTOCOLS,
        LAYOUTS,
        HEADS,
        METRICS,
        SPLITS,
        STRATA,
        TRANSFORMS,
        ATTRIBUTIONS,
        READERS,
        FIGURES,
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

register_figure = FIGURES.register
"""Put a figure of reports into the zoo: a function as those of `zoo.experiments.figures`."""


register_model = MODELS.register
"""Put a model class into the zoo: called with a layout, it gives a module on batches."""

register_dataset = DATASETS.register
"""Put a dataset adapter into the zoo."""

register_protocol = PROTOCOLS.register
"""Put a protocol factory into the zoo."""

register_layout = LAYOUTS.register
"""Put a layout factory into the zoo."""


register_head = HEADS.register
"""Put a head, a `zoo.nn.heads.Head`, into the zoo: what ``model.head`` can name."""


def add_plugin(path: str | Path) -> list[str]:
    """Add what a plug-in file registers, and return the names; the file is not run yet.

    Raises:
        RegistryError: no such file, it does not parse, or it registers nothing.
    """
    found = scan_plugin(path)
    for kind, name, source in found:
        REGISTRIES[kind].add(name, source)
    return [name for _, name, _ in found]


def refresh() -> None:
    """Look at the installed distributions anew; for long-lived processes that install some."""
    forget_places()
    distribution_catalogues.cache_clear()


__all__ = [
    "ATTRIBUTIONS",
    "DATASETS",
    "FIGURES",
    "HEADS",
    "LAYOUTS",
    "METRICS",
    "MODELS",
    "PROTOCOLS",
    "READERS",
    "REGISTRIES",
    "SPLITS",
    "STRATA",
    "TRANSFORMS",
    "Entry",
    "Registry",
    "RegistryError",
    "Source",
    "UserError",
    "add_plugin",
    "config_names",
    "did_you_mean",
    "find_config",
    "nearest",
    "refresh",
    "register_attribution",
    "register_dataset",
    "register_figure",
    "register_head",
    "register_layout",
    "register_metric",
    "register_model",
    "register_protocol",
    "register_reader",
    "register_split",
    "register_stratum",
    "register_transform",
    "scan_plugin",
    "use_config_dir",
    "user_config_dirs",
]

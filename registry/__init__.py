"""What is in the zoo and how it is found. Imports nothing of ours, and no torch.

from registry import register_model

@register_model("my-model")
class MyModel(torch.nn.Module): ...
"""

import importlib
from pathlib import Path

from registry.catalogues import config_names as config_names
from registry.catalogues import distribution_catalogues
from registry.catalogues import find_config as find_config
from registry.catalogues import use_config_dir as use_config_dir
from registry.catalogues import user_config_dirs as user_config_dirs
from registry.entry import Entry as Entry
from registry.entry import Source as Source
from registry.entry import code_digest as code_digest
from registry.entry import forget_edited, scan_plugin
from registry.errors import RegistryError as RegistryError
from registry.errors import UserError as UserError
from registry.nearest import did_you_mean as did_you_mean
from registry.nearest import nearest as nearest
from registry.places import expected_place, module_file, package_place
from registry.registry import Registry as Registry

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

REGISTRIES = {r.kind: r for r in list(globals().values()) if isinstance(r, Registry)}
"""Every registry by the kind of thing it holds."""

# Decorators that put into the zoo
register_model = MODELS.register  # a class: called with a layout, it gives a module on batches
register_dataset = DATASETS.register  # an adapter
register_protocol = PROTOCOLS.register  # a factory
register_layout = LAYOUTS.register  # a factory
register_head = HEADS.register  # a `zoo.nn.heads.Head`: what ``model.head`` can name
register_metric = METRICS.register  # a subclass of `zoo.evaluation.metrics.Metric`
register_split = SPLITS.register  # a dataclass derived from `zoo.protocol.splits.SplitRule`
register_stratum = STRATA.register  # a function of samples, what to spread evenly: a label for each
register_transform = TRANSFORMS.register  # a function ``(motion, **settings) -> motion``
register_attribution = ATTRIBUTIONS.register  # a function ``Sample -> Attribution``
register_reader = READERS.register  # a subclass of `zoo.data.readers.Reader`
register_figure = FIGURES.register  # a function as those of `zoo.experiments.figures`


def add_plugin(path: str | Path) -> list[str]:
    """Add what a plug-in file registers, and return the names; the file is not run yet.

    A file that was edited since it was added takes the place of what it was.

    Raises:
        RegistryError: no such file, it does not parse, or it registers nothing.
    """
    found = scan_plugin(path, REGISTRIES)
    file = Path(found[0][2].module)
    if forget_edited(file):
        for entries in REGISTRIES.values():
            entries.forget_file(str(file))
    for kind, name, source in found:
        REGISTRIES[kind].add(name, source)
    return [name for _, name, _ in found]


def refresh() -> None:
    """Look at the installed distributions anew; for long-lived processes that install some."""
    for known in (package_place, expected_place, module_file, distribution_catalogues):
        known.cache_clear()
    importlib.invalidate_caches()

"""The ways of explaining a score, by name."""

from collections.abc import Callable, Mapping

from registry.nearest import did_you_mean
from zoo.errors import ConfigError
from zoo.explain.attention import attention_rollup
from zoo.explain.attribution import Attribution
from zoo.explain.edges import edge_attribution
from zoo.explain.gradients import integrated_gradients
from zoo.explain.motion import range_of_motion
from zoo.explain.occlusion import occlusion
from zoo.explain.sample import Sample

METHODS: Mapping[str, Callable[[Sample], Attribution]] = {
    "integrated-gradients": integrated_gradients,
    "occlusion-parts": occlusion,
    "occlusion-joints": lambda sample: occlusion(sample, of="joints"),
    "attention-rollup": attention_rollup,
    "edges": edge_attribution,
    "range-of-motion": range_of_motion,
}
"""Methods with their usual settings."""

SHORT: Mapping[str, str] = {
    "gradients": "integrated-gradients",
    "occlusion": "occlusion-parts",
    "attention": "attention-rollup",
    "motion": "range-of-motion",
}
"""Short names of methods."""


def attribute(sample: Sample, method: str) -> Attribution:
    """The attribution of a sample by the method of this name, one of `METHODS` or of `SHORT`.

    Raises:
        ConfigError: no method has this name.
        DataError: the model does not have what the method needs.
    """
    name = SHORT.get(method, method)
    if name not in METHODS:
        near = did_you_mean(method, [*SHORT, *METHODS])
        raise ConfigError(f"no attribution is called {method!r}. {near}")
    return METHODS[name](sample)

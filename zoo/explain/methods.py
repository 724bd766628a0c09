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


def attribute(sample: Sample, method: str) -> Attribution:
    """The attribution of a sample by the method of this name.

    Raises:
        ConfigError: no method has this name.
        DataError: the model does not have what the method needs.
    """
    if method not in METHODS:
        raise ConfigError(f"no attribution is called {method!r}. {did_you_mean(method, METHODS)}")
    return METHODS[method](sample)

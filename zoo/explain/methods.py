"""The ways of explaining a score, by name: functions of a sample that register themselves.

One of your own is taken like these: see docs/extending.md.
"""

from registry import ATTRIBUTIONS, RegistryError
from zoo.explain import (  # noqa: F401 - they register themselves
    attention,
    edges,
    gradients,
    motion,
    occlusion,
)
from zoo.explain.attribution import Attribution
from zoo.explain.sample import Sample


def attribute(sample: Sample, method: str) -> Attribution:
    """The attribution of a sample by the registered method of this name.

    Raises:
        RegistryError: no method has this name, or it is broken.
        DataError: the model does not have what the method needs.
    """
    entry = ATTRIBUTIONS.get(method)
    found = entry.load()(sample)
    if not isinstance(found, Attribution):
        raise RegistryError(f"attribution {method!r} of {entry.owner} gave {found!r}")
    return found

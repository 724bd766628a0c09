"""The ways of explaining a score, by name: functions of a sample that register themselves.

One of your own is taken like these: see docs/extending.md.
"""

from registry import ATTRIBUTIONS, RegistryError, register_attribution
from zoo.explain import attention, descriptors, edges, gradients, occlusion  # noqa: F401
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


@register_attribution("motion")
def range_of_motion(sample: Sample) -> Attribution:
    r"""How far each joint is from its own mean, which no explanation should lose against.

    .. math:: a_{t,v} = \frac{|x_{t,v} - \bar x_v|^2}{T \sigma_v}, \qquad
        \sigma_v = \sqrt{\tfrac1T \textstyle\sum_t |x_{t,v} - \bar x_v|^2},

    so that a joint's sum over time is its standard deviation σ, in the unit of the recorded stream
    (`Sample.motion`). The pelvis of a centred skeleton does not move.
    """
    motion = sample.motion.double()
    squares = (motion - motion.mean(0)).square().sum(-1)
    deviation = squares.mean(0).sqrt()
    return sample.attribution(
        "motion",
        squares / (len(motion) * deviation.clamp(min=1e-12)),
        title="range of motion",
        note="standard deviation over time of the transformed recording; no model is asked",
        unit=sample.motion_unit,
    )

"""Taking away the size of the body."""

from registry import register_transform
from zoo.data.transforms.body import bone_lengths
from zoo.data.transforms.motion import Motion
from zoo.errors import DataError


@register_transform("scale-body")
def scale_body(motion: Motion) -> Motion:
    """Positions in units of the body's own size, without dimension.

    x' = x / s, s = a tenth of the sum over bones of the bone's median length over time: about
    half a metre for an adult under Kinect's layout. Body size tells people apart.
    """
    if "position" not in motion.streams:
        return motion
    x = motion.streams["position"]
    size = float(bone_lengths(x, motion.layout).sum()) / 10
    if not size > 0:
        raise DataError(f"recording {motion.name}: all bones have length 0")
    return motion.with_streams(position=x / size)

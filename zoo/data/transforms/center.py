"""Taking away the place of the body, or its way through the room."""

import numpy as np

from registry import register_transform
from zoo.data.transforms.body import pelvis
from zoo.data.transforms.motion import Motion
from zoo.errors import ConfigError


@register_transform("center")
def center(motion: Motion, by: str = "frame") -> Motion:
    """Positions relative to the pelvis (`pelvis`).

    Args:
        motion: the recording.
        by: ``frame`` subtracts the pelvis of each frame, x'ₜᵥ = xₜᵥ − pₜ, as 2s-AGCN does: the
            way of the body through the room is lost. ``first`` subtracts that of the first frame,
            as PYSKL does; ``median`` that of the middle of the recording, robust where the
            recording starts badly: both keep the way and lose only the place.
    """
    if "position" not in motion.streams:
        return motion
    x = motion.streams["position"]
    origin = pelvis(x, motion.layout)
    if by == "first":
        origin = origin[:1]
    elif by == "median":
        origin = np.median(origin, axis=0, keepdims=True)
    elif by != "frame":
        raise ConfigError(f"transform center: by is {by!r}, expected frame, first or median")
    return motion.with_streams(position=x - origin[:, None])

"""Transforms of one recording: repair, smoothing, place, size, direction.

A `Motion` holds the recording's streams at their own frame rate. A transform is a function
``(motion, **settings) -> motion`` with annotated settings; it never changes its input, and leaves
alone what it cannot treat: without positions there is no place to remove. Positions are camera
space in metres, y up, x from the person's left to their right when they face the sensor, z away
from the sensor.

A protocol lists transforms by the names under which they are registered; docs/extending.md adds
one. Interpolation in time and derived streams, which follow the cutting into
segments, are in `zoo.data.resample`.
"""

from zoo.data.transforms.body import (
    center,
    face_camera,
    hips_centred,
    pelvis_joints,
    scale_body,
    side_pairs,
)
from zoo.data.transforms.motion import RAW_STREAMS, Motion, normalized
from zoo.data.transforms.repair import good_frames, repair_jumps, smooth
from zoo.data.transforms.steps import Step, parse_steps

__all__ = [
    "RAW_STREAMS",
    "Motion",
    "Step",
    "center",
    "face_camera",
    "good_frames",
    "hips_centred",
    "normalized",
    "parse_steps",
    "pelvis_joints",
    "repair_jumps",
    "scale_body",
    "side_pairs",
    "smooth",
]

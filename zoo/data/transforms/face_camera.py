"""Taking away the direction in which the body stands."""

import numpy as np

from registry import register_transform
from zoo.data.transforms.body import side_pairs
from zoo.data.transforms.motion import Motion


@register_transform("face-camera")
def face_camera(motion: Motion) -> Motion:
    """The body turned about the vertical (y) until, on average, it faces the sensor.

    The mean over time of the vector from left to right, through shoulders and hips
    (`side_pairs`), is laid along x by one rotation for the whole recording, about the origin.
    Orientations are turned with it, q' = r ⊗ q, but for joints without one (the identity in every
    frame): turned, they would tell where a person stood. Angles are relative and stay.
    """
    if "position" not in motion.streams:
        return motion
    x = motion.streams["position"]
    pairs = side_pairs(motion.layout)
    if not pairs:
        return motion
    left, right = ([pair[i] for pair in pairs] for i in (0, 1))
    across = (x[:, right] - x[:, left]).mean(axis=(0, 1))
    length = float(np.hypot(across[0], across[2]))
    if length < 1e-6:
        return motion
    cos, sin = across[0] / length, across[2] / length
    turned = {
        "position": np.stack(
            [cos * x[..., 0] + sin * x[..., 2], x[..., 1], cos * x[..., 2] - sin * x[..., 0]], -1
        )
    }
    q = motion.streams.get("orientation")
    if q is not None:
        half = 0.5 * np.arctan2(sin, cos)
        w, y = np.cos(half), np.sin(half)
        product = np.stack(
            [
                w * q[..., 0] - y * q[..., 2],
                w * q[..., 1] + y * q[..., 3],
                w * q[..., 2] + y * q[..., 0],
                w * q[..., 3] - y * q[..., 1],
            ],
            -1,
        )
        missing = np.abs(q - (1.0, 0.0, 0.0, 0.0)).max(axis=(0, 2)) < 1e-9
        turned["orientation"] = np.where(missing[:, None], q, product)
    return motion.with_streams(**turned)

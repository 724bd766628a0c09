"""A person before a Kinect v2 for hand-made recordings; used through the fixture `make_body`."""

import numpy as np
from numpy.typing import NDArray

STANDING = np.array(
    [
        *[[0.02, -0.55, 2.64], [0.02, -0.28, 2.58], [0.03, 0.04, 2.52], [0.03, 0.17, 2.49]],
        *[[-0.13, -0.06, 2.53], [-0.17, -0.30, 2.56], [-0.25, -0.52, 2.48], [-0.26, -0.56, 2.47]],
        *[[0.18, -0.06, 2.54], [0.20, -0.28, 2.56], [0.24, -0.48, 2.50], [0.28, -0.54, 2.50]],
        *[[-0.06, -0.55, 2.59], [-0.09, -0.87, 2.58], [-0.13, -1.22, 2.73], [-0.16, -1.29, 2.63]],
        *[[0.10, -0.55, 2.59], [0.11, -0.85, 2.61], [0.15, -1.22, 2.72], [0.17, -1.28, 2.64]],
        *[[0.03, -0.04, 2.54], [-0.25, -0.62, 2.45], [-0.17, -0.58, 2.40]],
        *[[0.26, -0.59, 2.47], [0.21, -0.53, 2.43]],
    ]
)
"""Metres, in the order of the layout kinect-v2."""


def body(frames: int = 30, seed: int = 0, wobble: float = 0.02) -> NDArray[np.float32]:
    """Positions (frames, 25, 3) of somebody who stands and shakes."""
    noise = np.random.default_rng(seed).normal(scale=wobble, size=(frames, 25, 3))
    return (STANDING + noise).astype(np.float32)

"""Writes made-up files of every form that a reader knows."""

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.skeleton.layout import load_layout

FPS = 25
FRAMES = 20
Floats = NDArray[np.float64]


def person(layout: str, frames: int = FRAMES, seed: int = 0) -> Floats:
    """A body that waves (T, V, 3): metres, y up, trunk of half a metre."""
    joints = load_layout(layout).joints
    rng = np.random.default_rng(seed)
    body = rng.uniform(-0.4, 0.4, (len(joints), 3))
    for place, name in enumerate(joints):
        low = name.lower()
        side = -0.15 if "left" in low or low[:1] == "l" else 0.15
        if "shoulder" in low and "spine" not in low:
            body[place] = side, 0.5, 2.0
        elif "hip" in low and low not in ("hip", "midhip"):
            body[place] = side, 0.0, 2.0

"""Made-up recordings of any skeleton: for checks where nobody's data are at hand."""

import numpy as np

from zoo.data.recording import Recording
from zoo.data.rotation import Array
from zoo.skeleton.layout import Layout

_BONE = 0.25
"""Metres."""
_RATE = 30.0


def made_up_recording(layout: Layout, seconds: float = 6.0, seed: int = 0) -> Recording:
    """Somebody who sways: every bone of one length swings at a pace and by an angle of its own.

    Positions, orientations and angles are there, whatever is asked for; nobody is behind them.
    """
    draw = np.random.default_rng(seed)
    time = np.arange(round(seconds * _RATE)) / _RATE
    joints = layout.num_joints
    pace, phase = draw.uniform(0.2, 0.6, joints), draw.uniform(0, 2 * np.pi, joints)
    swing = 0.4 * np.sin(2 * np.pi * pace * time[:, None] + phase)  # (T, V) radians
    rest = draw.normal(size=(joints, 3))
    rest *= _BONE / np.linalg.norm(rest, axis=1, keepdims=True)
    turned = _turned(rest, swing)
    positions = np.zeros((len(time), joints, 3))
    positions[:, layout.root] = (0.0, 1.0, 2.5)
    for joint in _downwards(layout):
        if layout.parents[joint] >= 0:
            positions[:, joint] = positions[:, layout.parents[joint]] + turned[:, joint]
    half, still = swing / 2, np.zeros_like(swing)
    return Recording(
        f"made-up-{seed}",
        "",
        "",
        "",
        "",
        layout.name,
        _RATE,
        positions=positions.astype(np.float32),
        orientations=np.stack([np.cos(half), still, still, np.sin(half)], -1).astype(np.float32),
        angles=np.stack([np.degrees(swing), still, still], -1).astype(np.float32),
    )


def _turned(rest: Array, swing: Array) -> Array:
    """Vectors (V, 3) turned about z by angles (T, V)."""
    cos, sin = np.cos(swing), np.sin(swing)
    x, y, z = rest.T
    return np.stack([cos * x - sin * y, sin * x + cos * y, np.broadcast_to(z, cos.shape)], -1)


def _downwards(layout: Layout) -> list[int]:
    """Joints, every parent before its children."""
    order: list[int] = []
    while len(order) < layout.num_joints:
        order += [
            joint
            for joint, parent in enumerate(layout.parents)
            if joint not in order and (parent < 0 or parent in order)
        ]
    return order

"""Layouts, typed graphs and kinematics of skeletons.

`Layout` and `load_layout` need no torch; what does is imported when first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.skeleton.layout import Layout, load_layout

if TYPE_CHECKING:
    from zoo.skeleton.graph import PARTITIONS, SkeletonGraph, build_graph
    from zoo.skeleton.kinematics import Pose, forward_kinematics

_LAZY = {
    "PARTITIONS": "graph",
    "SkeletonGraph": "graph",
    "build_graph": "graph",
    "Pose": "kinematics",
    "forward_kinematics": "kinematics",
}

__all__ = [
    "PARTITIONS",
    "Layout",
    "Pose",
    "SkeletonGraph",
    "build_graph",
    "forward_kinematics",
    "load_layout",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"zoo.skeleton.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

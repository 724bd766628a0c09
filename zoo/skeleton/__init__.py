"""Layouts, typed graphs and kinematics of skeletons."""

from zoo.skeleton.layout import Layout, load_layout

__all__ = ["Layout", "load_layout"]

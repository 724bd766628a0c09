"""Attention weights over time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from zoo.explain.attribution import Array
from zoo.explain.draw.canvas import Canvas, scale_bar
from zoo.explain.draw.groups import group_names
from zoo.explain.draw.scene import Scene
from zoo.report.figure_style import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = 5
"""Times at which the weights between groups are shown in full."""


def weights_figure(
    scene: Scene, attention: Mapping[str, Array], title: str, subtitle: str = ""
) -> "Figure":
    """How a model in two stages attends: between its groups and along time, means over heads.

    Every scale begins at no attention at all and shows at least twice an even share, so that what
    is even looks even.

    Args:
        scene: tells the times.
        attention: of one sample: ``within_group`` (H, G, T', T') along time and ``between_groups``
            (H, T', G, G) at each time, both [query, key]; ``assignment`` where joints have groups,
            else each joint is its own group.
        title: of the figure.
        subtitle: below the title.
    """
    moments = attention["within_group"].mean(axis=(0, 2))  # (G, T'), over all queries
    between = attention["between_groups"].mean(axis=0)  # (T', G, G)
    frames, groups = between.shape[:2]
    what = "group" if "assignment" in attention else "joint"
    names = group_names(groups) if what == "group" else list(scene.layout.joints)
    small = groups > 12
    row, left, wide, matrix = (9.0 if small else 15.0), (86.0 if small else 60.0), 450.0, 84.0
    band = row * groups
    canvas = Canvas(left + wide + 66, 58 + 2 * (band + 44) + 30 + matrix + 36, title, subtitle)
    half = (scene.times[-1] - scene.times[0]) / max(frames - 1, 1) / 2 or 0.5
    extent = (scene.times[0] - half, scene.times[-1] + half, groups, 0)
    y = 58.0
    for label, shares in (
        (f"a  between {what}s: how much each is looked at", between.mean(axis=1).T * groups),
        (f"b  along time within each {what}: which moments are looked at", moments * frames),
    ):
        axes = canvas.axes(left, y, wide, band)
        image = axes.imshow(
            shares,
            cmap="viridis",
            aspect="auto",
            interpolation="none",
            extent=extent,
            vmin=0,
            vmax=max(2.0, shares.max()),
        )
        axes.set_yticks(np.arange(groups) + 0.5, names)
        axes.tick_params(axis="y", length=0, labelsize=6.5 if small else 8, labelcolor=INK)
        axes.set_title(label, size=9, loc="left", color=INK, pad=4)
        axes.set_xlabel("time, s", size=8, labelpad=1)
        axes.tick_params(axis="x", labelsize=8)
        scale_bar(canvas, image, left + wide + 10, y, band, "× even share")
        y += band + 44
    canvas.text(left, y + 3, f"c  between {what}s at different times", color=INK)
    y += 24
    steps = np.unique(np.linspace(0, frames - 1, min(_STEPS, frames)).round().astype(int))
    times = np.linspace(scene.times[0], scene.times[-1], frames)
    each = wide / len(steps)
    marks = np.arange(0 if small else groups)
    numbers = [str(group + 1) for group in marks]
    for column, step in enumerate(steps):
        axes = canvas.axes(left + column * each, y, each - 12, matrix)
        image = axes.imshow(
            between[step],
            cmap="viridis",
            interpolation="none",
            vmin=0,
            vmax=max(2 / groups, between[steps].max()),
            aspect="auto",
        )
        axes.set_xticks(marks, numbers)
        axes.set_yticks(marks, numbers)
        axes.tick_params(length=0, labelsize=8, labelleft=not column)
        axes.set_title(f"{times[step]:.1f} s", size=8, color=INK, pad=3)
        axes.set_xlabel(f"{what} looked at", size=8)
        axes.set_ylabel("" if column else f"{what} that looks", size=8)
    scale_bar(canvas, image, left + wide + 10, y, matrix, "weight")
    return canvas.figure

"""Sheets: key frames of the moving skeleton, and every joint over time."""

from typing import TYPE_CHECKING

import numpy as np

from zoo.data.segment import equal_pieces
from zoo.explain.attribution import Array
from zoo.explain.draw.canvas import Canvas, colour_bar, mark_parts
from zoo.explain.draw.groups import group_colours, group_names, rows_by_part
from zoo.explain.draw.scene import Scene
from zoo.explain.draw.shades import LOWERS, RAISES, Shades
from zoo.explain.draw.skeleton import SkeletonPlot, draw_groups
from zoo.report.figure_style import INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEY_FRAMES = 6
"""On a sheet, at most."""


def key_frames(shades: Shades) -> list[int]:
    """The frame of each of `KEY_FRAMES` equal stretches in which the joints' values are largest.

    The last fifth of each stretch is left out, so that no two are nearly the same moment. Fewer
    frames where there are fewer.
    """
    strength = np.abs(shades.values).sum(axis=1)
    pieces = equal_pieces(len(strength), min(KEY_FRAMES, len(strength)))
    ends = [max(start + 1, stop - (stop - start) // 5) for start, stop in pieces]
    return [
        start + int(strength[start:end].argmax())
        for (start, _), end in zip(pieces, ends, strict=True)
    ]


def key_frame_sheet(
    scene: Scene, shades: Shades, assignment: Array | None, title: str, subtitle: str = ""
) -> "Figure":
    """Key frames with the attribution, and below them, where joints have groups, their groups.

    Args:
        scene: the moving skeleton.
        shades: the attribution, T frames as the scene.
        assignment: (V, G) the probability of each group, by joint; None where there are none.
        title: of the figure.
        subtitle: below the title.
    """
    frames = key_frames(shades)
    (x0, x1), (y0, y1) = scene.limits
    rows = 1 if assignment is None else 2
    wide, left, top, between = 118.0, 46.0, 54.0, 14.0
    high = float(np.clip((wide - 8) * (y1 - y0) / (x1 - x0), 190, 250))
    right = left + len(frames) * wide
    canvas = Canvas(right + 78, top + rows * (high + between) + 34, title, subtitle)
    across, up = scene.axis_labels
    for row in range(rows):
        y = top + row * (high + between)
        for column, frame in enumerate(frames):
            axes = canvas.axes(left + column * wide, y, wide - 8, high)
            plot = SkeletonPlot(axes, scene, None if row else shades)
            plot.show(frame)
            if row and assignment is not None:
                draw_groups(
                    axes, scene.places[frame], assignment, group_colours(assignment.shape[1])
                )
            else:
                axes.set_title(f"{scene.times[frame]:.1f} s", size=9, color=INK, pad=3)
            axes.set(xlabel="", ylabel="" if column else up)
            if scene.measured:
                axes.tick_params(labelleft=not column, labelbottom=row == rows - 1)
    canvas.text((left + right) / 2, canvas.height - 10, across, ha="center", color=INK)
    colour_bar(canvas, shades, right + 4, top, high)
    if assignment is not None:
        _legend(canvas, assignment.shape[1], right - 4, top + high + between + high / 2)
    return canvas.figure


def _legend(canvas: Canvas, groups: int, x: float, y: float) -> None:
    from matplotlib.lines import Line2D

    canvas.figure.legend(
        [
            Line2D([], [], ls="none", marker="o", color=colour, markeredgecolor=INK, mew=0.5)
            for colour in group_colours(groups)
        ],
        group_names(groups),
        loc="center left",
        bbox_to_anchor=(x / canvas.width, 1 - y / canvas.height),
        frameon=False,
        fontsize=8,
        title="most likely\n(larger: likelier)",
        title_fontsize=7.5,
        handletextpad=0.1,
    )


def joints_over_time(scene: Scene, shades: Shades, title: str, subtitle: str = "") -> "Figure":
    """Every joint's value over time, joints by body part, and their sum in each frame above."""
    order, parts = rows_by_part(scene.layout)
    high, left, wide = 11.5 * len(order), 128.0, 390.0
    canvas = Canvas(left + wide + 72, high + 154, title, subtitle)
    axes = canvas.axes(left, 116, wide, high)
    half = (scene.times[-1] - scene.times[0]) / max(scene.num_frames - 1, 1) / 2 or 0.5
    axes.imshow(
        shades.values[:, order].T,
        cmap=shades.colours,
        norm=shades.scale,
        aspect="auto",
        interpolation="none",
        extent=(scene.times[0] - half, scene.times[-1] + half, len(order), 0),
    )
    axes.set_yticks(np.arange(len(order)) + 0.5, [scene.layout.joints[j] for j in order])
    axes.tick_params(axis="y", length=0, labelsize=8, labelcolor=INK)
    axes.set_xlabel("time, s")
    mark_parts(axes, parts, 98)
    above = canvas.axes(left, 54, wide, 52)
    above.sharex(axes)
    draw_sum(above, scene.times, shades)
    above.tick_params(labelbottom=False)
    colour_bar(canvas, shades, left + wide + 10, 116, high)
    return canvas.figure


def draw_sum(axes: "Axes", times: Array, shades: Shades) -> None:
    """The joints' values of each frame together: what raises and what lowers the score apart."""
    if shades.signed:
        up, down = shades.values.clip(min=0).sum(axis=1), shades.values.clip(max=0).sum(axis=1)
        axes.fill_between(times, up, color=RAISES, lw=0, label="raises the score")
        axes.fill_between(times, down, color=LOWERS, lw=0, label="lowers it")
        axes.axhline(0, color=SOFT, linewidth=0.6)
        axes.legend(
            frameon=False, fontsize=7.5, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.92)
        )
        axes.set_ylabel("points / s", size=8)
    else:
        axes.plot(times, shades.values.mean(axis=1), color=RAISES, linewidth=1.2)
        axes.axhline(1, color=SOFT, linewidth=0.6, linestyle=":")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("× even", size=8)
    axes.tick_params(labelsize=8)

"""The groups of a model that assigns joints to them: their names, colours, matrix and skeleton."""

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from zoo.explain.attribution import Array
from zoo.explain.draw.canvas import Canvas, mark_parts
from zoo.explain.draw.scene import Scene
from zoo.explain.draw.skeleton import SkeletonPlot, draw_pies
from zoo.report.figure_style import INK, OKABE_ITO, SOFT
from zoo.skeleton import Layout

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MORE = ("#999999", "#882255")
"""For a ninth and a tenth group: grey, and the wine of Paul Tol's muted scheme."""

_ROW = 13.0
"""Points from one joint to the next."""


def group_names(count: int) -> list[str]:
    """``group 1`` and so on."""
    return [f"group {number}" for number in range(1, count + 1)]


def group_colours(count: int) -> list[str]:
    """A colour for each group; of more than ten, the eleventh has the first's again."""
    colours = (*OKABE_ITO, *_MORE)
    return [colours[number % len(colours)] for number in range(count)]


def assignment_csv(layout: Layout, assignment: Array) -> str:
    """The matrix (V, G) as a table: joint, body part, the probability of each group."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["joint", "part", *group_names(assignment.shape[1])])
    parts = {joint: part for part, members in layout.parts.items() for joint in members}
    for joint, (name, shares) in enumerate(zip(layout.joints, assignment, strict=True)):
        writer.writerow([name, parts.get(joint, ""), *(f"{share:.6f}" for share in shares)])
    return out.getvalue()


def rows_by_part(layout: Layout) -> tuple[list[int], list[tuple[str, int]]]:
    """Joints in the order of their body parts, and each part with how many it has.

    Joints of no part come last, under an empty name.
    """
    order: list[int] = []
    parts = []
    for part, members in layout.parts.items():
        new = [joint for joint in members if joint not in order]
        order += new
        parts.append((part.replace("_", " "), len(new)))
    rest = [joint for joint in range(layout.num_joints) if joint not in order]
    return order + rest, [*parts, ("", len(rest))] if rest else parts


def assignment_figure(scene: Scene, assignment: Array, title: str, subtitle: str = "") -> "Figure":
    """The matrix of a paper's Table 1 beside the skeleton with the same colours.

    Args:
        scene: whose middle frame is drawn.
        assignment: (V, G) the probability of each group, by joint.
        title: of the figure.
        subtitle: below the title.
    """
    joints, groups = assignment.shape
    colours = group_colours(groups)
    order, parts = rows_by_part(scene.layout)
    high, wide, left = _ROW * joints, 34.0 * groups, 392.0
    canvas = Canvas(left + wide + 16, max(high + 112, 380), title, subtitle)

    pose = canvas.axes(48, 44, 206, canvas.height - 44 - 46)
    plot = SkeletonPlot(pose, scene)
    middle = scene.num_frames // 2
    plot.show(middle)
    draw_pies(pose, scene.places[middle], assignment, colours)

    table = canvas.axes(left, 74, wide, high)
    table.pcolormesh(assignment[order], cmap="Greys", vmin=0, vmax=1, edgecolors="white", lw=0.6)
    for row, joint in enumerate(order):
        for group, share in enumerate(assignment[joint]):
            table.text(
                group + 0.5,
                row + 0.5,
                f"{share:.2f}",
                color="white" if share > 0.55 else INK,
                weight="bold" if group == assignment[joint].argmax() else "normal",
                size=7.5,
                ha="center",
                va="center_baseline",
            )
    for group, colour in enumerate(colours):
        table.plot([group + 0.08, group + 0.92], [-0.2, -0.2], color=colour, lw=4, clip_on=False)
    table.set(xlim=(0, groups), ylim=(joints, 0))
    table.set_yticks(np.arange(joints) + 0.5, [scene.layout.joints[joint] for joint in order])
    table.set_xticks(np.arange(groups) + 0.5, [str(group + 1) for group in range(groups)])
    table.xaxis.tick_top()
    table.tick_params(length=0, labelsize=8, labelcolor=INK)
    table.tick_params(axis="x", pad=5)
    table.spines[:].set_visible(False)
    mark_parts(table, parts, 92)
    canvas.text(left + wide / 2, 48, "group", color=INK, ha="center")
    note = f"probability of a joint's group; even: {1 / groups:.2f}"
    canvas.text(left + wide, 74 + high + 16, note, color=SOFT, size=8, ha="right")
    return canvas.figure

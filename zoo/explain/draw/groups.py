"""A model that puts joints in groups: the groups' names, colours and matrix, and its attention."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from zoo.explain.attribution import Array
from zoo.explain.draw.canvas import Canvas, mark_parts, scale_bar
from zoo.explain.draw.scene import Scene
from zoo.explain.draw.skeleton import SkeletonPlot, draw_pies
from zoo.files import to_csv
from zoo.report.figure_style import INK, OKABE_ITO, SOFT
from zoo.skeleton import Layout

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MORE = ("#999999", "#882255")
"""For a ninth and a tenth group: grey, and the wine of Paul Tol's muted scheme."""

_ROW = 13.0
"""Points from one joint to the next."""

_STEPS = 5
"""Times at which the weights between groups are shown in full."""


def group_names(count: int) -> list[str]:
    """``group 1`` and so on."""
    return [f"group {number}" for number in range(1, count + 1)]


def group_colours(count: int) -> list[str]:
    """A colour for each group; of more than ten, the eleventh has the first's again."""
    colours = (*OKABE_ITO, *_MORE)
    return [colours[number % len(colours)] for number in range(count)]


def assignment_csv(layout: Layout, assignment: Array) -> str:
    """The matrix (V, G) as a table: joint, body part, the probability of each group."""
    parts = {joint: part for part, members in layout.parts.items() for joint in members}
    rows = (
        (name, parts.get(joint, ""), *(f"{share:.6f}" for share in shares))
        for joint, (name, shares) in enumerate(zip(layout.joints, assignment, strict=True))
    )
    return to_csv(("joint", "part", *group_names(assignment.shape[1])), rows)


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

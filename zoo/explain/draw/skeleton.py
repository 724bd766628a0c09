"""One pose of a skeleton on axes: bones as lines, joints as marks that colour and size tell of."""

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.explain.attribution import Array
from zoo.explain.draw.scene import Scene
from zoo.explain.draw.shades import Shades
from zoo.report.figure_style import INK

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_BONE = "#b4b8bd"


class SkeletonPlot:
    """A skeleton on axes of its own; `show` moves it to another frame.

    Args:
        axes: empty; they get the limits and the aspect of the scene.
        scene: the moving skeleton.
        shades: colour and size of the joints; None for bones alone.
    """

    def __init__(self, axes: "Axes", scene: Scene, shades: Shades | None = None) -> None:
        from matplotlib.collections import LineCollection

        self.scene = scene
        self.shades = shades
        (left, right), (bottom, top) = scene.limits
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        if not scene.measured:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        across, up = scene.axis_labels
        axes.set_xlabel(across, size=8)
        axes.set_ylabel(up, size=8)
        axes.tick_params(labelsize=8)
        self._bones = LineCollection(
            [], colors=_BONE, linewidths=2.2, capstyle="round", joinstyle="round", zorder=1
        )
        axes.add_collection(self._bones, autolim=False)
        self._joints: Any = None
        if shades is not None:
            self._joints = axes.scatter(
                np.zeros(scene.layout.num_joints),
                np.zeros(scene.layout.num_joints),
                c=np.zeros(scene.layout.num_joints),
                cmap=shades.colours,
                norm=shades.scale,
                edgecolors=INK,
                linewidths=0.5,
                zorder=2,
            )
        self.show(0)

    @property
    def artists(self) -> "list[Artist]":
        """What `show` moves, from behind."""
        return [self._bones] if self._joints is None else [self._bones, self._joints]

    def show(self, frame: int) -> None:
        """Move everything to `frame`; joints that stand out are drawn over the others."""
        places = self.scene.places[frame]
        self._bones.set_segments([places[list(bone)] for bone in self.scene.layout.bones])
        if self.shades is not None:
            values = self.shades.values[frame]
            order = np.argsort(np.abs(values), kind="stable")
            self._joints.set_offsets(places[order])
            self._joints.set_array(values[order])
            self._joints.set_sizes(self.shades.sizes(frame)[order])


def draw_groups(axes: "Axes", places: Array, assignment: Array, colours: list[str]) -> None:
    """Mark every joint with the group it most likely belongs to, the likelier the larger.

    Args:
        axes: with the bones.
        places: (V, 2).
        assignment: (V, G), each row sums to one.
        colours: one for each group.
    """
    chosen, even = assignment.argmax(axis=1), 1 / assignment.shape[1]
    sure = (assignment.max(axis=1) - even) / max(1 - even, even)
    axes.scatter(
        places[:, 0],
        places[:, 1],
        s=16 + 74 * sure,
        c=[colours[group] for group in chosen],
        edgecolors=INK,
        linewidths=0.5,
        zorder=2,
    )


def draw_pies(axes: "Axes", places: Array, assignment: Array, colours: list[str]) -> None:
    """Mark every joint with a pie of its shares in the groups; arguments as in `draw_groups`."""
    from matplotlib.patches import Circle, Wedge

    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    radius = 0.022 * max(right - left, top - bottom)
    for place, shares in zip(places, assignment, strict=True):
        ends = 90 - 360 * np.concatenate([[0.0], np.cumsum(shares)])
        for group, share in enumerate(shares):
            if share > 0.005:
                axes.add_patch(
                    Wedge(place, radius, ends[group + 1], ends[group], color=colours[group], lw=0)
                )
        axes.add_patch(Circle(place, radius, fill=False, edgecolor=INK, linewidth=0.5))

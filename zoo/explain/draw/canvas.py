"""A figure laid out in points from its upper left corner, with its title."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.explain.draw.shades import Shades
from zoo.report.figure_style import INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Canvas:
    """A figure of so many points; title and subtitle take the uppermost 32.

    Args:
        width: in points.
        height: in points.
        title: bold, at the top.
        subtitle: grey, below it.
    """

    def __init__(self, width: float, height: float, title: str, subtitle: str = "") -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure: Figure = Figure(figsize=(width / 72, height / 72))
        self.text(8, 15, title, color=INK, size=10, weight="bold")
        self.text(8, 29, subtitle, color=SOFT, size=8)

    def axes(self, left: float, top: float, width: float, height: float) -> "Axes":
        """New axes on this rectangle."""
        bottom = 1 - (top + height) / self.height
        place = (left / self.width, bottom, width / self.width, height / self.height)
        return self.figure.add_axes(place)

    def text(self, x: float, y: float, text: str, **style: object) -> None:
        """Text at this place."""
        self.figure.text(x / self.width, 1 - y / self.height, text, **style)  # type: ignore[arg-type]


def colour_bar(canvas: Canvas, shades: Shades, left: float, top: float, height: float) -> None:
    """The scale of an attribution's colours, with what they mean."""
    from matplotlib.cm import ScalarMappable

    scale_bar(canvas, ScalarMappable(shades.scale, shades.colours), left, top, height, shades.label)


def scale_bar(
    canvas: Canvas, colours: object, left: float, top: float, height: float, label: str
) -> None:
    """A narrow colour bar 9 points wide."""
    axes = canvas.axes(left, top, 9, height)
    canvas.figure.colorbar(colours, cax=axes)  # type: ignore[arg-type]
    axes.set_ylabel(label, size=8)
    axes.tick_params(labelsize=8)
    axes.spines[:].set_visible(False)


def mark_parts(axes: "Axes", parts: Sequence[tuple[str, int]], offset: float) -> None:
    """Lines between body parts, and their names left of the joints' names.

    Args:
        axes: with one row of height 1 for each joint, from 0 downward.
        parts: names and numbers of joints, from above.
        offset: points from the left edge to the names.
    """
    first = 0
    for part, count in parts:
        if first:
            axes.axhline(first, color=SOFT, linewidth=0.8)
        axes.annotate(
            part,
            (0, first + count / 2),
            (-offset, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            rotation=90 if count > 2 else 0,
            ha="center",
            va="center",
            size=8,
            color=SOFT,
            annotation_clip=False,
        )
        first += count

"""What the figures of the board have in common: a canvas in points, marks of families, a legend.

What belongs to one model has a gid ``KEY CLASS``, with the model's key in `Picture.models`; what
only a file shows, because the page says it beside the figure, has the gid `FILE_ONLY`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoo.report.figure_style import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILIES = {"trivial": "o", "classical": "s", "neural": "^", "graph": "D", "other": "P"}
"""Each has a marker of its own, and in `PALETTE` a colour."""

WIDE, NARROW = 560.0, 258.0
"""Widths of a figure in points: of a file and a wide window, and of a phone."""

FILE_ONLY = "file-only"
"""Gid of titles and legends."""

OFFSET: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
"""Of text that stands some points from a place of the axes."""

LINE_HEIGHT = 12.0
"""Points from one name to the next."""

_HEAD, _LEGEND = 30.0, 24.0  # points above and below a figure


@dataclass(frozen=True)
class Picture:
    """A figure, and what those are told who do not see it.

    Attributes:
        name: of its file, without an ending.
        figure: made inside `figure_style`; sizes are in points.
        title: what it shows.
        description: what a reader would see in it.
        models: what the marks of each model say, by its key.
        head: points at the top that only a file shows.
        foot: points at the bottom.
    """

    name: str
    figure: "Figure"
    title: str
    description: str
    models: dict[str, str] = field(default_factory=dict)
    head: float = 0.0
    foot: float = 0.0

    def axes(self, left: float, top: float, right: float, bottom: float) -> "Axes":
        """Axes on a part of the figure, given in points from the upper left below `head`."""
        width, height = self.figure.get_size_inches() * 72
        made = self.figure.add_axes(
            (
                left / width,
                1 - (self.head + bottom) / height,
                (right - left) / width,
                (bottom - top) / height,
            )
        )
        made.patch.set_visible(False)
        return made

    def model(self, label: str) -> str:
        """A key for the marks of one more model."""
        key = f"model-{len(self.models)}"
        self.models[key] = label
        return key


def canvas(
    name: str,
    size: tuple[float, float],
    heading: str,
    *,
    title: str = "",
    description: str = "",
    leaky: bool = False,
    families: Iterable[str] = (),
) -> Picture:
    """An empty figure with what a file says around it.

    Args:
        name: of the file.
        size: width and height in points, without what only a file shows.
        heading: above it, in a file.
        title: as in `Picture`.
        description: likewise.
        leaky: a line in a file's head says so.
        families: that its legend explains.
    """
    shown = [family for family in FAMILIES if family in set(map(family_of, families))]
    head, foot = _HEAD + 14 * leaky, _LEGEND if shown else 0.0
    width, height = size[0], head + size[1] + foot
    figure = _figure(width, height)
    text: dict[str, Any] = {"gid": FILE_ONLY}
    figure.text(8 / width, 1 - 18 / height, heading, size=11, weight="bold", **text)
    if leaky:
        note = "⚠ These numbers leak: people of the test are in training."
        figure.text(8 / width, 1 - 33 / height, note, color=PALETTE["leak"][0], size=9, **text)
    if shown:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], label=family, **_look(family, 5.0)) for family in shown]
        legend = figure.legend(handles=handles, loc="lower left", ncols=len(handles), frameon=False)
        legend.set_gid(FILE_ONLY)
    return Picture(name, figure, title, description, {}, head, foot)


def family_of(name: str) -> str:
    """One of `FAMILIES`; a family that is not known is shown as ``other``."""
    return name if name in FAMILIES else "other"


def family_mark(family: str) -> Picture:
    """The mark of a family alone, for the keys of the page."""
    made = Picture(family, _figure(12, 12), family, "")
    axes = made.axes(0, 0, 12, 12)
    axes.set_axis_off()
    axes.set(xlim=(0, 12), ylim=(0, 12))
    mark(axes, 6, 6, family, size=9.5)
    return made


def mark(
    axes: "Axes", x: float, y: float, family: str, gid: str | None = None, size: float = 6.0
) -> None:
    """Put the mark of a family at a place of the axes."""
    axes.plot([x], [y], clip_on=False, zorder=3, gid=gid, **_look(family_of(family), size))


def _look(family: str, size: float) -> dict[str, Any]:
    colour, hollow, paper = PALETTE[family][0], family == "trivial", PALETTE["paper"][0]
    return {
        "linestyle": "none",
        "marker": FAMILIES[family],
        "markersize": size,
        "markerfacecolor": paper if hollow else colour,
        "markeredgecolor": colour if hollow else paper,
        "markeredgewidth": 1.2 if hollow else 0.5,
    }


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72))
    figure.patch.set_gid(FILE_ONLY)
    return figure

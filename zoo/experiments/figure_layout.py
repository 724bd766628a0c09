"""What the figures of reports share: a title that names the data, panels, a legend, the row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.experiments.definition import Experiment
from zoo.experiments.results import ProtocolResult, RowResult
from zoo.report.figure_style import INK
from zoo.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Figures = Iterator[tuple[str, str, Figure]]
    """Name of each figure, its caption, and the figure itself."""

_LEAK = "#a83c0a"
_LETTER, _HANDLE, _LINE = 0.065, 0.55, 0.18
"""Inches of a letter in a legend, of the line and the gaps beside a name, and of a row's height."""


def unit(result: ProtocolResult) -> str:
    """Of the scores: ``points (0–50)``."""
    return "points ({:g}–{:g})".format(*result.score_range)


def new_figure(size: tuple[float, float], result: ProtocolResult) -> "Figure":
    """A figure with its data and protocol as the title."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    leaks = "\nleaky: people of the test are in training" if result.leaky else ""
    figure.suptitle(
        f"{plain(result.title)}, {result.protocol}{leaks}",
        x=0.01, ha="left", size=9, weight="bold", color=_LEAK if leaks else INK,
    )  # fmt: skip
    return figure


def panels_of(
    result: ProtocolResult, names: Sequence[str], what: str, *, sharey: bool = True
) -> "tuple[Figure, list[Axes]]":
    """A row of panels, or two where there are more than five."""
    columns = min(len(names), 5)
    rows = -(-len(names) // columns)
    figure = new_figure((max(4.2, 0.5 + 1.9 * columns), 0.9 + 2.1 * rows), result)
    grid = figure.subplots(rows, columns, sharex=True, sharey=sharey, squeeze=False).flat
    panels = list(grid)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(panels, names, strict=False):
        axes.set_title(f"{what} {plain(name)}", size=9)
    return figure, panels[: len(names)]


def legend(figure: "Figure", axes: "Axes") -> None:
    """The lines and marks of one panel named below all of them, where there are several."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        width = _HANDLE + _LETTER * max(map(len, labels))
        columns = max(1, min(len(labels), int(figure.get_figwidth() / width)))
        figure.set_figheight(figure.get_figheight() + _LINE * -(-len(labels) // columns))
        figure.legend(
            handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=8
        )


def main_row(experiment: Experiment, result: ProtocolResult) -> RowResult:
    """The reference where it is there, else the first."""
    named = [row for row in result.rows if row.label == experiment.report.reference]
    return (named or result.rows)[0]

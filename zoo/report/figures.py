"""The figures of the board as files, for papers and documentation; no person's data is in them.

They show what the page shows, by the same geometry. Text stays text, so that it can be searched.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.files import path_part, write_atomically
from zoo.report import geometry
from zoo.report.cost import COSTS, CostPoint, cost_points
from zoo.report.figure_style import INK, LINE, SOFT, figure_bytes, figure_style
from zoo.report.geometry import Box, shorten, text_width
from zoo.report.page_table import MEAN, families, mad_of
from zoo.report.slope import Slope, slopes
from zoo.words import count, fixed, plain, score_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAK, _HONEST = "#a83c0a", "#0f6b4f"
_LOOK = {
    "trivial": ("#6b7078", "o"),
    "classical": ("#0067a5", "s"),
    "neural": ("#00805e", "^"),
    "graph": ("#a8487f", "D"),
    "other": ("#8a6a00", "P"),
}
"""Colour and marker of each family; colours are told apart without red and green."""

_LINE_HEIGHT = 12.0
"""Points from one name to the next."""


def write(board: Mapping[str, Any], folder: Path, formats: Sequence[str] = ("svg",)) -> list[Path]:
    """Write every figure that the board has data for.

    Args:
        board: the dictionary of a leaderboard (`zoo.board.board.Board.to_dict`).
        folder: where to; made if it is not there.
        formats: file endings that matplotlib can write, such as ``svg``, ``pdf``, ``png``.

    Returns:
        The files, in the order of the board.

    Raises:
        StorageError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with figure_style():
        for name, draw in _figures(plain(board)):
            figure = draw()
            for kind in formats:
                paths.append(folder / f"{name}.{kind}")
                write_atomically(paths[-1], figure_bytes(figure, kind))
    return paths


def _figures(board: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], "Figure"]]]:
    """Name of each figure and what draws it."""
    known: dict[str, dict[str, str]] = {}
    for section in board["boards"]:
        entries, protocol = section["entries"], section["protocol"]
        name = f"{path_part(section['dataset'])}-{path_part(protocol['name'])}"
        known.setdefault(section["dataset"], {}).update(families(entries))
        if section["friedman"]:
            yield f"{name}-critical-difference", partial(_critical_difference, section)
        if entries:
            yield f"{name}-heat-map", partial(_heat_map, section)
        for axis in COSTS:
            points = cost_points(entries, axis)
            if points:
                yield f"{name}-{axis}", partial(_cost, section, axis, points)
    for pair in board["pairs"]:
        models = slopes(pair, known.get(pair["dataset"], {}))
        if models:
            name = f"{path_part(pair['dataset'])}-leaky-to-honest"
            yield name, partial(_slope, pair, models)


def _canvas(width: float, height: float, title: str, leaky: bool = False) -> "Figure":
    """A figure of so many points, with its title."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72))
    figure.text(8 / width, 1 - 18 / height, title, color=INK, size=11, weight="bold")
    if leaky:
        note = "⚠ These numbers leak: people of the test are in training."
        figure.text(8 / width, 1 - 33 / height, note, color=_LEAK, size=9)
    return figure


def _area(figure: "Figure", box: Box) -> "Axes":
    """Axes on a part of the figure given in points from its upper left corner."""
    width, height = figure.get_size_inches() * 72
    return figure.add_axes(
        (
            box.left / width,
            1 - box.bottom / height,
            (box.right - box.left) / width,
            (box.bottom - box.top) / height,
        )
    )


def _title(section: Mapping[str, Any], what: str) -> str:
    return f"{section['dataset_title']}, {section['protocol']['name']}: {what}"


def _critical_difference(section: Mapping[str, Any]) -> "Figure":
    friedman = section["friedman"]
    placed = geometry.ranks((m["name"], m["rank"]) for m in friedman["mean_ranks"])
    bars = geometry.cliques(friedman["cliques"], {p.name: p.rank for p in placed})
    first = 26 + 6 * max((bar.level + 1 for bar in bars), default=0)
    drawn = first + _LINE_HEIGHT * ((len(placed) + 1) // 2)
    figure = _canvas(520, drawn + 110, _title(section, "mean ranks"), section["protocol"]["leaky"])
    axes = _area(figure, Box(140, 100, 380, 100 + drawn))
    last = max(len(placed), 2)
    axes.set(xlim=(1, last), ylim=(drawn, 0), yticks=[], xticks=geometry.rank_ticks(last))
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("mean rank over exercises and folds (1 is best)")
    for place in placed:
        y, side = first + _LINE_HEIGHT * place.row, 1 if place.left else last
        axes.plot(
            [place.rank, place.rank, side], [0, y, y], color=SOFT, linewidth=0.8, clip_on=False
        )
        name, mean = shorten(place.name, 105, 9), fixed(place.rank, 1)
        axes.annotate(
            f"{name}  {mean}" if place.left else f"{mean}  {name}",
            (side, y),
            xytext=(-4 if place.left else 4, 0),
            textcoords="offset points",
            ha="right" if place.left else "left",
            va="center",
            annotation_clip=False,
        )
    bar_style: dict[str, Any] = {"color": INK, "linewidth": 3, "solid_capstyle": "butt"}
    for bar in bars:
        y = 10 + 6 * bar.level
        axes.plot([bar.low - 0.06, bar.high + 0.06], [y, y], clip_on=False, **bar_style)
    difference = friedman["critical_difference"]
    if difference is not None:
        end = 1 + min(difference, last - 1)
        axes.plot([1, end], [-42, -42], clip_on=False, **bar_style)
        axes.text(end + last / 60, -42, f"critical difference {fixed(difference)}", va="center")
    return figure


def _heat_map(section: Mapping[str, Any]) -> "Figure":
    from matplotlib import colormaps

    exercises = [e["id"] for e in section["exercises"]] + [MEAN]
    entries = section["entries"]
    values = [[mad_of(e, exercise) for exercise in exercises] for e in entries]
    table = [[math.nan if v is None else v for v in row] for row in values]
    known = [v for row in values for v in row if v is not None]
    if not known:
        known = [0.0]
    middle = min(known) + 0.55 * (max(known) - min(known))
    high = 17.0 * len(entries)
    width = 190 + 48 * len(exercises) + 80
    figure = _canvas(
        width, high + 96, _title(section, "error by exercise"), section["protocol"]["leaky"]
    )
    axes = _area(figure, Box(140, 48, 140 + 48 * len(exercises), 48 + high))
    colours = colormaps["Blues"].resampled(32)  # few enough to stay vector in the colour bar
    mesh = axes.pcolormesh(table, cmap=colours, edgecolors="white", linewidth=0.8)
    axes.set_xticks([i + 0.5 for i in range(len(exercises))], exercises)
    axes.set_yticks(
        [i + 0.5 for i in range(len(entries))], [shorten(e["name"], 125, 9) for e in entries]
    )
    axes.invert_yaxis()
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("exercise")
    digits = score_digits(section["score_range"])
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            ink = "white" if value is not None and value > middle else INK
            shown = fixed(value, digits)
            axes.text(j + 0.5, i + 0.5, shown, ha="center", va="center", color=ink, size=8)
    right = 140 + 48 * len(exercises)
    scale = _area(figure, Box(right + 14, 48, right + 24, 48 + high))
    figure.colorbar(mesh, cax=scale, label="MAD, points", drawedges=False)
    scale.spines[:].set_visible(False)
    return figure


def _cost(section: Mapping[str, Any], axis: str, points: Sequence[CostPoint]) -> "Figure":
    from matplotlib.ticker import NullLocator

    title = _title(section, f"error against {COSTS[axis]}")
    figure = _canvas(520, 370, title, section["protocol"]["leaky"])
    area = Box(50, 48, 505, 320)
    axes = _area(figure, area)
    paid = [p.cost for p in points if p.cost > 0]
    first, last = geometry.decades(min(paid), max(paid)) if paid else (0, 1)
    free = 10.0 ** (first - (last - first) * 0.08)  # where what costs nothing stands
    axes.set_xscale("log")
    axes.set_xlim(free / 10 ** ((last - first) * 0.06), 10.0**last * 1.6)
    axes.xaxis.set_major_formatter(lambda cost, _: count(cost))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks([10.0**e for e in range(first, last + 1)])
    axes.grid(True, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"{COSTS[axis]} (logarithmic)")
    axes.set_ylabel("MAD, points, with 95 % interval")
    places = [(p.cost if p.cost > 0 else free, p.value) for p in points]
    for point, (x, y) in zip(points, places, strict=True):
        colour, _ = _LOOK.get(point.family, _LOOK["other"])
        axes.plot([x, x], [point.low, point.high], color=colour, linewidth=0.8, alpha=0.5)
        _mark(axes, [x], [y], point.family)
    front = [places[i] for i in geometry.frontier([(p.cost, p.value) for p in points])]
    axes.plot(*zip(*front, strict=True), color=SOFT, linewidth=1, linestyle=":", zorder=1)
    if len(paid) < len(points):
        axes.annotate(
            "none", (free, 0), (0, -14), ("data", "axes fraction"), "offset points", ha="center"
        )
    figure.draw_without_rendering()
    height = 370
    pixels = [axes.transData.transform(place) * 72 / figure.dpi for place in places]
    spots = [(float(x), height - float(y)) for x, y in pixels]
    sizes = [(text_width(p.name, 8), 9.0) for p in points]
    labels = geometry.place_labels(spots, sizes, area, radius=3.5)
    for point, label in zip(points, labels, strict=True):
        if label is not None:
            box = label.box
            x = {"start": box.left, "end": box.right}.get(label.anchor, (box.left + box.right) / 2)
            figure.text(
                x / 520,
                1 - (box.top + box.bottom) / 2 / height,
                point.name,
                size=8,
                color=INK,
                va="center",
                ha={"start": "left", "end": "right"}.get(label.anchor, "center"),
            )
    _legend(figure, [p.family for p in points])
    return figure


def _slope(pair: Mapping[str, Any], models: Sequence[Slope]) -> "Figure":
    high = max(_LINE_HEIGHT * len(models), 260.0)
    title = "From leaky to honest: the same models under both protocols"
    figure = _canvas(520, high + 130, title)
    axes = _area(figure, Box(140, 80, 360, 80 + high))
    limit = max(max(m.leaky, m.honest) for m in models) * 1.04
    digits = score_digits(pair["score_range"])
    axes.set(xlim=(0, 1), ylim=(0, limit), xticks=[])
    axes.set_ylabel("MAD, points")
    axes.grid(True, axis="y", linewidth=0.6)
    for x, word, protocol, colour in (
        (0, "LEAKY", pair["leaky"], _LEAK),
        (1, "HONEST", pair["honest"], _HONEST),
    ):
        axes.axvline(x, color=colour, linewidth=4, clip_on=False)
        place: dict[str, Any] = {"textcoords": "offset points", "ha": "center"}
        axes.annotate(word, (x, limit), (0, 22), color=colour, weight="bold", **place)
        axes.annotate(protocol, (x, limit), (0, 9), color=SOFT, **place)
    unit = limit / high
    right = geometry.spread([m.honest for m in models], _LINE_HEIGHT * unit, 0, limit)
    for model, y in zip(models, right, strict=True):
        colour, _ = _LOOK.get(model.family, _LOOK["other"])
        axes.plot(
            [0, 1],
            [model.leaky, model.honest],
            color=colour,
            linewidth=2 if model.strong else 0.9,
            alpha=1 if model.strong else 0.6,
            linestyle="--" if model.family == "trivial" else "-",
        )
        _mark(axes, [0, 1], [model.leaky, model.honest], model.family)
        axes.plot([1.03, 1.09], [model.honest, y], color=LINE, linewidth=0.8, clip_on=False)
        axes.text(
            1.11,
            y,
            f"{fixed(model.honest, digits)}  {shorten(model.name, 100, 9)}",
            va="center",
            weight="bold" if model.strong else "normal",
        )
    _legend(figure, [m.family for m in models])
    return figure


def _mark(axes: "Axes", x: Sequence[float], y: Sequence[float], family: str) -> None:
    colour, shape = _LOOK.get(family, _LOOK["other"])
    axes.plot(
        x,
        y,
        linestyle="none",
        marker=shape,
        markersize=5,
        markerfacecolor="white" if family == "trivial" else colour,
        markeredgecolor=colour if family == "trivial" else "white",
        markeredgewidth=1.2 if family == "trivial" else 0.5,
        clip_on=False,
        zorder=3,
    )


def _legend(figure: "Figure", present: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=shape,
            markersize=5,
            markerfacecolor="white" if family == "trivial" else colour,
            markeredgecolor=colour,
            label=family,
        )
        for family, (colour, shape) in _LOOK.items()
        if family in present
    ]
    figure.legend(handles=handles, loc="lower left", ncols=len(handles), frameon=False)

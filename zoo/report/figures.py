"""The figures of the board, drawn once: as files for papers, and as part of the page.

No person's data is in them. Text stays text, so that it can be searched.
"""

import math
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from zoo.board.board import Board, Ranked, Section
from zoo.board.published import MEAN
from zoo.evaluation.statistics import Friedman
from zoo.files import path_part, write_atomically
from zoo.report.figure_style import INK, PALETTE, SOFT, figure_bytes, figure_style
from zoo.report.picture import LINE_HEIGHT, OFFSET, WIDE, Picture, canvas, family_of, mark
from zoo.report.placing import Box, cliques, frontier, place_labels, shorten, text_width
from zoo.report.slopes import slopes
from zoo.words import count, fixed, plain

COSTS = {
    "parameters": "parameters",
    "flops": "FLOPs per sequence",
    "train_seconds": "training time per run, seconds",
}
"""What an entry costs: its attribute, and the title of the axis."""


def write(board: Board, folder: Path, formats: Sequence[str] = ("svg",)) -> list[Path]:
    """Write every figure that the board has data for.

    Args:
        board: the leaderboard.
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
        for picture in _pictures(plain(board)):
            for kind in formats:
                paths.append(folder / f"{picture.name}.{kind}")
                write_atomically(paths[-1], figure_bytes(picture.figure, kind))
    return paths


def _pictures(board: Board) -> Iterator[Picture]:
    for section in board.sections:
        if section.friedman is not None:
            yield critical_difference(section, section.friedman)
        if section.ranked:
            yield _heat_map(section)
        yield from (cost(section, axis) for axis in COSTS if priced(section, axis))
    yield from (slopes(pair) for pair in board.pairs if pair.models)


def priced(section: Section, axis: str) -> list[Ranked]:
    """The entries that have a number for one of `COSTS` and an error, best first."""
    known = [e for e in section.ranked if getattr(e, axis) is not None and math.isfinite(e.mad)]
    return sorted(known, key=attrgetter("mad"))


def _of(section: Section, name: str, what: str, size: tuple[float, float], **how: Any) -> Picture:
    """An empty figure of a section."""
    return canvas(
        f"{path_part(section.dataset)}-{path_part(section.protocol.heading)}-{name}",
        size,
        f"{section.dataset_title}, {section.protocol.heading}: {what}",
        leaky=section.protocol.leaky,
        **how,
    )


def critical_difference(section: Section, friedman: Friedman) -> Picture:
    """Mean ranks on a line; a bar joins models that cannot be told apart (Demšar, JMLR 2006).

    The better half of the names stands on the left, so that no lines cross.
    """
    ranks, last = friedman.mean_ranks, max(len(friedman.mean_ranks), 2)
    bars = cliques(friedman.cliques, dict(ranks))
    half = (len(ranks) + 1) // 2
    first = 26 + 6 * max((bar.level + 1 for bar in bars), default=0)
    drawn = first + LINE_HEIGHT * half
    ends = [f"{name} ({fixed(rank, 1)})" for name, rank in (ranks[0], ranks[-1])]
    picture = _of(
        section,
        "critical-difference",
        "mean ranks",
        (WIDE, drawn + 66),
        title="Critical-difference diagram",
        description=f"Mean ranks of {len(ranks)} models, from {ends[0]} to {ends[1]}. Bars join "
        "models that cannot be told apart. The same numbers are in the table below the figure.",
    )
    axes = picture.axes(150, 58, WIDE - 150, 58 + drawn)
    step = 1 if last <= 12 else 2 if last <= 24 else 5
    axes.set(xlim=(1, last), ylim=(drawn, 0), yticks=[], xticks=range(1, last + 1, step))
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("mean rank over exercises and folds (1 is best)")
    for i, (name, rank) in enumerate(ranks):
        left, key = i < half, picture.model(f"{name}: mean rank {fixed(rank)}")
        y = first + LINE_HEIGHT * (i if left else len(ranks) - 1 - i)
        side = 1 if left else last
        stem, shown = [rank, rank, side], [shorten(name, 105, 9), fixed(rank, 1)]
        axes.plot(stem, [0, y, y], color=SOFT, linewidth=0.8, clip_on=False, gid=f"{key} line")
        axes.annotate(
            "  ".join(shown if left else shown[::-1]),
            (side, y),
            xytext=(-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            annotation_clip=False,
            gid=key,
        )
    style: dict[str, Any] = {
        "color": INK, "linewidth": 3, "solid_capstyle": "butt", "clip_on": False,
    }  # fmt: skip
    for bar in bars:
        y = 10 + 6 * bar.level
        axes.plot([bar.low - 0.06, bar.high + 0.06], [y, y], **style)
    if math.isfinite(friedman.critical_difference):
        end = 1 + min(friedman.critical_difference, last - 1)
        axes.plot([1, end], [-44, -44], **style)
        said = f"critical difference {fixed(friedman.critical_difference)}"
        axes.text(end + last / 60, -44, said, va="center")
    return picture


def _heat_map(section: Section) -> Picture:
    """MAD of every entry by exercise; the page has it as a table."""
    from matplotlib import colormaps

    exercises = [e.id for e in section.exercises] + [MEAN]
    entries = section.ranked
    values = [[e.metrics[exercise]["mad"].value for exercise in exercises] for e in entries]
    known = [v for row in values for v in row if math.isfinite(v)] or [0.0]
    middle = min(known) + 0.55 * (max(known) - min(known))
    right, high = 140 + 48.0 * len(exercises), 17.0 * len(entries)
    picture = _of(section, "heat-map", "error by exercise", (right + 80, high + 52))
    axes = picture.axes(140, 4, right, 4 + high)
    colours = colormaps["Blues"].resampled(32)  # few enough to stay vector in the colour bar
    mesh = axes.pcolormesh(values, cmap=colours, edgecolors="white", linewidth=0.8)
    axes.set_xticks([i + 0.5 for i in range(len(exercises))], exercises)
    axes.set_yticks(
        [i + 0.5 for i in range(len(entries))], [shorten(e.name, 125, 9) for e in entries]
    )
    axes.invert_yaxis()
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("exercise")
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            ink = "white" if value > middle else INK
            shown = fixed(value, section.digits)
            axes.text(j + 0.5, i + 0.5, shown, ha="center", va="center", color=ink, size=8)
    scale = picture.axes(right + 14, 4, right + 24, 4 + high)
    picture.figure.colorbar(mesh, cax=scale, label="MAD, points", drawedges=False)
    scale.spines[:].set_visible(False)
    return picture


def cost(section: Section, axis: str, width: float = WIDE) -> Picture:
    """Error against cost on a logarithmic scale; what costs nothing stands before its beginning.

    Args:
        section: of the board.
        axis: of `COSTS`; `priced` has entries.
        width: of the figure in points.
    """
    from matplotlib.ticker import FuncFormatter, NullLocator

    entries = priced(section, axis)
    height, wide = (310.0, True) if width == WIDE else (290.0, False)
    picture = _of(
        section,
        axis,
        f"error against {COSTS[axis]}",
        (width, height),
        title=f"Error against {COSTS[axis]}",
        description=f"MAD with its interval against {COSTS[axis]}, one mark a model; the numbers "
        "are in the table of the board.",
        families=[e.family for e in entries],
    )
    area = Box(40, 22, width - 8, height - 36)
    axes = picture.axes(area.left, area.top, area.right, area.bottom)
    costs = [float(getattr(e, axis)) for e in entries]
    paid = [c for c in costs if c > 0] or [1.0]
    first = math.floor(math.log10(min(paid)) + 1e-9)
    last = max(math.ceil(math.log10(max(paid)) - 1e-9), first + 1)
    free = 10.0 ** (first - (last - first) * (0.08 if wide else 0.14))
    low = [e.metrics[MEAN]["mad"].low for e in entries]
    high = [e.metrics[MEAN]["mad"].high for e in entries]
    ends = [v for v in (*low, *high, *(e.mad for e in entries)) if math.isfinite(v)]
    margin = 0.03 * (max(ends) - min(ends) or 1)
    axes.set_xscale("log")
    axes.set(
        xlim=(free / 10 ** ((last - first) * 0.06), 10.0**last * 1.6),
        ylim=(min(ends) - margin, max(ends) + margin),
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    step = max(1, math.ceil((last - first) / (8 if wide else 4)))
    axes.set_xticks([10.0**e for e in range(first, last + 1, step)])
    axes.grid(True, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel(f"{COSTS[axis]} (logarithmic)")
    axes.annotate(
        "MAD, points (95 % interval)", (0, 1), (4 - area.left, 10), "axes fraction",
        textcoords="offset points", color=SOFT,
    )  # fmt: skip
    places = [(c if c > 0 else free, e.mad) for c, e in zip(costs, entries, strict=True)]
    if min(costs) <= 0:
        axes.annotate(
            "none",
            (free, 0),
            (0, -4),
            ("data", "axes fraction"),
            **OFFSET,
            ha="center",
            va="top",
            color=SOFT,
        )
    best = [places[i] for i in frontier([(c, e.mad) for c, e in zip(costs, entries, strict=True)])]
    axes.plot(*zip(*best, strict=True), color=SOFT, linewidth=1.2, linestyle=":", zorder=1)
    names = [shorten(e.name, 110 if wide else 72, 8) for e in entries]
    scale = 72 / picture.figure.dpi
    pixels = [axes.transData.transform(place) * scale for place in places]
    bottom = height + picture.foot
    spots = [(float(x), bottom - float(y)) for x, y in pixels]
    labels = place_labels(spots, [(text_width(n, 8), 9.0) for n in names], area, radius=3.5)
    for i, (entry, name, label) in enumerate(zip(entries, names, labels, strict=True)):
        key = picture.model(
            f"{entry.name}: MAD {fixed(entry.mad, section.digits)}, {count(costs[i])} {axis}"
        )
        (x, y), colour = places[i], PALETTE[family_of(entry.family)][0]
        axes.plot([x, x], [low[i], high[i]], color=colour, linewidth=0.8, alpha=0.5, gid=key)
        mark(axes, x, y, entry.family, key)
        if label is not None:
            box = label.box
            at = {"start": box.left, "end": box.right}.get(label.anchor, (box.left + box.right) / 2)
            axes.annotate(
                name,
                (x, y),
                (at - spots[i][0], spots[i][1] - (box.top + box.bottom) / 2),
                textcoords="offset points",
                size=8,
                va="center",
                ha={"start": "left", "end": "right"}.get(label.anchor, "center"),
                gid=key,
            )
    return picture

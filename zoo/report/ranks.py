"""The critical-difference diagram of the page (Demšar, JMLR 2006)."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from zoo.report import geometry
from zoo.report.geometry import shorten
from zoo.report.marks import GAP, SIZE
from zoo.report.svg import line, picture, tag, text
from zoo.words import fixed


def critical_difference(id_: str, friedman: Mapping[str, Any], description: str) -> Markup:
    """Mean ranks on a line; a bar joins models whose ranks differ by less than the difference."""
    placed = geometry.ranks((m["name"], m["rank"]) for m in friedman["mean_ranks"])
    bars = geometry.cliques(friedman["cliques"], {p.name: p.rank for p in placed})
    width, x0, x1, axis = 760.0, 200.0, 560.0, 70.0
    last = max(len(placed), 2)

    def x_of(rank: float) -> float:
        return x0 + (rank - 1) / (last - 1) * (x1 - x0)

    difference = friedman["critical_difference"]
    parts = [line(x0, axis, x1, axis, "axis")]
    for rank in geometry.rank_ticks(last):
        x = x_of(rank)
        parts += [
            line(x, axis - 5, x, axis, "axis"),
            text(x, axis - 9, str(rank), "tick", "middle"),
        ]
    parts.append(text(x1 + 14, axis - 9, "mean rank (1 is best)", "axis-title"))
    if difference is not None:
        end = x_of(1 + min(difference, last - 1))
        parts += [
            line(x0, 24, end, 24, "clique"),
            text(end + 8, 28, f"critical difference {fixed(difference)}", "tick"),
        ]
    first_bar, first_row = axis + 12, axis + 30 + 8 * max((b.level + 1 for b in bars), default=0)
    for place in placed:
        x, y = x_of(place.rank), first_row + GAP * place.row
        side, anchor = (x0 - 14, "end") if place.left else (x1 + 14, "start")
        name = shorten(place.name, 140, SIZE)
        mean = fixed(place.rank, 1)
        parts.append(
            tag(
                "g",
                tag("title", f"{place.name}: mean rank {fixed(place.rank)}"),
                tag("path", d=f"M{x:.1f} {axis}V{y:.1f}H{side:.1f}", class_="stem"),
                text(
                    side + (-4 if place.left else 4),
                    y + 4,
                    f"{name}  {mean}" if place.left else f"{mean}  {name}",
                    "name",
                    anchor,
                ),
                class_="model",
            )
        )
    for bar in bars:
        y = first_bar + 8 * bar.level
        parts.append(line(x_of(bar.low) - 4, y, x_of(bar.high) + 4, y, "clique"))
    height = first_row + GAP * ((len(placed) + 1) // 2) + 4
    return picture(id_, width, height, "Critical-difference diagram", description, *parts)

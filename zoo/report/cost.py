"""Error against cost: what a model's parameters, arithmetic or training buy."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from zoo.report import geometry
from zoo.report.geometry import Box, shorten, text_width
from zoo.report.marks import SIZE, family_class, level, marker
from zoo.report.svg import line, picture, tag, text
from zoo.words import count, fixed

COSTS = {
    "parameters": "parameters",
    "flops": "FLOPs per sequence",
    "train_seconds": "training time per run, seconds",
}
"""What an entry costs: its key, and the title of the axis."""


@dataclass(frozen=True)
class CostPoint:
    """One model in the picture of error against cost."""

    name: str
    family: str
    cost: float
    value: float
    low: float
    high: float


def cost_points(entries: Sequence[Mapping[str, Any]], axis: str) -> list[CostPoint]:
    """The entries that have a number for `axis` and an error, best first."""
    points = []
    for entry in entries:
        mad = entry["metrics"]["mean"]["mad"]
        if entry[axis] is None or mad["value"] is None:
            continue
        low, high = (mad[k] if mad[k] is not None else mad["value"] for k in ("low", "high"))
        points.append(
            CostPoint(entry["name"], entry["family"], entry[axis], mad["value"], low, high)
        )
    return sorted(points, key=lambda p: p.value)


def cost_chart(
    id_: str, axis: str, points: Sequence[CostPoint], description: str, digits: int, *, wide: bool
) -> Markup:
    """Error against cost on a logarithmic scale; what costs nothing stands before its beginning."""
    width, height = (760.0, 430.0) if wide else (344.0, 400.0)
    area = Box(44, 30, width - 12, height - 52)
    low, high = (f(p) for f, p in ((min, [p.low for p in points]), (max, [p.high for p in points])))
    levels = geometry.ticks(low, high)
    paid = [p.cost for p in points if p.cost > 0]
    first, last = geometry.decades(min(paid), max(paid)) if paid else (0, 1)
    start = area.left + (46 if len(paid) < len(points) else 14)

    def x_of(cost: float) -> float:
        if cost <= 0:
            return area.left + 18
        share = (math.log10(cost) - first) / (last - first)
        return start + share * (area.right - 14 - start)

    def y_of(value: float) -> float:
        return area.bottom - 8 - (value - low) / ((high - low) or 1) * (area.bottom - area.top - 16)

    parts = [level(y_of(tick), area.left, area.right, f"{tick:g}") for tick in levels]
    step = max(1, math.ceil((last - first) / (8 if wide else 4)))
    for exponent in range(first, last + 1, step):
        x = x_of(10.0**exponent)
        parts += [
            line(x, area.top, x, area.bottom, "grid"),
            text(x, area.bottom + 16, count(10.0**exponent), "tick", "middle"),
        ]
    if len(paid) < len(points):
        parts.append(text(area.left + 18, area.bottom + 16, "none", "tick", "middle"))
    parts += [
        text(0, 16, "MAD, points (95 % interval)", "axis-title"),
        text(
            (area.left + area.right) / 2,
            height - 12,
            f"{COSTS[axis]} (logarithmic)",
            "axis-title",
            "middle",
        ),
    ]
    places = [(x_of(p.cost), y_of(p.value)) for p in points]
    front = geometry.frontier([(p.cost, p.value) for p in points])
    names = [shorten(p.name, 130 if wide else 90, SIZE - 1) for p in points]
    sizes = [(text_width(name, SIZE - 1), SIZE + 1) for name in names]
    labels = geometry.place_labels(places, sizes, area)
    parts.append(
        tag(
            "path",
            d="M" + "L".join(f"{places[i][0]:.1f} {places[i][1]:.1f}" for i in front),
            class_="front",
        )
    )
    for point, (x, y), name, label in zip(points, places, names, labels, strict=True):
        shown = [
            tag(
                "title",
                f"{point.name}: MAD {fixed(point.value, digits)}, {count(point.cost)} {axis}",
            ),
            line(x, y_of(point.low), x, y_of(point.high), "whisker"),
            marker(point.family, x, y),
        ]
        if label is not None:
            at = {"start": label.box.left, "end": label.box.right}.get(label.anchor, x)
            shown.append(text(at, label.box.bottom - 4, name, "name", label.anchor))
        parts.append(tag("g", *shown, class_=f"model {family_class(point.family)}"))
    return picture(id_, width, height, f"Error against {COSTS[axis]}", description, *parts)

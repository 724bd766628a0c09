"""Where names and bars stand in a figure so that they do not overlap; arithmetic alone."""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downward."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Whether the two have more than an edge in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def within(self, other: "Box") -> bool:
        """Whether nothing of this box is outside `other`."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Label:
    """Where a point's name stands: its box, and which end of the text is at the point."""

    box: Box
    anchor: str


@dataclass(frozen=True)
class Clique:
    """A bar over models that cannot be told apart: from, to (mean ranks), and its level."""

    low: float
    high: float
    level: int


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places at least `gap` apart, near where each is wanted, in the same order.

    They are those with the least squared distance from the wanted ones, then pushed inside `low`
    to `high`, as far as there is room.
    """
    if not wanted:
        return []
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    least = gap * np.arange(len(wanted))
    free = isotonic_regression(np.asarray(wanted)[order] - least).x
    places = np.empty(len(wanted))
    places[order] = np.clip(free, low, max(low, high - least[-1])) + least
    return [float(place) for place in places]


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    area: Box,
    *,
    radius: float = 5.0,
) -> list[Label | None]:
    """A place beside each point for its name, the first ones first; None where there is no room.

    Args:
        points: x and y.
        sizes: width and height of the names, in the same unit.
        area: where names may stand.
        radius: of a point's marker, which no name covers.
    """
    taken = [Box(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    labels: list[Label | None] = []
    for (x, y), (width, height) in zip(points, sizes, strict=True):
        found = next(
            (
                label
                for label in _candidates(x, y, width, height, radius + 2)
                if label.box.within(area) and not any(label.box.overlaps(box) for box in taken)
            ),
            None,
        )
        labels.append(found)
        if found is not None:
            taken.append(found.box)
    return labels


def _candidates(x: float, y: float, width: float, height: float, away: float) -> Iterable[Label]:
    half = height / 2
    for up in (0.0, -0.7 * height, 0.7 * height):
        top = y + up - half
        yield Label(Box(x + away, top, x + away + width, top + height), "start")
        yield Label(Box(x - away - width, top, x - away, top + height), "end")
    for top in (y - away - height, y + away):
        yield Label(Box(x - width / 2, top, x + width / 2, top + height), "middle")


def cliques(names: Iterable[Sequence[str]], rank_of: Mapping[str, float]) -> list[Clique]:
    """The bars of a critical-difference diagram, on as few levels as they need."""
    ranks = [[rank_of[name] for name in clique] for clique in names]
    ends: list[float] = []
    bars = []
    for low, high in sorted((min(some), max(some)) for some in ranks):
        level = next((i for i, end in enumerate(ends) if end < low), len(ends))
        ends[level : level + 1] = [high]
        bars.append(Clique(low, high, level))
    return bars


def text_width(text: str, size: float) -> float:
    """About how wide `text` is in a sans-serif font of `size`; wide characters count double."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return (len(text) + wide) * 0.58 * size


def shorten(text: str, room: float, size: float) -> str:
    """`text`, cut with an ellipsis where it is wider than `room`."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(text, size) > room - 0.58 * size:
        text = text[:-1]
    return f"{text.rstrip()}…"


def frontier(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points no other beats in both x and y (small is good), by x."""
    best = math.inf
    kept = []
    for i in sorted(range(len(points)), key=lambda i: points[i]):
        if points[i][1] < best:
            best = points[i][1]
            kept.append(i)
    return kept

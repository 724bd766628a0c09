"""What the figures of the page have in common: marks of the families, lines of a scale.

Colours are classes of style.css, so that they follow light and dark.
"""

from collections.abc import Callable

from markupsafe import Markup

from zoo.report.svg import line, tag, text

SIZE = 12.0
"""Of the letters."""

GAP = 16.0
"""From one line of text to the next."""

FAMILIES = ("trivial", "classical", "neural", "graph", "other")
"""Each has a colour and a marker of its own, everywhere in the page."""


def marker(family: str, x: float, y: float, radius: float = 4.5) -> Markup:
    """The mark of a family: circle, square, triangle, diamond or cross."""
    r = radius
    shapes: dict[str, Callable[[], Markup]] = {
        "trivial": lambda: tag("circle", cx=x, cy=y, r=r * 0.95),
        "classical": lambda: tag(
            "rect", x=x - r * 0.85, y=y - r * 0.85, width=r * 1.7, height=r * 1.7
        ),
        "neural": lambda: _path(
            (x, y - r * 1.15), (x + r * 1.1, y + r * 0.8), (x - r * 1.1, y + r * 0.8)
        ),
        "graph": lambda: _path(
            (x, y - r * 1.25), (x + r * 1.25, y), (x, y + r * 1.25), (x - r * 1.25, y)
        ),
    }
    shape = shapes.get(family, lambda: _cross(x, y, r))()
    return tag("g", shape, class_=f"mark {family_class(family)}")


def family_class(family: str) -> str:
    """The CSS class of a family; one that is not known is shown as ``other``."""
    return f"family-{family if family in FAMILIES else 'other'}"


def _path(*corners: tuple[float, float]) -> Markup:
    return tag("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z")


def _cross(x: float, y: float, r: float) -> Markup:
    a, b = r * 0.4, r * 1.15
    corners = [(a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a), (-a, -b)]
    corners += [(a, -b), (a, -a), (b, -a), (b, a)]
    return _path(*((x + dx, y + dy) for dx, dy in corners))


def level(y: float, x0: float, x1: float, label: str) -> Markup:
    """A line across the figure at one value, with the value on its left."""
    return tag("g", line(x0, y, x1, y, "grid"), text(x0 - 10, y + 4, label, "tick", "end"))

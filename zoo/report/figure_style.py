"""What all figures in files have in common: colours, letters, and bytes that stay the same.

matplotlib is imported when a figure is drawn, not before.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "pdf", "png")
"""File endings a figure can be written with."""

PALETTE = {
    "ink": ("#1a1c1f", "#e9e7e2"),
    "soft": ("#5a6068", "#a6abb3"),
    "line": ("#dfded9", "#343941"),
    "paper": ("#fcfcfa", "#14161a"),
    "leak": ("#a83c0a", "#ffa06b"),
    "honest": ("#0f6b4f", "#6fd0ad"),
    "trivial": ("#6b7078", "#a3a8b0"),
    "classical": ("#0067a5", "#62b5ee"),
    "neural": ("#00805e", "#3ec79c"),
    "graph": ("#a8487f", "#e59cc6"),
    "other": ("#8a6a00", "#e0bf50"),
}
"""Colours of the figures and of the page by what they stand for, on light and on dark ground.

Figures are drawn in the first; the page shows both. Families are told apart without red and green.
"""

INK, SOFT, LINE = (PALETTE[name][0] for name in ("ink", "soft", "line"))
"""Of text, of axes and their numbers, and of grids."""

OKABE_ITO = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000",
)  # fmt: skip
"""Eight colours that people with any colour vision tell apart.

Okabe, Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/; in an order in which
neighbours differ in brightness too.
"""

_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a name with dollar signs is a name
    "text.usetex": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "skeleton-zoo",  # the same data give the same bytes
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": LINE,
    "figure.constrained_layout.use": False,
}
_UNDATED: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


@contextmanager
def figure_style() -> Iterator[None]:
    """Figures that are made and written inside look as all others of the zoo."""
    from matplotlib import rc_context

    with rc_context(_STYLE):
        yield


def figure_bytes(figure: "Figure", kind: str) -> bytes:
    """The file of a figure, the same bytes for the same figure.

    Args:
        figure: made and written inside `figure_style`.
        kind: file ending that matplotlib can write, such as those of `FORMATS`.
    """
    content = io.BytesIO()
    figure.savefig(content, format=kind, metadata=_UNDATED.get(kind), dpi=150)
    return content.getvalue()

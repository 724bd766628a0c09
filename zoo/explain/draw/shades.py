"""How an attribution's numbers become colours and sizes, the same in all its pictures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.explain.attribution import Array, Attribution
from zoo.explain.words import HARDLY

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

RAISES, LOWERS = "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito: what raises the score, and what lowers it."""

_SMALLEST, _LARGEST = 9.0, 190.0
"""Areas of a joint's mark in square points."""


FULL_STRENGTH = 0.05
"""Of the range of scores: what moved a score in all for its strongest colour to be full."""

_PALEST = 0.1
"""Of full strength: the strongest colour of values without a sign where nothing moved the score."""


@dataclass(frozen=True, eq=False)
class Shades:
    """The values of one attribution as they are shown.

    Attributes:
        values: (T, V) per second for contributions in points; for others, times an even share.
        label: what the values are, with their unit.
        signed: whether there are two directions.
        limit: the value of full colour and size; what is beyond looks the same.
    """

    values: Array
    label: str
    signed: bool
    limit: float

    @classmethod
    def of(cls, attribution: Attribution, held_still: float | None = None) -> "Shades":
        """The shades of an attribution.

        Contributions of single frames shrink with the number of frames, so they are shown as a
        rate, which does not. A half percent of the values may lie beyond the scale. That of shares
        goes to twice an even one at least, so that what is even looks even. Where all
        contributions together are small against the range of scores (`FULL_STRENGTH`), colours are
        as much paler. Shares do not tell how much moved the score; their colours are paler where
        the movement as a whole hardly changes it (`HARDLY`).

        Args:
            attribution: of one sample.
            held_still: the model's score of a mean pose held still; None where it is not known.
        """
        values = attribution.joint_time
        if attribution.signed:
            values, label = values * attribution.fps, "contribution to the score, points per second"
        else:
            mean = float(values.mean())
            values = values / mean if mean else values
            label = f"{attribution.title}, times an even share"
        limit = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
        if not attribution.signed:
            limit = max(limit, 2.0)
            if held_still is not None:
                hardly = HARDLY * attribution.span
                moved = abs(attribution.score - held_still)
                if moved < hardly:
                    limit /= max(moved / hardly, _PALEST)
        elif 0 < attribution.effect < FULL_STRENGTH * attribution.span:
            limit *= FULL_STRENGTH * attribution.span / attribution.effect
        return cls(values, label, attribution.signed, limit)

    @property
    def colours(self) -> "Colormap":
        """From vermilion over grey to blue, or viridis."""
        from matplotlib import colormaps
        from matplotlib.colors import LinearSegmentedColormap

        if not self.signed:
            return colormaps["viridis"]
        way = [LOWERS, "#efb08c", "#ececec", "#8fbfe0", RAISES]
        return LinearSegmentedColormap.from_list("score", way)

    @property
    def scale(self) -> "Normalize":
        """Zero in the middle for signed values, at the lower end for others."""
        from matplotlib.colors import Normalize

        return Normalize(-self.limit if self.signed else 0.0, self.limit, clip=True)

    def sizes(self, frame: int) -> Array:
        """Areas (V,) of the joints' marks in one frame, in square points."""
        share = np.clip(np.abs(self.values[frame]) / self.limit, 0, 1)
        return _SMALLEST + (_LARGEST - _SMALLEST) * share

"""Units and axes of a file to metres with y up."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError
from zoo.data.readers.joints import places
from zoo.errors import ConfigError
from zoo.skeleton.layout import Layout

Floats = NDArray[np.float64]

Units = Literal["m", "cm", "mm", "none"]
Up = Literal["y", "-y", "z", "-z", "x", "-x"]

METRES: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001}

TRUNK_METRES = 0.5
"""Length from between the shoulders to between the hips of a grown person, about 0.29 of height."""

ASPECT = 16 / 9
"""Width of most pictures divided by their height."""

TURNS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "-y": ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}
"""Rotations that turn the file's upward axis to y.

``-y`` is a camera's picture, x to the right, y down, z away: half a turn about the view, which
gives the axes of a Kinect, x to the sensor's left, y up, z away.
"""


def upright(values: Floats, up: str) -> Floats:
    """Values (..., 3) turned so that y points up."""
    turned: Floats = values @ np.array(TURNS[up], dtype=float).T
    return turned


def axis_of_file(up: str, axis: str) -> str:
    """The axis of a file, turned by `upright` with `up`, that is `axis` now."""
    now = np.array(TURNS[axis])[1]
    then = np.array(TURNS[up]).T @ now
    return next(name for name, turn in TURNS.items() if (np.array(turn)[1] == then).all())


def unit_of_file(units: str, seems: str) -> str:
    """The unit of a file, taken for `units`, whose places seem to be in `seems` now.

    Empty where there is none.
    """
    if "none" in (units, seems):
        return "" if units == seems else "none"
    factor = METRES[units] * METRES[seems]
    return next((unit for unit, metres in METRES.items() if np.isclose(metres, factor)), "")


def checked_aspect(aspect: float | None) -> float | None:
    """`aspect` as it is.

    Raises:
        ConfigError: no picture is so wide or high.
    """
    if aspect is not None and not 0.1 <= aspect <= 10:
        raise ConfigError(f"aspect is {aspect!r}, expected width / height of the picture")
    return aspect


def square(values: Floats, aspect: float | None) -> str:
    """Makes parts of a picture's width and height equal, in place.

    Args:
        values: (T, J, 2 or 3); z is in parts of the width too.
        aspect: width divided by height; None: not known, `ASPECT` is taken.

    Returns:
        A note of what was taken.
    """
    values[..., 0::2] *= aspect or ASPECT
    how = "" if aspect else ", as the file does not say; give the reader aspect otherwise"
    return f"parts of a picture {aspect or ASPECT:.4g} times as wide as high{how}"


def trunk_scale(values: Floats, layout: Layout) -> float:
    """Metres of one unit, if the median trunk of (T, V, C), NaN where lost, is `TRUNK_METRES`.

    Raises:
        FaultError: the layout has no shoulders and hips, or they are never seen together.
    """
    needed = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    found = places(layout.joints, Layout("trunk", needed, (-1, 0, 0, 0)))
    expected = f"shoulders and hips, from which numbers without a unit get one ({TRUNK_METRES} m)"
    if None in found:
        raise FaultError("no-trunk", None, f"the joints of {layout.name}", expected)
    left, right, left_hip, right_hip = (values[:, joint] for joint in found)
    lengths = np.linalg.norm((left + right - left_hip - right_hip) / 2, axis=-1)
    lengths = lengths[np.isfinite(lengths) & (lengths > 0)]
    if not len(lengths):
        raise FaultError("no-trunk", None, "no frame in which all four are seen", expected)
    return TRUNK_METRES / float(np.median(lengths))

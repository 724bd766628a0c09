"""The Vicon angles by which every sensor's repetitions are scored."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError, faults_in
from zoo.data.adapters.rows import Rows, read_rows
from zoo.data.adapters.uiprmd import motion
from zoo.data.adapters.uiprmd.quality import KeptSpan
from zoo.data.adapters.uiprmd.tree import Repetition
from zoo.data.checks import MIN_FRAMES
from zoo.data.gaps import bridged
from zoo.skeleton.layout import load_layout

_ANGLES = 39
MAX_UNSEEN = 0.5
"""Share of frames above which a joint's angles count as not seen."""


def scored_motion(
    root: Path, repetition: Repetition, entry: KeptSpan | None, crop: bool
) -> NDArray[np.float64]:
    """The Vicon angles (T, 39, 3) that a repetition is scored by.

    Args:
        root: the folder with ``Segmented Movements``.
        repetition: which one.
        entry: what the reduced set keeps of it.
        crop: whether to leave the rest out.

    Raises:
        FaultError: they are missing, or not sound enough to be scored by.
    """
    file = repetition.file("Vicon", "Angles")
    wanted = "the Vicon angles that scores are computed from"
    try:
        table = read_table(root, file, 3 * _ANGLES)
    except FaultError as fault:
        p = fault.problem
        raise FaultError(p.kind, p.line, p.found, f"{wanted} ({p.expected})", file) from None
    values = table.values.reshape(-1, _ANGLES, 3).astype(np.float64)
    if crop and entry is not None and len(values) == entry.full:
        values = values[entry.crop(entry.full)]
    missing = motion.lost(values) | motion.no_angle(values)
    if len(values) < MIN_FRAMES:
        raise FaultError(
            "too-short",
            None,
            f"{len(values)} frames",
            f"at least {MIN_FRAMES} of {wanted}",
            file,
        )
    shares = missing.mean(axis=0)
    if shares.max() > MAX_UNSEEN:
        name = load_layout("uiprmd-vicon-angles").joints[int(shares.argmax())]
        found = f"angles of {name} lost in {shares.max():.0%} of the frames"
        raise FaultError("lost-angles", None, found, f"{wanted}, at most half of them", file)
    return bridged(motion.unwrap_degrees(values, missing), missing)


def read_table(root: Path, file: str, width: int) -> Rows:
    """The rows of a file; errors name it."""
    with faults_in(file):
        if not (root / file).is_file():
            raise FaultError("missing-file", None, "no such file", "a recorded repetition")
        return read_rows(root / file, width)

"""One performance of an exercise by one person, in the zoo's canonical units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError

INFERRED, NOT_TRACKED, TRACKED = 1, 0, 2

UNKNOWN_SUBJECT = "unknown"
"""Stands for the person where the source does not say who performs."""


@dataclass(frozen=True, eq=False)
class Identity:
    """Who performs what, and how it was scored.

    Attributes:
        id: unique in its dataset, such as ``E_ID1/Es5``.
        subject: the person; splits are made by this.
        group: clinical group of the person, such as ``CG/Expert``.
        exercise: exercise id as a string, such as ``5`` or ``m01``.
        session: distinguishes several recordings of one person and exercise.
        scores: named scores in score units; ``total`` is what models predict. Empty when the
            recording has none.
        extra: plain data (what JSON can hold) that belongs to the recording and is kept in the
            manifest, such as the known truth of a simulated one.
    """

    id: str
    subject: str
    group: str
    exercise: str
    session: str
    scores: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    extra: Mapping[str, Any] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, eq=False)
class Recording(Identity):
    """A skeleton sequence with its clinical scores.

    Adapters convert units, axes and quaternion order; nothing after them knows the sensor.

    Attributes:
        layout: name of the skeleton layout; fixes V and the joint order.
        fps: frames per second.
        positions: joint positions (T, V, 3) float32 in metres, or None.
        orientations: unit quaternions w, x, y, z (T, V, 4) float32, or None. A joint to which
            the sensor gives no orientation holds the identity 1, 0, 0, 0.
        angles: Euler angles (T, V, 3) float32 in degrees, unwrapped, or None.
        tracked: state per joint (T, V) uint8: 2 tracked, 1 inferred, 0 lost; or None.
        timestamps: seconds from the first frame (T,) float64, or None.
        source: the file it was read from, as messages call it; not kept in a store.
    """

    layout: str
    fps: float
    positions: NDArray[np.float32] | None = None
    orientations: NDArray[np.float32] | None = None
    angles: NDArray[np.float32] | None = None
    tracked: NDArray[np.uint8] | None = None
    timestamps: NDArray[np.float64] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        frames: int | None = None
        joints: int | None = None
        for name, width in (("positions", 3), ("orientations", 4), ("angles", 3)):
            array = getattr(self, name)
            if array is None:
                continue
            if array.ndim != 3 or array.shape[2] != width:
                raise DataError(
                    f"recording {self.id}: {name} have shape {array.shape}, "
                    f"expected (frames, joints, {width})"
                )
            if frames is not None and array.shape[:2] != (frames, joints):
                raise DataError(
                    f"recording {self.id}: {name} have {array.shape[0]} frames of "
                    f"{array.shape[1]} joints, the other arrays {frames} frames of {joints}"
                )
            frames, joints = array.shape[:2]
        if frames is None:
            raise DataError(f"recording {self.id} has neither positions, orientations nor angles")
        if self.tracked is not None and self.tracked.shape != (frames, joints):
            raise DataError(
                f"recording {self.id}: tracking states have shape {self.tracked.shape}, "
                f"expected {(frames, joints)}"
            )
        if self.timestamps is not None and self.timestamps.shape != (frames,):
            raise DataError(
                f"recording {self.id}: {self.timestamps.shape[0]} time stamps for {frames} frames"
            )

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return self._shape[0]

    @property
    def num_joints(self) -> int:
        """Number of joints V."""
        return self._shape[1]

    @property
    def _shape(self) -> tuple[int, ...]:
        arrays = (self.positions, self.orientations, self.angles)
        return next(array.shape for array in arrays if array is not None)

"""UI-PRMD by its sensors: Kinect v2, Vicon's markers, and the angles computed from them."""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import PrepareReport, Problem
from zoo.data.adapters.uiprmd import motion
from zoo.data.adapters.uiprmd.repetitions import RawRepetition, Score, Subset, UiprmdAdapter
from zoo.data.gaps import bridged
from zoo.data.recording import NOT_TRACKED, TRACKED, Recording
from zoo.data.rotation import continuous_sign
from zoo.errors import ConfigError

SEGMENTS = (
    *("Head", "Thorax", "Pelvis"),
    *("LClavicle", "LUpperArm", "LRadius", "LHand", "LFemur", "LTibia", "LFoot"),
    *("RClavicle", "RUpperArm", "RRadius", "RHand", "RFemur", "RTibia", "RFoot"),
)
"""Rows of the Vicon angles that hold a segment's rotation vector in the room."""


@register_reader("uiprmd-kinect")
class UiprmdKinectAdapter(UiprmdAdapter):
    """UI-PRMD by Kinect v2: 22 joints, 30 Hz, positions in metres and orientations.

    The files hold offsets and Euler angles relative to the parent joint; `motion.kinect_pose`
    places the joints. The axes are those of Kinect v2: x to the sensor's left, y up, z away from
    the sensor. The orientation of a joint is that of its frame in the room, and a joint's sign of
    quaternion does not jump in time.
    """

    name = "uiprmd-kinect"
    layout = "uiprmd-kinect"
    fps = 30.0
    sensor = "Kinect"
    kinds = ("Positions", "Angles")

    def _convert(
        self, raws: list[RawRepetition], report: PrepareReport
    ) -> Iterator[Recording | None]:
        if not raws:
            return
        offsets, angles = (
            np.concatenate([raw.arrays[kind] for raw in raws]) for kind in range(len(self.kinds))
        )
        positions, orientations = motion.kinect_pose(self.skeleton, offsets, angles)
        start = 0
        for raw in raws:
            frames = slice(start, start + len(raw.arrays[0]))
            start = frames.stop
            turned = continuous_sign(orientations[frames], motion.IDENTITY)
            yield self._recording(
                raw,
                positions=positions[frames].astype(np.float32),
                orientations=turned.astype(np.float32),
            )


class _UiprmdVicon(UiprmdAdapter):
    """Vicon, where lost joints are three exact zeros.

    Gaps are closed by a straight line in time (at the ends the nearest value is held), marked in
    ``tracked`` (2 seen, 0 lost) and reported; a repetition with a joint that is lost for longer
    than `max_lost` is skipped. With `max_lost` 1 all are kept, a joint never seen as zeros.

    Args:
        labels, crop, subset, score: see `UiprmdAdapter`.
        max_lost: largest share of frames, 0 to 1, in which a joint may be lost.
    """

    fps = 100.0
    sensor = "Vicon"
    noun: str

    def __init__(
        self,
        labels: str | Path | None = None,
        crop: bool | None = None,
        max_lost: float = 0.5,
        subset: Subset = "full",
        score: Score = "everybody",
    ) -> None:
        super().__init__(labels, crop, subset, score)
        if not 0 <= max_lost <= 1:
            raise ConfigError(f"max_lost is a share of frames from 0 to 1, not {max_lost}")
        self.max_lost = max_lost

    def _convert(
        self, raws: list[RawRepetition], report: PrepareReport
    ) -> Iterator[Recording | None]:
        for raw in raws:
            (values,) = raw.arrays
            missing = motion.lost(values)
            yield (
                None
                if self._reject(raw, missing, report)
                else self._recording(
                    raw,
                    tracked=np.where(missing, NOT_TRACKED, TRACKED).astype(np.uint8),
                    **self._arrays(values, missing),
                )
            )

    @abstractmethod
    def _arrays(
        self, values: NDArray[np.float64], missing: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.float32]]:
        """Canonical arrays with gaps closed."""

    def _reject(
        self, raw: RawRepetition, missing: NDArray[np.bool_], report: PrepareReport
    ) -> bool:
        """Reports lost joints; True if the repetition has to be skipped."""
        counts = missing.sum(axis=0)
        if not counts.any():
            return False
        names = self.skeleton.joints
        worst = int(counts.argmax())
        others = int(np.count_nonzero(counts)) - 1
        reject = bool(counts[worst] > self.max_lost * len(missing))
        problem = Problem(
            f"lost-{self.noun}",
            raw.repetition.file(self.sensor, self.kinds[0]),
            raw.first_line + int(missing.any(axis=1).argmax()),
            f"{names[worst]} at 0, 0, 0 in {counts[worst]} of {len(missing)} frames"
            + (f" and {others} more lost" if others else ""),
            f"at most {self.max_lost:.0%} lost (max_lost)" if reject else "measured values",
        )
        (report.skip if reject else report.fault)(raw.repetition.id, problem)
        return reject


@register_reader("uiprmd-vicon")
class UiprmdViconAdapter(_UiprmdVicon):
    """UI-PRMD by Vicon: 39 markers, 100 Hz, positions in metres, axes as `motion.vicon_axes`.

    Markers have no orientation. Lost ones and arguments: see the base class.
    """

    name = "uiprmd-vicon"
    layout = "uiprmd-vicon"
    kinds = ("Positions",)
    noun = "marker"

    def _arrays(
        self, values: NDArray[np.float64], missing: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.float32]]:
        filled = bridged(motion.vicon_axes(values), missing)
        return {"positions": filled.astype(np.float32)}


@register_reader("uiprmd-vicon-angles")
class UiprmdViconAnglesAdapter(_UiprmdVicon):
    """UI-PRMD by Vicon: three angles in degrees of 39 joints and segments, 100 Hz.

    Where an angle jumps at ±180 degrees it continues on the other side; nothing else is changed.

    The rows of segments (see `SEGMENTS`) are rotation vectors, so these have orientations (see
    `motion.segment_orientations`). All others are clinical angles between segments, or of one
    segment against the room; they follow from those of the segments and are no frames of their
    own: their orientation is the identity 1, 0, 0, 0. Arguments: see the base class.
    """

    name = "uiprmd-vicon-angles"
    layout = "uiprmd-vicon-angles"
    kinds = ("Angles",)
    noun = "angles"

    def _arrays(
        self, values: NDArray[np.float64], missing: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.float32]]:
        unwrapped = bridged(motion.unwrap_degrees(values, missing), missing)
        segments = [self.skeleton.index(name) for name in SEGMENTS]
        orientations = np.zeros((*missing.shape, 4), dtype=np.float32)
        orientations[..., 0] = 1
        orientations[:, segments] = motion.segment_orientations(
            values[:, segments], missing[:, segments]
        )
        return {"angles": unwrapped.astype(np.float32), "orientations": orientations}

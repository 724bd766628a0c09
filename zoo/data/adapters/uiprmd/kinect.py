"""UI-PRMD by Kinect v2."""

from collections.abc import Iterator

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import PrepareReport
from zoo.data.adapters.uiprmd import motion
from zoo.data.adapters.uiprmd.repetitions import RawRepetition, UiprmdAdapter
from zoo.data.recording import Recording


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
            turned = motion.continuous_sign(orientations[frames])
            yield self._recording(
                raw,
                positions=positions[frames].astype(np.float32),
                orientations=turned.astype(np.float32),
            )

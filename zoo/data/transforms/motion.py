"""The streams of one recording, and what keeps quaternions quaternions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import Recording
from zoo.data.rotation import Array, continuous_sign
from zoo.errors import DataError
from zoo.skeleton.layout import Layout

RAW_STREAMS = ("position", "orientation", "angle")
"""What a recording itself may hold."""

MIRROR: Mapping[str, tuple[int, ...]] = {"position": (-1, 1, 1), "orientation": (1, 1, -1, -1)}
"""What a mirror at x = 0 does to the channels of a stream; joints of the two sides change places.

Of a quaternion the parts about y and z turn round, w, x, −y, −z: the mirrored rotation in axes of
the joint whose x is mirrored too, which is how Kinect's axes stand on the left and on the right.
"""


@dataclass(frozen=True, eq=False)
class Motion:
    """The streams of one recording, in float64.

    Attributes:
        streams: ``position`` (T, V, 3) metres, ``orientation`` (T, V, 4) unit quaternions
            w, x, y, z, ``angle`` (T, V, 3) degrees; those the recording has.
        layout: the skeleton.
        fps: frames per second.
        name: id of the recording, for messages.
    """

    streams: Mapping[str, Array]
    layout: Layout
    fps: float
    name: str = ""

    @classmethod
    def of(cls, recording: Recording, layout: Layout) -> "Motion":
        """The streams of `recording`, quaternions made continuous in sign.

        Raises:
            DataError: the recording has another number of joints than the layout.
        """
        if recording.num_joints != layout.num_joints:
            raise DataError(
                f"recording {recording.id} has {recording.num_joints} joints, the layout "
                f"{layout.name} has {layout.num_joints}"
            )
        arrays = (recording.positions, recording.orientations, recording.angles)
        streams = {
            name: np.asarray(array, dtype=np.float64)
            for name, array in zip(RAW_STREAMS, arrays, strict=True)
            if array is not None
        }
        if "orientation" in streams:
            streams["orientation"] = continuous_sign(streams["orientation"])
        return cls(streams, layout, recording.fps, recording.id)

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return next(iter(self.streams.values())).shape[0]

    def cut(self, start: int, stop: int) -> "Motion":
        """Frames `start` to `stop` (not included)."""
        return replace(self, streams={k: v[start:stop] for k, v in self.streams.items()})

    def only(self, names: Collection[str]) -> "Motion":
        """Those of the streams that are named; all of them when none of them is."""
        kept = {k: v for k, v in self.streams.items() if k in names}
        return replace(self, streams=kept or self.streams)

    def with_streams(self, **streams: Array) -> "Motion":
        """The same motion with some streams replaced."""
        return replace(self, streams={**self.streams, **streams})


def normalized(quaternions: Array, instead: Array | None = None) -> Array:
    """Quaternions of length 1; where one has none, the one at its place in `instead`."""
    norm = np.linalg.norm(quaternions, axis=-1, keepdims=True)
    tiny = norm < 1e-6
    unit = quaternions / np.where(tiny, 1.0, norm)
    if instead is None:
        instead = np.broadcast_to((1.0, 0.0, 0.0, 0.0), quaternions.shape)
    return np.where(tiny, instead, unit)


def mirrored(
    streams: Mapping[str, NDArray[np.floating[Any]]], layout: Layout
) -> dict[str, NDArray[Any]]:
    """The streams (T, V, C), of `MIRROR`, of the same movement by a body with its sides swapped."""
    order = list(layout.mirror)
    return {name: x[:, order] * np.array(MIRROR[name], x.dtype) for name, x in streams.items()}

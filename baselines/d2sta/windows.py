"""A recording in windows of its own time: what joints do in each, measured at the sensor's rate.

Five repetitions in 100 frames are 20 frames each, whatever the time they took. Here speeds are
taken from the frames as recorded, in metres and radians a second, and then a window has their mean:
few steps for a network, none of which hides how fast or how steadily a joint moved.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.rotation import Array, continuous_sign, rotate
from zoo.data.transforms import Motion, center, face_camera, repair_jumps, smooth
from zoo.errors import ConfigError
from zoo.skeleton.layout import Layout

_COORDINATES = {"position": 3, "orientation": 6}
"""Numbers of a joint in a frame, by stream."""
_EDGES = (0.05, 0.95)


class WindowMeasures:
    """Measures the joints of one kind of skeleton in windows and over the whole recording.

    In a window and over the whole a joint has the mean and the deviation of its coordinates and
    the logarithm of its mean speed. Coordinates are, of a position, relative to the pelvis with
    the body facing the sensor; of an orientation, the joint's first two axes, which have no sign
    to choose as quaternions have. Over the whole there are the edges of the middle 90 % too, and
    how much the speed varies.

    Args:
        layout: of V joints.
        streams: ``position``, ``orientation`` or both.
        windows: W, of equal length.

    Attributes:
        channels: by stream, numbers of a joint in a window.
        whole_channels: by stream, numbers of a joint over the whole recording.

    Raises:
        ConfigError: another stream, or no window.
    """

    def __init__(self, layout: Layout, streams: Sequence[str], windows: int) -> None:
        for name in streams:
            if name not in _COORDINATES:
                raise ConfigError(
                    f"model.streams has {name!r}: windows are measured of position and orientation"
                )
        if windows < 1:
            raise ConfigError(f"model.windows is {windows!r}, expected at least 1")
        self.layout, self.streams, self.windows = layout, tuple(streams), windows
        self.channels = {name: 2 * _COORDINATES[name] + 1 for name in streams}
        self.whole_channels = {name: 4 * _COORDINATES[name] + 2 for name in streams}

    def measure(self, streams: Mapping[str, NDArray[Any]], fps: float) -> dict[str, Array]:
        """``STREAM_windows`` (V, W, C) and ``STREAM_whole`` (V, 1, C) of each stream.

        Args:
            streams: (T, V, 3) metres, y up, and (T, V, 4) unit quaternions.
            fps: frames per second.
        """
        motion = Motion({k: x.astype(float) for k, x in streams.items()}, self.layout, fps)
        if "orientation" in streams:
            q = continuous_sign(motion.streams["orientation"])
            motion = motion.with_streams(orientation=q)
        motion = face_camera(center(smooth(repair_jumps(motion))))
        found = {}
        for name in self.streams:
            x = motion.streams[name]
            speed = _speed(name, x) * fps
            x = x if name == "position" else _axes(x)
            pieces = [slice(*ends) for ends in _ends(len(x), self.windows)]
            parts = [_moments(x[piece], speed[piece]) for piece in pieces]
            found[f"{name}_windows"] = np.stack(parts, axis=1)
            low, high = np.quantile(x, _EDGES, axis=0)
            varies = np.log1p(speed.std(axis=0))[:, None]
            whole = np.concatenate([_moments(x, speed), low, high, varies], axis=1)
            found[f"{name}_whole"] = whole[:, None]
        return found


def _ends(frames: int, windows: int) -> list[tuple[int, int]]:
    """First frame of each window and the one behind it; a window has one frame at least."""
    starts = [min(frames * i // windows, frames - 1) for i in range(windows)]
    return [(a, max(a + 1, frames * (i + 1) // windows)) for i, a in enumerate(starts)]


def _moments(x: Array, speed: Array) -> Array:
    """Mean and deviation of coordinates (T, V, C) and the logarithm of the mean speed (V, 2·C + 1).

    The logarithm is of one more than the speed (T, V), so that rest is 0.
    """
    quick = np.log1p(speed.mean(axis=0))[:, None]
    return np.concatenate([x.mean(axis=0), x.std(axis=0), quick], axis=1)


def _speed(name: str, x: Array) -> Array:
    """Way or angle (T, V) to the next frame; the last one's is that of the one before."""
    if len(x) < 2:
        return np.zeros(x.shape[:2])
    if name == "position":
        way = np.linalg.norm(np.diff(x, axis=0), axis=-1)
    else:
        cosine = np.abs((x[1:] * x[:-1]).sum(axis=-1)).clip(max=1)
        way = 2 * np.arccos(cosine)
    return np.concatenate([way, way[-1:]])


def _axes(q: Array) -> Array:
    """The first two axes (T, V, 6) that rotations (T, V, 4) turn to."""
    first, second = (rotate(q, np.broadcast_to(axis, (*q.shape[:2], 3))) for axis in np.eye(3)[:2])
    return np.concatenate([first, second], axis=-1)

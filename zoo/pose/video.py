"""Frames of a video file, upright, with their times."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError
from zoo.errors import DataError
from zoo.pose import EXTRA


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes:
        picture: (height, width, 3) red, green, blue.
        seconds: from the beginning of the video.
    """

    picture: NDArray[np.uint8]
    seconds: float


class Video:
    """A video file that can be read once, from its beginning.

    Args:
        file: any container and codec that FFmpeg reads.
        fps: take no more frames a second than these; None takes all.

    Attributes:
        expected: about how many frames there are; 0 where the file does not say.
        damage: what could not be decoded; empty while all could.

    Raises:
        FaultError: it is no video, or holds no pictures.
        DataError: the library that reads videos is not installed.
    """

    def __init__(self, file: Path, fps: float | None = None) -> None:
        self._av = _library()
        self.file, self._fps, self.damage = file, fps, ""
        if not file.is_file():
            raise self._fault("missing", "no such file", "a video")
        try:
            self._container = self._av.open(str(file))
        except (self._av.error.FFmpegError, OSError) as error:
            raise self._fault("video", f"no video ({_reason(error)})", "a video file") from None
        if not self._container.streams.video:
            self._container.close()
            raise self._fault("video", "no pictures in it", "a video file")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.expected = self._about()

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order of time; ends early, with `damage`, where the file is damaged."""
        last, first, number = -np.inf, None, 0
        rate = float(self._stream.average_rate or 30)
        gap = 0.0 if self._fps is None else 1 / self._fps
        try:
            for frame in self._container.decode(self._stream):
                time = number / rate if frame.time is None else float(frame.time)
                number += 1
                first = time if first is None else first
                seconds = time - first
                if seconds <= last or seconds < last + 0.95 * gap:
                    continue
                last = seconds
                picture = frame.to_ndarray(format="rgb24")
                turns = round(frame.rotation / 90) % 4  # a telephone held upright
                yield Frame(np.ascontiguousarray(np.rot90(picture, turns)), seconds)
        except self._av.error.FFmpegError as error:
            self.damage = f"cannot be decoded behind {max(last, 0):.2f} s ({_reason(error)})"
        finally:
            self._container.close()

    def _about(self) -> int:
        count = int(self._stream.frames or 0)
        rate = float(self._stream.average_rate or 0)
        if not count and self._container.duration and rate:
            count = round(self._container.duration / self._av.time_base * rate)
        if self._fps is not None and rate > self._fps:
            count = round(count * self._fps / rate)
        return count

    def _fault(self, kind: str, found: str, expected: str) -> FaultError:
        return FaultError(kind, None, found, expected, str(self.file))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _library() -> Any:
    try:
        import av
    except ImportError:
        raise DataError(f"videos are read by av: {EXTRA}") from None
    return av

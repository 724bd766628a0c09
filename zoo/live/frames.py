"""Frames as they come: looked at one by one, and the recording that they are so far."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import did_you_mean
from zoo.data.adapters.base import FaultError
from zoo.data.batch import STREAM_CHANNELS
from zoo.data.gaps import at_times, quaternions_at_times
from zoo.data.readers.clock import checked_fps, rate_of
from zoo.data.readers.joints import weights
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.data.rotation import continuous_sign
from zoo.errors import DataError
from zoo.loaded_model import GIVEN
from zoo.skeleton.layout import Layout

GAP_SECONDS = 0.5
"""A longer time without a frame is told."""

Frame = Mapping[str, NDArray[np.float64]]
"""Streams of one frame, each (V, C)."""


class BadFrameError(FaultError):
    """A frame that is left out; its number, from 1, stands where a file's name would."""


@dataclass(eq=False)
class Frames:
    """The frames of a recording that goes on.

    Args:
        layout: of V joints.
        streams: that every frame has to have.
        fps: frames a second, where frames come without times.

    Attributes:
        notes: what is odd about the frame that was taken last.
    """

    layout: Layout
    streams: tuple[str, ...]
    fps: float | None = None
    notes: list[str] = field(default_factory=list)
    _values: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    _times: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    _ways: dict[tuple[str, ...], NDArray[np.float64]] = field(default_factory=dict)
    _origin: float = 0.0
    _count: int = 0
    _given: int = 0

    def __post_init__(self) -> None:
        self.fps = checked_fps(self.fps)

    def __len__(self) -> int:
        return self._count

    @property
    def given(self) -> int:
        """Frames that came, those that were left out among them."""
        return self._given

    @property
    def times(self) -> NDArray[np.float64]:
        """Seconds from the first frame (T,)."""
        return self._times[: self._count]

    @property
    def rate(self) -> float:
        """Frames a second: as given, else as the times say."""
        if self.fps is not None:
            return self.fps
        return rate_of(self.times) if self._count > 1 else 0.0

    def add(self, frame: Any, time: float | None = None) -> Frame:
        """Take a frame; what it is in the layout's joints.

        Args:
            frame: positions (V, 3) in metres, or a mapping of joints' names to x, y, z, or a
                mapping of streams to such.
            time: seconds; where the clock begins does not matter.

        Raises:
            BadFrameError: it cannot be taken; the frames before are as they were.
            DataError: neither `time` nor frames a second: no frame could be taken.
        """
        self._given += 1
        self.notes = []
        arrays = self._arrays(frame)
        at = self._time(time)
        self._store(arrays, at)
        return arrays

    def refuse(self, problem: str) -> None:
        """Count a frame that came and could not be read."""
        self._given += 1
        self.notes = [f"frame {self._given}: {problem}: left out"]

    def recording(self, start: int = 0, stop: int | None = None) -> Recording:
        """Frames `start` to `stop` (not included), evenly spaced in time.

        Where frames are missing, those that would have been there lie on the straight line between
        their neighbours.

        Raises:
            DataError: fewer than two frames.
        """
        stop = self._count if stop is None else stop
        if stop - start < 2:
            raise DataError(f"{stop - start} frames are no recording, expected at least 2")
        rate, times = self.rate, self._times[start:stop] - self._times[start]
        found: dict[str, Any] = {}
        even = self._even(times, rate)
        for name, stored in self._values.items():
            values = stored[start:stop]
            if even is not None:
                move = quaternions_at_times if name == "orientation" else at_times
                values = move(values, *even)
            found[GIVEN[name]] = values.astype(np.float32)
        return Recording(
            "live", UNKNOWN_SUBJECT, "", "", "", layout=self.layout.name, fps=rate, **found
        )

    @staticmethod
    def _even(
        times: NDArray[np.float64], rate: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Between which frames evenly spaced ones lie; None where none is missing."""
        steps = np.diff(times)
        if steps.max() <= 1.5 / rate:
            return None
        wanted = np.arange(math.floor(times[-1] * rate + 1e-6) + 1) / rate
        before = np.searchsorted(times, wanted, side="right").clip(1, len(times) - 1) - 1
        share = (wanted - times[before]) / np.maximum(steps[before], 1e-9)
        return before, share.clip(0, 1)

    def _arrays(self, frame: Any) -> dict[str, NDArray[np.float64]]:
        streams = frame
        if not (isinstance(frame, Mapping) and frame.keys() & GIVEN.keys()):
            streams = {"position": frame}
        arrays = {}
        for name, values in streams.items():
            if name not in GIVEN:
                raise self._bad("stream", repr(name), did_you_mean(name, GIVEN))
            arrays[name] = self._array(name, values)
        for name in self.streams:
            if name not in arrays:
                found = " and ".join(arrays)
                raise self._bad("stream", f"{found} alone", f"{name} too: the model is fed it")
        if self._values and arrays.keys() != self._values.keys():
            now, before = " and ".join(arrays), " and ".join(self._values)
            raise self._bad("stream", now, f"{before} as in the frames before")
        return arrays

    def _array(self, name: str, values: Any) -> NDArray[np.float64]:
        by_name = isinstance(values, Mapping)
        names = tuple(map(str, values)) if by_name else self.layout.joints
        try:
            rows = list(values.values()) if by_name else values
            array = np.array(rows, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.zeros(0)
        wanted = (len(names), STREAM_CHANNELS[name])
        if array.shape != wanted:
            found = f"{name} of the shape {array.shape}"
            expected = f"{wanted}: the joints of {self.layout.name}, {wanted[1]} numbers each"
            raise self._bad("joints", found, expected)
        if by_name and names != self.layout.joints:
            try:
                if names not in self._ways:
                    self._ways[names], _ = weights(names, self.layout)
            except FaultError as error:
                raise self._bad("joints", error.problem.found, error.problem.expected) from None
            array = self._ways[names] @ array
        lost = np.asarray(~np.isfinite(array).all(axis=1))
        if lost.any():
            array[lost] = self._held(name, lost)
        if name == "orientation":
            length = np.linalg.norm(array, axis=1, keepdims=True)
            array = np.where(length > 1e-6, array / np.maximum(length, 1e-6), (1.0, 0, 0, 0))
            if self._count:
                before = self._values[name][self._count - 1]
                array = continuous_sign(array[None], before)[0]
        return array

    def _held(self, name: str, lost: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Where joints were last, which have no numbers in this frame."""
        shown = ", ".join(self.layout.joints[j] for j in np.flatnonzero(lost)[:4])
        shown += ", …" if lost.sum() > 4 else ""
        if lost.all() or not self._count:
            raise self._bad("lost", f"no numbers for {shown}", "finite numbers")
        self.notes.append(f"frame {self._given}: no numbers for {shown}, held where they were")
        held: NDArray[np.float64] = self._values[name][self._count - 1][lost]
        return held

    def _time(self, time: float | None) -> float:
        if time is None:
            if self.fps is None:
                raise DataError(
                    "frames come without times, and nothing says how many there are a second: give "
                    "each its time in seconds, or fps, the number of frames a second"
                )
            return self._times[self._count - 1] + 1 / self.fps if self._count else 0.0
        if isinstance(time, bool) or not isinstance(time, int | float | np.number):
            raise self._bad("time", f"the time {time!r}", "seconds")
        at = float(time)
        if not math.isfinite(at):
            raise self._bad("time", f"the time {at}", "seconds")
        if not self._count:
            self._origin = at
            return 0.0
        at -= self._origin
        last = float(self._times[self._count - 1])
        if at <= last:
            found = f"{at:.3f} s after {last:.3f} s"
            raise self._bad("time", found, "a later time than that of the frame before")
        usual = last / max(self._count - 1, 1)
        if at - last > max(GAP_SECONDS, 5 * usual):
            self.notes.append(f"frame {self._given}: {at - last:.2f} s without a frame before it")
        return at

    def _store(self, arrays: Frame, at: float) -> None:
        if self._count == len(self._times):
            room = max(256, 2 * self._count)
            self._times = _grown(self._times, (room,))
            for name, values in arrays.items():
                old = self._values.get(name, np.zeros((0, *values.shape)))
                self._values[name] = _grown(old, (room, *values.shape))
        self._times[self._count] = at
        for name, values in arrays.items():
            self._values[name][self._count] = values
        self._count += 1

    def _bad(self, kind: str, found: str, expected: str) -> BadFrameError:
        return BadFrameError(kind, None, found, expected, f"frame {self._given}")


def _grown(array: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """`array` at the beginning of a larger one."""
    new = np.zeros(shape)
    new[: len(array)] = array
    return new

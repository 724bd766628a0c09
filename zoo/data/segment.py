"""Where a recording is cut into samples.

Every cut is a list of (start, stop) frame pairs, half open, in order of time.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.errors import ConfigError, DataError

if TYPE_CHECKING:
    from zoo.data.recording import Recording

SAMPLING_KINDS = ("recording", "pieces", "windows", "repetitions")

Segment = tuple[int, int]


@dataclass(frozen=True)
class Sampling:
    """How one recording becomes one or several samples.

    Attributes:
        kind: ``recording`` (one sample, the whole of it), ``pieces`` (`pieces` equal parts),
            ``windows`` (of `length` frames every `stride` frames, or of `seconds` every `every`
            seconds) or ``repetitions`` (found by `zoo.data.repetition.find_repetitions`).
        pieces: number of equal parts, for ``pieces``.
        length: frames in a window, for ``windows``.
        stride: frames between the starts of two windows; `length` when None.
        seconds: length of a window, whatever the sensor's rate, in place of `length`.
        every: seconds between the starts of two such windows; `seconds` when None.
    """

    shorthand: ClassVar[str] = "kind"

    kind: str = "recording"
    pieces: int | None = None
    length: int | None = None
    stride: int | None = None
    seconds: float | None = None
    every: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in SAMPLING_KINDS:
            raise ConfigError(
                f"sampling.kind is {self.kind!r}, expected one of {', '.join(SAMPLING_KINDS)}"
            )
        allowed = {
            "pieces": {"pieces"},
            "windows": {"length", "stride"} if self.seconds is None else {"seconds", "every"},
        }.get(self.kind, set())
        given = {k: v for k, v in vars(self).items() if k != "kind" and v is not None}
        for key, value in given.items():
            if key not in allowed:
                where = f"for sampling.kind {self.kind}"
                if self.kind == "windows" and key != "pieces":
                    where = f"{'without' if self.seconds is None else 'beside'} sampling.seconds"
                raise ConfigError(f"sampling.{key} has no meaning {where}")
            if key in ("seconds", "every"):
                if not value > 0:
                    raise ConfigError(f"sampling.{key} is {value!r}, expected seconds above 0")
            elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"sampling.{key} is {value!r}, expected a whole number above 0")
        if self.kind == "pieces" and self.pieces is None:
            raise ConfigError("sampling.kind pieces needs sampling.pieces")
        if self.kind == "windows" and self.length is None and self.seconds is None:
            raise ConfigError("sampling.kind windows needs sampling.length or sampling.seconds")

    def to_dict(self) -> dict[str, Any]:
        """The kind and those numbers that mean something for it."""
        return {k: v for k, v in vars(self).items() if v is not None}

    def to_config(self) -> str | dict[str, Any]:
        """How a configuration writes it: the kind alone where that says all."""
        values = self.to_dict()
        return values if len(values) > 1 else self.kind

    def frames(self, fps: float) -> tuple[int, int | None]:
        """Length of a window and the way to the next in frames of a recording of `fps`."""
        if self.seconds is None:
            assert self.length is not None
            return self.length, self.stride
        length = max(1, round(self.seconds * fps))
        return length, None if self.every is None else max(1, round(self.every * fps))


def whole(frames: int) -> list[Segment]:
    """The whole recording as one segment.

    Raises:
        DataError: there is no frame.
    """
    if frames < 1:
        raise DataError("a recording without a frame cannot become a sample")
    return [(0, frames)]


def equal_pieces(frames: int, pieces: int) -> list[Segment]:
    """`pieces` parts whose lengths differ by at most one, as `numpy.array_split` cuts.

    Raises:
        DataError: fewer frames than pieces.
    """
    if frames < pieces:
        raise DataError(f"{frames} frames cannot be cut into {pieces} pieces")
    size, longer = divmod(frames, pieces)
    return list(pairwise(accumulate([size + 1] * longer + [size] * (pieces - longer), initial=0)))


def windows(frames: int, length: int, stride: int | None = None) -> list[Segment]:
    """Windows of `length` frames, one every `stride` frames.

    When the last of them ends before the recording does, one more is laid flush with its end,
    so that every frame is seen. A recording shorter than `length` is one window.

    Raises:
        DataError: there is no frame.
    """
    if frames <= length:
        return whole(frames)
    starts = list(range(0, frames - length + 1, stride or length))
    if starts[-1] + length < frames:
        starts.append(frames - length)
    return [(start, start + length) for start in starts]


def segments(recording: "Recording", sampling: Sampling) -> list[Segment]:
    """The segments of `recording` under `sampling`, in order of time.

    Raises:
        DataError: the recording is too short; the message names it.
    """
    try:
        if sampling.kind == "pieces":
            assert sampling.pieces is not None
            return equal_pieces(recording.num_frames, sampling.pieces)
        if sampling.kind == "windows":
            return windows(recording.num_frames, *sampling.frames(recording.fps))
        if sampling.kind == "repetitions":
            from zoo.data.repetition import find_repetitions

            return find_repetitions(recording) or whole(recording.num_frames)
        return whole(recording.num_frames)
    except DataError as error:
        raise DataError(f"recording {recording.id}: {error}") from None

"""What a recording is held against, and where a check says what it found."""

from collections.abc import Collection
from dataclasses import dataclass, field

from zoo.data.adapters.base import FaultError, Problem
from zoo.data.recording import Recording

MIN_FRAMES = 10
"""Fewer frames are no repetition: the shortest sound one seen has 28 (UI-PRMD's Kinect)."""

MOST_MISSING = 0.5
"""Largest share of frames, or of time, that may be missing: beyond it more is made up than seen."""


@dataclass(frozen=True)
class Expected:
    """What a dataset says of its recordings; what it does not say is not looked at.

    Attributes:
        score_range: lowest and highest possible total score.
        binary: whether the total is right (1) or wrong (0).
        exercises: ids of its exercises; empty where it names none.
        metric: whether positions are metres with y up.
    """

    score_range: tuple[float, float] | None = None
    binary: bool = False
    exercises: Collection[str] = ()
    metric: bool = True


@dataclass
class Look:
    """One look at a recording.

    Attributes:
        expected: what it is held against.
        place: what messages call it: its file, or its id.
        faults: what is wrong with it and costs less than the recording.
        notes: what one should know of it, by kind.
    """

    expected: Expected
    place: str
    faults: list[Problem] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def at(cls, recording: Recording, expected: Expected) -> "Look":
        """A look at `recording`, of which nothing is known yet."""
        return cls(expected, recording.source or f"recording {recording.id}")

    def note(self, kind: str, text: str) -> None:
        """Something to know, such as that joints were lost."""
        self.notes.append((kind, text))

    def fault(self, kind: str, found: str, expected: str) -> None:
        """Something wrong that was mended or left out; the recording is kept."""
        self.faults.append(Problem(kind, self.place, None, found, expected))

    def refusal(
        self, kind: str, found: str, expected: str, setting: tuple[str, str] | None = None
    ) -> FaultError:
        """The error to raise where the recording cannot be used; `setting` as in `FaultError`."""
        return FaultError(kind, None, found, expected, self.place, setting)

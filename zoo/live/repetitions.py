"""Repetitions of an exercise, found as they end."""

from dataclasses import dataclass, field

from zoo.data.repetition import find_repetitions
from zoo.errors import DataError
from zoo.live.frames import Frames

EVERY = 0.5
"""Seconds between two looks."""
SETTLED = 0.5
"""Seconds behind its end after which the last repetition that is seen counts as ended."""
SAME = 0.3
"""Share of a repetition by which its borders may differ between two looks at it."""
MEMORY = 120.0
"""Seconds that are looked at; repetitions long ago say nothing of the one that ends."""


@dataclass(eq=False)
class RepetitionFinder:
    """`find_repetitions` on the frames so far, again every `EVERY` seconds.

    A repetition has ended when the next one is there, or when `SETTLED` seconds have gone by since
    its end; two looks in a row must see it. What was said is not taken back: the borders of a
    recording that is whole may lie a little elsewhere.

    Attributes:
        ended: (start, stop) frames of those that have ended.
    """

    ended: list[tuple[int, int]] = field(default_factory=list)
    _looked: float = 0.0
    _before: list[tuple[int, int]] = field(default_factory=list)

    def look(self, frames: Frames, *, over: bool = False) -> list[tuple[int, int]]:
        """Those that have ended since the last look; empty between two.

        Args:
            frames: so far.
            over: no more will come: whatever is seen has ended.
        """
        now = float(frames.times[-1]) if len(frames) else 0.0
        if now - self._looked < EVERY and not over:
            return []
        self._looked = now
        rate = frames.rate
        first = max(0, len(frames) - round(MEMORY * rate))
        try:
            found = find_repetitions(frames.recording(first))
        except DataError:
            return []
        shown = [(first + a, first + b) for a, b in found]
        new = []
        for place, (start, stop) in enumerate(shown):
            settled = place + 1 < len(shown) or len(frames) - stop >= SETTLED * rate
            done = self.ended[-1][1] if self.ended else 0
            if max(0, done - start) > SAME * (stop - start):
                continue
            if not over and not (settled and self._seen_before(start, stop)):
                continue
            self.ended.append((max(start, done), stop))
            new.append(self.ended[-1])
        self._before = shown
        return new

    def _seen_before(self, start: int, stop: int) -> bool:
        """Whether the look before saw it too."""
        most = SAME * (stop - start)
        return any(abs(a - start) <= most and abs(b - stop) <= most for a, b in self._before)

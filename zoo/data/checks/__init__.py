"""Every recording from outside is looked at here before it is believed.

`looked_at` is the one door: `zoo.data.dataset.prepare` takes what any adapter reads through it, and
`zoo.prediction` every file and recording that is scored or explained. Each check of `CHECKS` takes
a recording, mends it or leaves it alone, says what it found (`Look.fault`, `Look.note`), or refuses
it by the error of `Look.refusal`. To add one, write it and name it here; docs/data.md lists them
with their messages.
"""

from collections.abc import Callable
from dataclasses import dataclass

from zoo.data.adapters.base import Problem
from zoo.data.checks import body, clock, places, said
from zoo.data.checks.look import MIN_FRAMES, Expected, Look
from zoo.data.recording import Recording

Check = Callable[[Recording, Look], Recording]

CHECKS: tuple[Check, ...] = (
    said.frame_rate,
    said.exercise,
    said.scores,
    places.turns,
    places.places,
    clock.time_stamps,
    places.nobody,
    body.long_enough,
    clock.even_time,
    body.units,
    body.upright,
    body.jumps,
    body.still,
    body.lost_joints,
)
"""In this order: what stands beside the joints, where they are, when, and what they make."""

CHECKS_VERSION = 1
"""Raised when a sound recording would come out otherwise; stores of another one are made again."""


@dataclass(frozen=True)
class Looked:
    """A recording that may be believed.

    Attributes:
        recording: with what could be mended.
        faults: what was mended or left out.
        notes: what one should know of it: a kind, and a sentence.
    """

    recording: Recording
    faults: tuple[Problem, ...]
    notes: tuple[tuple[str, str], ...]


def looked_at(recording: Recording, expected: Expected | None = None) -> Looked:
    """Look at a recording; of a sound one neither arrays nor scores are changed.

    Args:
        recording: of any source, in the units and axes of `Recording`.
        expected: what its dataset says.

    Raises:
        FaultError: it cannot be used; what was found, what is expected.
        DataError: it is no recording of its layout, or holds what is no text, number or plain data.
    """
    look = Look.at(recording, expected or Expected())
    recording = said.plain_values(recording, look)
    for check in CHECKS:
        recording = check(recording, look)
    return Looked(recording, tuple(look.faults), tuple(look.notes))


__all__ = ["CHECKS", "CHECKS_VERSION", "MIN_FRAMES", "Expected", "Looked", "looked_at"]

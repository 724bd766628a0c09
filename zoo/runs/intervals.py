"""Intervals of a finished run: calibrated on its validation people, measured on its test people."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.evaluation.aggregate import aggregate
from zoo.evaluation.conformal import Calibration, calibrate, people_needed
from zoo.runs.run import RunResult
from zoo.words import percent

LEVEL = 0.9
"""The level of intervals where nobody asks for another."""


@dataclass(frozen=True)
class Intervals:
    """Intervals of a run and how they did on its test people.

    Attributes:
        calibration: how wide they are.
        people: number of test people.
        covered: number of them of whom all true scores lie in their intervals.
        coverage: share of test recordings whose true score lies in its interval.
        width: mean width, in score units; infinite where the calibration is.
        leaky: whether the run's protocol lets people stand on both sides, so that the coverage
            says nothing about new people.
    """

    calibration: Calibration
    people: int
    covered: int
    coverage: float
    width: float
    leaky: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain containers."""
        return asdict(self)


def run_intervals(run: RunResult, level: float = LEVEL) -> Intervals:
    """Calibrate on the run's validation people and count what holds for its test people.

    Raises:
        ConfigError: a level that is not between 0 and 1.
    """
    calibration = run_calibration(run, level)
    test = _Part.of(run, "test", run.record["protocol"]["aggregate"])
    radius = calibration.radius(test.deviation, len(test.true))
    inside = np.abs(test.true - test.predicted) <= radius
    outside = {name for name, held in zip(test.person, inside, strict=True) if not held}
    people = set(test.person)
    return Intervals(
        calibration=calibration,
        people=len(people),
        covered=len(people - outside),
        coverage=float(inside.mean()),
        width=float(2 * radius.mean()),
        leaky=run.leaky,
    )


def run_calibration(run: RunResult, level: float = LEVEL, how: str | None = None) -> Calibration:
    """Intervals from the run's stored predictions for its validation people.

    Where its head predicts a deviation, errors are counted in that.

    Args:
        run: a finished run.
        level: of the intervals.
        how: how samples of one recording are brought together; as the run's protocol says if
            None.

    Raises:
        ConfigError: a level that is not between 0 and 1.
    """
    part = _Part.of(run, "validation", how or run.record["protocol"]["aggregate"])
    return calibrate(part.person, part.true, part.predicted, level, part.deviation)


def no_interval(calibration: Calibration) -> str:
    """Why a calibration gives no finite interval, in a sentence."""
    return (
        f"No interval: one of {percent(calibration.level)} needs at least "
        f"{people_needed(calibration.level)} validation people, the run has "
        f"{calibration.people or 'none'}."
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """Recordings of a part: person, true and predicted score, predicted deviation if any."""

    person: list[str]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    deviation: NDArray[np.float64] | None

    @classmethod
    def of(cls, run: RunResult, part: str, how: str) -> "_Part":
        rows = run.predictions.of(part)
        whole = rows.per_recording(how)
        names = [
            rows.recording[i] if rows.person[i] in ("", UNKNOWN_SUBJECT) else rows.person[i]
            for i in whole.first
        ]
        stored = run.record.get("deviation")
        deviation = None
        if stored is not None:
            values = stored.get(part, [])
            # Samples of one recording err alike: their mean is as uncertain as they are.
            how = "none" if how == "none" else "mean"
            deviation = aggregate(rows.recording, rows.true, values, how).predicted
        return cls(names, whole.true, whole.predicted, deviation)

"""Intervals of a finished run: calibrated on its validation people, measured on its test people."""

from dataclasses import dataclass

import numpy as np

from zoo.evaluation.conformal import Calibration, calibrate, people_needed
from zoo.runs.run import Run
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


def run_intervals(run: Run, level: float = LEVEL) -> Intervals:
    """Calibrate on the run's validation people and count what holds for its test people.

    Raises:
        ConfigError: a level that is not between 0 and 1.
    """
    calibration = run_calibration(run, level)
    test = run.tested
    radius = calibration.radius(test.deviation, len(test))
    inside = np.abs(test.true - test.predicted) <= radius
    outside = {name for name, held in zip(test.who, inside, strict=True) if not held}
    people = set(test.who)
    return Intervals(
        calibration=calibration,
        people=len(people),
        covered=len(people - outside),
        coverage=float(inside.mean()),
        width=float(2 * radius.mean()),
        leaky=run.leaky,
    )


def run_calibration(run: Run, level: float = LEVEL, how: str | None = None) -> Calibration:
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
    rows = run.scores.of("validation").per_recording(how or run.record.protocol.aggregate)
    return calibrate(rows.who, rows.true, rows.predicted, level, rows.deviation)


def no_interval(calibration: Calibration) -> str:
    """Why a calibration gives no finite interval, in a sentence."""
    return (
        f"No interval: one of {percent(calibration.level)} needs at least "
        f"{people_needed(calibration.level)} validation people, the run has "
        f"{calibration.people or 'none'}."
    )

"""Intervals of a finished run: calibrated on its validation people, measured on its test people."""

import math
from dataclasses import dataclass

import numpy as np

from zoo.evaluation.conformal import Calibration, calibrate, people_needed
from zoo.runs.run import Run
from zoo.words import percent

LEVEL = 0.9
"""The level of intervals where nobody asks for another."""


TOO_WIDE = 0.5
"""An interval over so much of the scale does not tell a good execution from a poor one."""


@dataclass(frozen=True)
class Intervals:
    """Intervals of a run and how they did on its test people.

    Attributes:
        calibration: how wide they are.
        people: number of test people.
        covered: number of them of whom all true scores lie in their intervals.
        coverage: share of test recordings whose true score lies in its interval.
        width: mean width on the scale, in score units; infinite where the calibration is.
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
    lowest, highest = run.record.dataset.score_range
    ends = np.clip([test.predicted - radius, test.predicted + radius], lowest, highest)
    inside = np.abs(test.true - test.predicted) <= radius
    outside = {name for name, held in zip(test.who, inside, strict=True) if not held}
    people = set(test.who)
    return Intervals(
        calibration=calibration,
        people=len(people),
        covered=len(people - outside),
        coverage=float(inside.mean()),
        width=float((ends[1] - ends[0]).mean()) if calibration.finite else math.inf,
        leaky=run.leaky,
    )


def on_scale(score: float, radius: float, scale: tuple[float, float]) -> tuple[float, float] | None:
    """What of an interval around `score` lies on the scale; None where nothing does."""
    low, high = max(score - radius, scale[0]), min(score + radius, scale[1])
    return (low, high) if low <= high else None


def too_wide(width: float, scale: tuple[float, float]) -> str:
    """That an interval is too wide to be of use, in a clause; empty where it is not."""
    share = width / (scale[1] - scale[0])
    if share <= TOO_WIDE:
        return ""
    return (
        f"{share:.0%} of the scale from {scale[0]:g} to {scale[1]:g}: too wide to tell a good "
        "execution from a poor one"
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

"""The embedded dataset: a rehabilitation simulator with known truth; needs no download."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoo.data.adapters.base import Adapter, PrepareReport, Progress
from zoo.data.recording import Recording
from zoo.data.simulator import Settings, record
from zoo.data.simulator.exercises import EXERCISES
from zoo.errors import ConfigError

TITLES: Mapping[str, str] = {key: exercise.title for key, exercise in EXERCISES.items()}
"""The exercises in words, by id."""


class SyntheticAdapter(Adapter):
    """Simulates people who perform five exercises before a Kinect v2, as in KIMORE.

    Every number follows from the seed. A person and exercise has a random stream of its own:
    more people, or other exercises, change nobody's recordings. What is wrong with a performance,
    by how much, at which joints, and when its repetitions are is kept and read by
    `zoo.data.simulator.truth`.

    Args:
        people: how many.
        repetitions: about how many a recording has; one more or one less.
        seed: of everything.
        fps: frames per second.
        noise: sensor noise, as a multiple of the one measured on KIMORE.
        lost: how often joints are inferred or lost, as a multiple of KIMORE's rates.
        rater_sd: standard deviation of the raters' noise in the total score, points.

    Raises:
        ConfigError: a parameter is out of range.
    """

    name = "synthetic"
    version = 1
    layout = "kinect-v2"
    title = "Simulated rehabilitation exercises"
    licence = "MIT"
    score_range = (0.0, 50.0)
    exercises = TITLES
    needs_source = False

    def __init__(
        self,
        people: int = 60,
        repetitions: int = 5,
        seed: int = 3407,
        fps: float = 30.0,
        noise: float = 1.0,
        lost: float = 1.0,
        rater_sd: float = 1.5,
    ) -> None:
        for name, count, least in (
            ("people", people, 1),
            ("repetitions", repetitions, 1),
            ("seed", seed, 0),
        ):
            if isinstance(count, bool) or not isinstance(count, int) or count < least:
                raise ConfigError(
                    f"dataset.{name} is {count!r}, expected a whole number of at least {least}"
                )
        for name, value, low, high in (
            ("fps", fps, 10.0, 240.0),
            ("noise", noise, 0.0, 20.0),
            ("lost", lost, 0.0, 20.0),
            ("rater_sd", rater_sd, 0.0, 25.0),
        ):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not low <= value <= high:
                raise ConfigError(
                    f"dataset.{name} is {value!r}, expected a number from {low:g} to {high:g}"
                )
        self.people = people
        self.fps = float(fps)
        self.settings = Settings(
            seed=seed,
            repetitions=repetitions,
            fps=float(fps),
            noise=float(noise),
            lost=float(lost),
            rater_sd=float(rater_sd),
        )

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """Yields the recordings, person by person; `source` and `report` are not used."""
        total = self.people * len(EXERCISES)
        done = 0
        for person in range(self.people):
            for exercise in EXERCISES:
                recording = record(person, exercise, self.settings)
                yield recording
                done += 1
                progress(done, total, recording.id)

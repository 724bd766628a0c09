"""The embedded dataset: a rehabilitation simulator with known truth; needs no download."""

import math
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from zoo.data.adapters.base import Adapter, PrepareReport, Progress
from zoo.data.recording import Recording
from zoo.data.simulator import GROUPS, Settings, record
from zoo.data.simulator.exercises import EXERCISES
from zoo.errors import ConfigError


class SyntheticAdapter(Adapter):
    """Simulates people who perform five exercises before a Kinect v2, as in KIMORE.

    Every number follows from the seed. A person and exercise has a random stream of its own:
    more people, or other exercises, change nobody's recordings. What is wrong with a performance,
    by how much, at which joints, and when its repetitions are is kept and read by
    `zoo.data.simulator.truth`.

    Args:
        people: how many.
        repetitions, seed, fps, noise, lost, rater_sd: see `zoo.data.simulator.Settings`.

    Raises:
        ConfigError: a parameter is out of range.
    """

    name = "synthetic"
    version = 1
    layout = "kinect-v2"
    score_range = (0.0, 50.0)
    exercises = MappingProxyType({key: kind.title for key, kind in EXERCISES.items()})
    needs_source = False
    healthy = (GROUPS[0].name, GROUPS[1].name)  # KIMORE's control groups
    showable = True

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
        for name, value, low, high in (
            ("people", people, 1, math.inf),
            ("repetitions", repetitions, 1, math.inf),
            ("seed", seed, 0, math.inf),
            ("fps", fps, 10, 240),
            ("noise", noise, 0, 20),
            ("lost", lost, 0, 20),
            ("rater_sd", rater_sd, 0, 25),
        ):
            if not low <= value <= high:
                expected = f"at least {low}" if high == math.inf else f"from {low} to {high}"
                raise ConfigError(f"dataset.{name} is {value!r}, expected a number {expected}")
        self.people = people
        self.fps = fps
        self.settings = Settings(seed, repetitions, fps, noise, lost, rater_sd)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """Yields the recordings, person by person; `source` and `report` are not used."""
        cases = [(person, exercise) for person in range(self.people) for exercise in EXERCISES]
        for done, (person, exercise) in enumerate(cases, start=1):
            recording = record(person, exercise, self.settings)
            yield recording
            progress(done, len(cases), recording.id)

"""Datasets of a Kinect as a single camera with a pose estimator would have given them: simulated.

People, exercises, scores and ids are those of the dataset itself, so that splits are the same and
scores can be compared person by person.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from zoo.data.adapters.base import PrepareReport, Progress
from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.adapters.synthetic import SyntheticAdapter
from zoo.data.recording import Recording
from zoo.data.simulator.camera import Camera
from zoo.errors import ConfigError

_NOTE = (
    "simulated: a Kinect's joints with the errors of a single camera; no pose estimator has seen "
    "these people"
)


class KimoreCameraAdapter(KimoreAdapter):
    """KIMORE's official folders, and single sessions, seen by a simulated single camera.

    Args:
        seed, noise, lost: see `zoo.data.simulator.camera.Camera`.

    Raises:
        ConfigError: a parameter is out of range.
    """

    version = 1
    beside = MappingProxyType({})

    def __init__(self, seed: int = 3407, noise: float = 1.0, lost: float = 1.0) -> None:
        self.camera = _camera(seed, noise, lost)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `KimoreAdapter.read`."""
        report.note(_NOTE)
        yield from map(self.camera.view, super().read(source, report, progress))

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """See `KimoreAdapter.read_file`."""
        for recording in super().read_file(file, report):
            report.note(f"{recording.id}: {_NOTE}")
            yield self.camera.view(recording)


class SyntheticCameraAdapter(SyntheticAdapter):
    """The simulator's people before a Kinect, seen by a simulated single camera.

    Args:
        people, repetitions, seed, fps, rater_sd: see `SyntheticAdapter`.
        noise, lost: see `zoo.data.simulator.camera.Camera`.

    Raises:
        ConfigError: a parameter is out of range.
    """

    version = 1

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
        super().__init__(people, repetitions, seed, fps, rater_sd=rater_sd)
        self.camera = _camera(seed, noise, lost)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `SyntheticAdapter.read`."""
        yield from map(self.camera.view, super().read(source, report, progress))


def _camera(seed: int, noise: float, lost: float) -> Camera:
    for name, value, high in (("seed", seed, math.inf), ("noise", noise, 20), ("lost", lost, 20)):
        if not 0 <= value <= high:
            expected = "at least 0" if high == math.inf else f"from 0 to {high}"
            raise ConfigError(f"dataset.{name} is {value!r}, expected a number {expected}")
    return Camera(seed, noise, lost)

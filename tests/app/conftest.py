"""Runs that a camera can feed, and sessions of the simulator's people as the page saves them."""

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.data.simulator import Settings, record
from zoo.runs.run import Run

HERE = Path(__file__).parent
FPS = 30


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and runs."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def train(desk: Path) -> Callable[..., Run]:
    """Trains a small network, as `zoo.train`."""

    def trained(dataset: str = "synthetic-camera", model: str = "tcn", **overrides: Any) -> Run:
        few = {"dataset.people": 12, "dataset.repetitions": 2}
        settings = {**few, "trainer.epochs": 2, "trainer.threads": 1, **overrides}
        return zoo.train(
            model,
            dataset,
            overrides=settings,
            runs=desk / "runs",
            data_root=desk / "data",
            resume=True,
        )

    return trained


@pytest.fixture(scope="session")
def camera_run(train: Callable[..., Run]) -> Run:
    """A run on skeletons as a single camera gives them."""
    return train()


@pytest.fixture(scope="session")
def session_file(desk: Path, mediapipe: Any) -> Callable[..., Path]:
    """Writes a session as the page does: ``session_file(person, exercise, spoil)``.

    `spoil` changes the landmarks (T, 33, 4) in place and gives the frames without a person.
    """

    def written(person: int, exercise: str, spoil: Callable[[Any], Any] | None = None) -> Path:
        recording = record(person, exercise, Settings(repetitions=4))
        points = mediapipe.landmarks(recording)
        rng = np.random.default_rng(person)
        points = points + rng.normal(0, 0.01, points.shape)
        rows = np.concatenate([points, rng.uniform(0.3, 1, (*points.shape[:2], 1))], axis=-1)
        nobody = set() if spoil is None else set(spoil(rows))
        landmarks = np.round(rows, 5).tolist()
        frames = [
            {"poseWorldLandmarks": None if t in nobody else frame}
            for t, frame in enumerate(landmarks)
        ]
        file = desk / f"session-{person}-{exercise}-{len(nobody)}.json"
        file.write_text(json.dumps({"fps": FPS, "frames": frames}), encoding="utf-8")
        return file

    return written


@pytest.fixture(scope="session")
def in_node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[dict[str, Any]]]:
    """What the page's code makes of sessions: ``in_node(manifest, files)``."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    folder = tmp_path_factory.mktemp("node")
    with resources.as_file(resources.files("zoo.app") / "page") as page:
        shutil.copytree(page, folder / "page")
    (folder / "page" / "package.json").write_text('{"type": "module"}')

    def made(manifest: dict[str, Any], files: list[Path]) -> list[dict[str, Any]]:
        run = folder / "run.json"
        run.write_text(json.dumps(manifest), encoding="utf-8")
        command = [node, HERE / "samples.mjs", folder / "page", run, *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    return made

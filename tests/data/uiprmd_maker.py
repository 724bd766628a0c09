"""Small hand-made UI-PRMD trees in the published form; used through the fixture `uiprmd`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import Adapter, PrepareReport
from zoo.data.recording import Recording
from zoo.skeleton.layout import load_layout

WIDTH = {"Kinect": 66, "Vicon": 117}
FRAMES = {"Kinect": 24, "Vicon": 40}
KINDS = ("Positions", "Angles")
SIDES = {"": "Segmented Movements", "_inc": "Incorrect Segmented Movements"}


def make_tree(root: Path) -> Path:
    """One person's ten deep squats, right and wrong, by both sensors."""
    for ending in SIDES:
        for sensor, frames in FRAMES.items():
            for kind in KINDS:
                for episode in range(1, 11):
                    rows = numbers(sensor, frames, episode)
                    write(file(root, sensor, kind, f"m01_s01_e{episode:02}", ending), rows)
    return root


def file(root: Path, sensor: str, kind: str, key: str, ending: str = "") -> Path:
    """Path of the file of a repetition such as ``m01_s01_e01``."""
    return root / SIDES[ending] / sensor / kind / f"{key}_{kind.lower()}{ending}.txt"


def numbers(sensor: str, frames: int, seed: int = 0) -> NDArray[np.float64]:
    """Rows without zeros and without jumps."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(5, 60, WIDTH[sensor])
    return base + np.sin(np.arange(frames)[:, None] / 9 + rng.uniform(0, 6, WIDTH[sensor]))


def stand(root: Path) -> None:
    """Makes an upright person of the tree's numbers: legs below, everything else above."""
    for sensor, size in (("Kinect", 20.0), ("Vicon", 800.0)):
        layout = load_layout(f"uiprmd-{sensor.lower()}")
        legs = {*layout.parts["left_leg"], *layout.parts["right_leg"]}
        up = np.array([-size if j in legs else size for j in range(layout.num_joints)])
        for path in sorted(root.rglob(f"{sensor}/*/*.txt")):
            values = np.loadtxt(path, delimiter=",")
            if path.parent.name == "Positions":
                values *= 0.3 if sensor == "Kinect" else 1.0
                values[:, (1 if sensor == "Kinect" else 2) :: 3] += up
            elif sensor == "Kinect":
                values *= 0.1
            write(path, values)


def write(path: Path, values: NDArray[np.float64]) -> None:
    """Writes rows as the authors do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f"{v:.5f}" for v in row) + "\n" for row in values))


def edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Rewrites the lines of a file."""
    lines = change(path.read_text().splitlines())
    path.write_text("".join(f"{line}\n" for line in lines))


def lose(path: Path, joint: int, frames: slice) -> None:
    """Writes zeros, as Vicon does where it lost a joint."""
    values = np.loadtxt(path, delimiter=",")
    values[frames, 3 * joint : 3 * joint + 3] = 0
    write(path, values)


def read(
    adapter: Adapter, source: Path, strict: bool = False
) -> tuple[dict[str, Recording], PrepareReport]:
    """All recordings by id, and the report."""
    report = PrepareReport(strict=strict)
    found = {r.id: r for r in adapter.read(source, report, Adapter.NO_PROGRESS)}
    return found, report


def write_labels(folder: Path, right: list[float], wrong: list[float], full: int = 40) -> None:
    """A subset of five scored repetitions, with the two files of scores beside it."""
    folder.mkdir(exist_ok=True)

    def rows(episodes: list[int]) -> list[dict[str, object]]:
        return [
            {"r": i, "subject": "s01", "episode": f"e{n:02}", "start": 5, "stop": 35, "full": full}
            for i, n in enumerate(episodes, start=1)
        ]

    subset = {
        "m01": {"correct": rows([2, 4, 5]), "incorrect": rows([4, 2])},
        "m02": {"correct": rows([1]), "incorrect": []},
    }
    (folder / "uiprmd_reduced_subset.json").write_text(json.dumps(subset))
    (folder / "Labels_Correct.csv").write_text("".join(f"{v}\n" for v in right))
    (folder / "Labels_Incorrect.csv").write_text("".join(f"{v}\n" for v in wrong))

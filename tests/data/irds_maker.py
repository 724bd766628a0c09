"""Small hand-made IRDS trees in the published forms."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from zoo.skeleton import load_layout

JOINTS = load_layout("kinect-v2").joints
NAMES = (
    "101_18_0_1_1_stand",
    "101_18_0_2_2_stand",
    "201_20_0_1_3_wheelchair",
    "201_20_8_1_2_chair",
    "301_2_0_10_1_stand",
)
FRAMES = 14


def make_tree(root: Path) -> Path:
    """Five repetitions of three people in both forms, as the archive unpacks."""
    for i, name in enumerate(NAMES):
        values = numbers(i)
        write_raw(root / "SkeletonData" / "RawData" / f"{name}.txt", values)
        write_simplified(root / "SkeletonData" / "Simplified" / f"{name}.txt", values)
    return root


def make_people(root: Path, people: int = 10, repetitions: int = 4) -> Path:
    """Simplified files of elbow flexions, half of them right: there the left hand goes up."""
    for person in range(people):
        for i in range(repetitions):
            right = i % 2 == 0
            values = numbers(100 * person + i)
            values[:, 7, 1] += np.linspace(0, 1, FRAMES) * right
            name = f"{201 + person}_1_0_{i}_{1 if right else 2}_stand.txt"
            write_simplified(root / "Simplified" / name, values)
    return root


def numbers(seed: int, frames: int = FRAMES) -> NDArray[np.float64]:
    """Positions (frames, 25, 3) with six decimals."""
    shaking = np.random.default_rng(seed).normal(scale=0.05, size=(frames, 25, 3))
    return (load_body().STANDING + shaking).round(6)


@cache
def load_body() -> ModuleType:
    """The module body_maker.py."""
    file = Path(__file__).with_name("body_maker.py")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def raw_line(frame: int, joints: NDArray[np.float64], body: int = 0, state: str = "Tracked") -> str:
    """A line of the raw form."""
    parts = [
        f"({name},{state},{x:g},{y:g},{z:g},{100 + x:g},{90 + y:g})"
        for name, (x, y, z) in zip(JOINTS, joints, strict=True)
    ]
    return ",".join([str(frame), str(body), str(1000 + 33 * frame), *parts])


def write_raw(path: Path, values: NDArray[np.float64]) -> None:
    """A raw file of one body."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["Version0.1", *(raw_line(i, joints) for i, joints in enumerate(values))]
    path.write_text("\n".join(lines) + "\n")


def write_simplified(path: Path, values: NDArray[np.float64]) -> None:
    """A file of the simplified form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = values.reshape(len(values), -1)
    path.write_text("".join(",".join(f"{v:g}" for v in row) + "\n" for row in rows))

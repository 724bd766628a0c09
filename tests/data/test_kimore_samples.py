"""The script that counts ways of cutting KIMORE, where the answer is known."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "kimore_samples.py"


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("kimore_samples", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("10 equal pieces", 10),
        ("windows of 100 frames every 100, rest dropped", 3),
        ("windows of 100 frames every 100, last window flush with the end", 4),
        ("windows of 100 frames every 50, rest dropped", 6),
    ],
)
def test_samples_of_one_recording(script: Any, rule: str, count: int) -> None:
    recording = SimpleNamespace(num_frames=399, id="P1")
    assert dict(script.rules())[rule](recording) == count


@pytest.mark.parametrize(("frames", "count"), [(99, 0), (100, 1), (149, 1), (150, 2), (201, 3)])
def test_windows_that_lie_wholly_in_a_recording(script: Any, frames: int, count: int) -> None:
    assert script.whole_windows(frames, 100, 50) == count


def test_how_often_chance_comes_near(script: Any) -> None:
    """A number that nearly every rule of windows gives, and one that none does."""
    tried, near, hit = script.near_by_chance([40], counted=1)
    assert (near, hit) == (tried, tried // 2)  # no window lies in 40 frames; one is kept of them
    assert script.near_by_chance([40], counted=100) == (tried, 0, 0)

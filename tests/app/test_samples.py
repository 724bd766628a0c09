"""What the page makes of landmarks is what Python makes of them: joints, samples, repetitions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.app.manifest import manifest
from zoo.data.repetition import find_repetitions
from zoo.data.segment import Sampling
from zoo.data.transforms.steps import parse_steps
from zoo.prediction import Predictor
from zoo.runs.run import Run

WAYS = {
    "as the protocol does": {},
    "in repetitions": {"sampling": Sampling("repetitions")},
    "in windows": {"sampling": Sampling("windows", seconds=3.0, every=1.0)},
    "in pieces, of their own length": {"sampling": Sampling("pieces", pieces=3), "frames": None},
    "by other transforms": {
        "transforms": parse_steps([{"center": {"by": "median"}}, "scale-body", "smooth"])
    },
}


def away(rows: np.ndarray) -> set[int]:
    """Nobody is seen at the beginning and for a second in between."""
    return {*range(5), *range(100, 130)}


def astray(rows: np.ndarray) -> set[int]:
    """For a while somebody else is followed, a wrist is wild, and a foot is lost."""
    rows[200:206, :, 0] += 3.0
    rows[150:160, 15, :3] = 4.0
    rows[60:80, 31, 3] = 0.0
    return set()


def beside_another(rows: np.ndarray) -> set[int]:
    """Both: a skeleton that jumps between frames in which nobody is seen."""
    return astray(rows) | away(rows)


SESSIONS: list[tuple[int, str, Any]] = [
    (1, "5", None), (2, "1", None), (3, "2", away), (4, "3", astray), (5, "4", beside_another),
]  # fmt: skip


@pytest.fixture(scope="module")
def files(session_file: Callable[..., Path]) -> list[Path]:
    return [session_file(*session) for session in SESSIONS]


def predictor(run: Run, **changes: Any) -> Predictor:
    opened = Predictor.open(run, dataset="mediapipe", device="cpu")
    return replace(opened, protocol=replace(opened.protocol, **changes))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.replace(" ", "-"))
def test_samples_are_those_of_python(
    way: str,
    camera_run: Run,
    files: list[Path],
    in_node: Callable[..., list[dict[str, Any]]],
) -> None:
    asked = predictor(camera_run, **WAYS[way])
    for file, found in zip(files, in_node(manifest(asked, "full"), files), strict=True):
        (recording,) = asked.recordings(file)
        looked = asked.looked(recording).recording
        samples = asked.protocol.samples([looked], ("position",), scored=False)
        assert [s["frames"] for s in found["samples"]] == _lengths(samples), file.name
        for i, sample in enumerate(found["samples"]):
            x = np.array(sample["x"]).reshape(sample["frames"], -1, 3)
            theirs = samples.streams["position"][i, : sample["frames"]].numpy()
            assert np.abs(x - theirs).max() < 2e-6, file.name
        first = found["samples"][0]["start"] - samples.frames[0][0]
        spans = [(s["start"] - first, s["stop"] - first) for s in found["samples"]]
        assert spans == samples.frames
        repetitions = [(a - first, b - first) for a, b in found["repetitions"]]
        assert repetitions == find_repetitions(looked), file.name


def _lengths(samples: Any) -> list[int]:
    if samples.mask is None:
        return [samples.streams["position"].shape[1]] * len(samples)
    return [int(n) for n in samples.mask.sum(dim=1)]


def test_too_little_is_told(
    camera_run: Run,
    session_file: Callable[..., Path],
    in_node: Callable[..., list[dict[str, Any]]],
) -> None:
    told = manifest(predictor(camera_run), "full")
    sessions = [
        session_file(6, "5", lambda rows: range(8, len(rows))),
        session_file(7, "5", lambda rows: range(10, len(rows) - 10)),
        session_file(8, "5", lambda rows: range(len(rows))),
    ]
    whys = [answer["why"] for answer in in_node(told, sessions)]
    assert whys[0] == "somebody is seen in 8 frames; at least 10 are needed"
    assert whys[1].startswith("nobody is seen in ")
    assert whys[2] == "nobody is seen in it"

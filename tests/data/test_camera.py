"""Recordings as a simulated single camera would have given them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.mediapipe_maker import write_csv
from zoo.data.adapters.base import PrepareReport
from zoo.data.adapters.camera import KimoreCameraAdapter, SyntheticCameraAdapter
from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.dataset import load_dataset
from zoo.data.readers import load_reader
from zoo.data.recording import INFERRED, Recording
from zoo.data.simulator import Settings, record
from zoo.data.simulator.body import INDEX
from zoo.data.simulator.camera import Camera, as_landmarks, hidden_joints, middle_of_hips
from zoo.data.transforms import hips_centred
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

EXACT = Camera(noise=0.0, lost=0.0)
KINECT = load_layout("kinect-v2")


@pytest.fixture(scope="module")
def seen_by_kinect() -> Recording:
    return record(0, "5", Settings(repetitions=2, noise=0.0, lost=0.0))


def places(recording: Recording) -> np.ndarray:
    assert recording.positions is not None
    return recording.positions.astype(np.float64)


def test_the_hips_stay_at_the_origin_and_orientations_are_gone(seen_by_kinect: Recording) -> None:
    for camera in (EXACT, Camera()):
        seen = camera.view(seen_by_kinect)
        assert np.abs(middle_of_hips(places(seen))).max() < 1e-3
        assert hips_centred(places(seen), KINECT)
        assert seen.orientations is None
        assert seen.angles is None
        assert (seen.id, seen.scores) == (seen_by_kinect.id, seen_by_kinect.scores)
    assert not hips_centred(places(seen_by_kinect), KINECT)


def test_joints_are_those_that_the_reader_makes_of_landmarks(
    seen_by_kinect: Recording, tmp_path: Path
) -> None:
    x = places(seen_by_kinect)
    at = {name: x[:, INDEX[name]] for name in INDEX}
    points = np.zeros((len(x), 33, 3))
    names = load_layout("mediapipe").joints
    for number, name in enumerate(names):
        side = "Left" if "left" in name else "Right"
        part = name.split("_")[-1].capitalize()
        hand, tip, thumb = at[f"Hand{side}"], at[f"HandTip{side}"], at[f"Thumb{side}"]
        knuckle = (hand + tip + thumb) / 3
        points[:, number] = {
            "Foot": at[f"Foot{side}"],
            "Pinky": 2 * hand - knuckle,
            "Index": at[f"Foot{side}"] if "foot" in name else knuckle,
            "Heel": at[f"Ankle{side}"],
            **{p: at[p + side] for p in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")},
            "Thumb": thumb,
        }.get(part, at["Head"])
    points -= points[:, [23, 24]].mean(axis=1, keepdims=True)
    points[..., :2] *= -1
    file = tmp_path / "take.csv"
    write_csv(file, points)
    reader = load_reader("mediapipe", layout="kinect-v2", fps=30)
    (read,) = reader.read_file(file, PrepareReport())
    assert np.abs(places(read) - places(EXACT.view(seen_by_kinect))).max() < 1e-3


def test_without_errors_nothing_but_the_view_changes(seen_by_kinect: Recording) -> None:
    seen = places(EXACT.view(seen_by_kinect))
    x = places(seen_by_kinect)
    for joint in ("ElbowLeft", "WristRight", "KneeLeft", "AnkleRight", "Head"):
        moved = x[:, INDEX[joint]] - middle_of_hips(x)[:, 0]
        assert np.abs(seen[:, INDEX[joint]] - moved).max() < 1e-3


def test_depth_is_worse_than_what_is_seen_in_the_picture(seen_by_kinect: Recording) -> None:
    error = places(Camera().view(seen_by_kinect)) - places(EXACT.view(seen_by_kinect))
    across, up, away = np.sqrt((error**2).mean(axis=(0, 1)))
    assert 0.005 < across < 0.05
    assert up < away
    assert 1.5 * across < away < 0.2


def test_noise_is_a_factor(seen_by_kinect: Recording) -> None:
    exact = places(EXACT.view(seen_by_kinect))
    little, much = (
        np.abs(places(Camera(noise=noise, lost=0).view(seen_by_kinect)) - exact).mean()
        for noise in (0.25, 1.0)
    )
    assert 3 < much / little < 5


def test_the_same_seed_gives_the_same_and_another_another(seen_by_kinect: Recording) -> None:
    first, again = Camera().view(seen_by_kinect), Camera().view(seen_by_kinect)
    assert places(first).tobytes() == places(again).tobytes()
    assert (places(first) != places(Camera(seed=1).view(seen_by_kinect))).any()
    renamed = Camera().view(replace(seen_by_kinect, id="somebody else"))
    assert (places(first) != places(renamed)).any()


def test_what_hides_behind_the_body_is_inferred() -> None:
    x = places(record(0, "1", Settings(repetitions=2, noise=0.0, lost=0.0)))[:5].copy()
    wrist = INDEX["WristLeft"]
    assert not hidden_joints(x)[:, wrist].any()
    x[:, wrist] = x[:, INDEX["SpineMid"]] * 1.1  # on the same line of sight, farther away
    assert hidden_joints(x)[:, wrist].all()
    x[:, wrist] = x[:, INDEX["SpineMid"]] * 0.9
    assert not hidden_joints(x)[:, wrist].any()


def test_lost_hands_lie_along_the_forearm(seen_by_kinect: Recording) -> None:
    seen = Camera(noise=0.0, lost=20.0).view(seen_by_kinect)
    assert seen.tracked is not None
    x, lost = places(seen), seen.tracked[:, INDEX["HandLeft"]] == INFERRED
    assert 0.05 < lost.mean() < 1
    forearm = x[:, INDEX["WristLeft"]] - x[:, INDEX["ElbowLeft"]]
    hand = x[:, INDEX["HandLeft"]] - x[:, INDEX["WristLeft"]]
    lengths = np.linalg.norm(forearm, axis=-1) * np.linalg.norm(hand, axis=-1)
    assert ((forearm * hand).sum(-1)[lost] > 0.99 * lengths[lost]).all()


def test_states_follow_the_joints_that_others_are_made_of() -> None:
    x = places(record(0, "1", Settings(repetitions=2)))[:4]
    states = np.full(x.shape[:2], 2, dtype=np.uint8)
    states[:, INDEX["ShoulderLeft"]] = INFERRED
    _, found = as_landmarks(x, states)
    assert (found[:, INDEX["SpineShoulder"]] == INFERRED).all()
    assert (found[:, INDEX["ShoulderRight"]] == 2).all()


def test_the_simulators_people_before_a_camera(tmp_path: Path) -> None:
    kinect = load_dataset("synthetic", tmp_path, people=2)
    camera = load_dataset("synthetic-camera", tmp_path, people=2)
    assert [(r.id, r.subject, r.scores) for r in camera] == [
        (r.id, r.subject, r.scores) for r in kinect
    ]
    assert camera.hips_centred
    assert not kinect.hips_centred
    assert all(r.orientations is None for r in camera)


@pytest.mark.parametrize("setting", ["noise", "lost", "seed"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    for adapter in (KimoreCameraAdapter, SyntheticCameraAdapter):
        with pytest.raises(ConfigError, match=f"dataset.{setting} is -1"):
            adapter(**{setting: -1})


def test_a_session_of_kimore_before_a_camera(make_kimore: Any, tmp_path: Path) -> None:
    """Read as a file and as part of the tree it is the same, and has KIMORE's scores."""
    maker = make_kimore(tmp_path)
    maker.person("E_ID1", frames=12)
    report = PrepareReport()
    adapter = KimoreCameraAdapter()
    whole = {r.id: r for r in adapter.read(tmp_path, report, KimoreCameraAdapter.NO_PROGRESS)}
    kinect = {r.id: r for r in KimoreAdapter().read(tmp_path, PrepareReport(), lambda *_: None)}
    assert whole.keys() == kinect.keys()
    seen, before = whole["E_ID1/Es5"], kinect["E_ID1/Es5"]
    assert (seen.subject, seen.group, seen.scores) == (before.subject, before.group, before.scores)
    assert hips_centred(places(seen), KINECT)
    (alone,) = adapter.read_file(maker.positions("E_ID1", 5), PrepareReport())
    assert places(alone).tobytes() == places(seen).tobytes()
    assert any("no pose estimator has seen these people" in note for note in report.notes)

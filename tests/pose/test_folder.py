"""Videos of a real person, seen by MediaPipe's networks where they are installed."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.pose.video_maker import on_ground, photograph, write_video
from zoo.data.adapters.base import FaultError, PrepareReport
from zoo.data.adapters.table import read_table
from zoo.data.dataset import create_adapter, prepare
from zoo.data.known import parameters_for
from zoo.data.readers import load_reader
from zoo.data.transforms import hips_centred
from zoo.errors import ConfigError, DataError
from zoo.pose.folder import landmarks_csv, require_apart, write_landmarks
from zoo.pose.packages import read_networks
from zoo.pose.tracker import Pose, Tracker
from zoo.skeleton import load_layout

NAMES = load_layout("mediapipe").joints
SIZE = (646, 720)
STEP = 4


@pytest.fixture(scope="module")
def networks():
    for library in ("av", "ai_edge_litert"):
        pytest.importorskip(library, reason=f"{library} is not installed (extra: pose)")
    models = os.environ.get("MEDIAPIPE_POSE")
    try:
        return read_networks(None if models is None else Path(models), "full")
    except DataError as error:
        pytest.skip(f"{error}; $MEDIAPIPE_POSE may name it")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """She moves to the right by `STEP` pixels a frame."""
    photo = photograph()
    return [on_ground(photo, 20 + STEP * i, 40, SIZE) for i in range(14)]


@pytest.fixture(scope="module")
def poses(networks, pictures: Sequence[np.ndarray]) -> list[Pose]:
    tracker = Tracker(networks)
    found = [tracker(picture, i / 30) for i, picture in enumerate(pictures)]
    assert None not in found
    return [pose for pose in found if pose is not None]


def at(pose: Pose, name: str) -> np.ndarray:
    return pose.picture[NAMES.index(name)]


def test_landmarks_are_where_they_are_in_the_photograph(poses: Sequence[Pose]) -> None:
    """Read off the photograph by eye, to some thirty pixels of six hundred."""
    seen = {"nose": (274, 234), "left_eye": (309, 204), "right_eye": (234, 200)}
    for name, place in seen.items():
        assert at(poses[0], name) == pytest.approx(np.add(place, (20, 40)), abs=30)


def test_her_left_is_to_the_right_of_the_picture_and_her_head_above_her_hips(
    poses: Sequence[Pose],
) -> None:
    for pose in poses:
        for part in ("eye", "ear", "shoulder", "hip"):
            left, right = (NAMES.index(f"{side}_{part}") for side in ("left", "right"))
            assert pose.picture[left, 0] > pose.picture[right, 0]
            assert pose.world[left, 0] > pose.world[right, 0]
        height = pose.world[:, 1]
        nose, hips = height[NAMES.index("nose")], height[[23, 24]].mean()
        assert 0.3 < hips - nose < 0.9  # metres; y points down
        assert pose.visibility[NAMES.index("nose")] > 0.9 > pose.visibility[23]


def test_world_landmarks_have_their_origin_between_the_hips(poses: Sequence[Pose]) -> None:
    world = np.stack([pose.world for pose in poses])
    assert hips_centred(world, load_layout("mediapipe"))


def test_she_is_followed(poses: Sequence[Pose]) -> None:
    """Once the first guesses have settled, landmarks stay where they are in the photograph."""
    for name in ("nose", "left_eye", "right_eye", "left_shoulder", "right_shoulder"):
        places = [at(pose, name)[0] - STEP * i for i, pose in enumerate(poses)][6:]
        assert np.ptp(places) < 15 < STEP * len(places)


def test_the_same_video_gives_the_same_bytes(networks, pictures, poses: Sequence[Pose]) -> None:
    tracker = Tracker(networks)
    again = [tracker(picture, i / 30) for i, picture in enumerate(pictures[:3])]
    times = [0.0, 0.1, 0.2]
    assert landmarks_csv(times, again) == landmarks_csv(times, poses[:3])


def test_nobody_is_seen_where_nobody_is(networks) -> None:
    tracker = Tracker(networks)
    assert tracker(np.full((200, 300, 3), 90, dtype=np.uint8), 0.0) is None


def test_she_is_found_again_after_she_was_away(networks, pictures) -> None:
    tracker = Tracker(networks)
    empty = np.full_like(pictures[0], 128)
    seen = [tracker(x, i / 30) for i, x in enumerate((pictures[0], empty, pictures[5]))]
    assert [pose is not None for pose in seen] == [True, False, True]


def test_a_folder_that_the_zoo_reads(networks, pictures, tmp_path: Path) -> None:
    video, folder = tmp_path / "P01 squat.mp4", tmp_path / "clinic"
    write_video(video, pictures)
    done: list[tuple[int, int]] = []
    written = write_landmarks(
        video, folder, Tracker(networks), progress=lambda *count: done.append(count)
    )
    assert (written.frames, written.seen, written.damage) == (14, 14, "")
    assert done[-1] == (14, 14)
    adapter = create_adapter("clinic", source=folder, **parameters_for("clinic", folder))
    dataset = prepare(adapter, folder, tmp_path / "data")
    (recording,) = dataset
    assert (recording.id, recording.layout, dict(recording.scores)) == (
        "P01 squat", "mediapipe", {},
    )  # fmt: skip
    assert dataset.hips_centred
    assert recording.fps == pytest.approx(30, abs=0.1)


def test_rows_that_somebody_filled_in_stay(networks, pictures, tmp_path: Path) -> None:
    table = tmp_path / "recordings.csv"
    table.write_text("file;person;score\none.csv;P01;12\n")
    video = tmp_path / "two.mp4"
    write_video(video, pictures[:12])
    for _ in range(2):
        write_landmarks(video, tmp_path, Tracker(networks))
    rows = [dict(row.cells) for row in read_table(table).rows]
    assert rows == [
        {"file": "one.csv", "person": "P01", "score": "12"},
        {"file": "two.csv", "person": "", "score": ""},
    ]


def test_a_video_without_a_person_is_refused_and_leaves_no_recording(
    networks, tmp_path: Path
) -> None:
    video = tmp_path / "wall.mp4"
    write_video(video, [np.full((200, 300, 3), 90, dtype=np.uint8)] * 12)
    with pytest.raises(FaultError, match="a person in 0 of 12 frames"):
        write_landmarks(video, tmp_path / "out", Tracker(networks))
    assert list((tmp_path / "out").iterdir()) == []


def made_up(frames: int) -> list[Pose]:
    rng = np.random.default_rng(0)
    world = rng.normal(0, 0.3, (33, 3))
    world[[23, 24]] = [[0.1, 0.0, 0.0], [-0.1, 0.0, 0.0]]
    return [Pose(world + 0.01 * i, np.zeros((33, 2)), np.full(33, 0.9)) for i in range(frames)]


def test_lost_frames_are_lost_to_the_reader(tmp_path: Path) -> None:
    poses: list[Pose | None] = list(made_up(20))
    poses[7] = None
    hidden = poses[3]
    assert hidden is not None
    poses[3] = replace(hidden, visibility=np.full(33, 0.2))
    file = tmp_path / "take.csv"
    file.write_text(landmarks_csv([i / 30 for i in range(20)], poses))
    (read,) = load_reader("mediapipe").read_file(file, PrepareReport())
    assert read.tracked is not None
    assert (read.tracked[7] == 0).all()
    assert (read.tracked[3] == 1).all()
    assert (np.delete(read.tracked, [3, 7], axis=0) == 2).all()
    first = poses[0]
    assert first is not None
    assert read.positions is not None
    assert np.abs(read.positions[0] - first.world * [-1, -1, 1]).max() < 1e-4


def test_two_videos_of_one_name() -> None:
    with pytest.raises(ConfigError, match="2 videos are called squat"):
        require_apart([Path("monday/Squat.mp4"), Path("tuesday/squat.mov"), Path("lift.mp4")])

"""MediaPipe Pose as people write it: CSV and JSON, landmarks of the picture and of the world."""

import json

import numpy as np
import pytest

from zoo.data.readers import readers_of
from zoo.data.recording import INFERRED, NOT_TRACKED, TRACKED
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import load_layout

JOINTS = load_layout("mediapipe").joints
XYZV = ("x", "y", "z", "v")


@pytest.fixture
def world(files):
    return files.landmarks()


@pytest.fixture
def write(files, tmp_path):
    def writing(header, rows, name="take.csv", separator=",", encoding="utf-8"):
        file = tmp_path / name
        file.write_bytes(files.table(header, rows, separator).encode(encoding))
        return file

    return writing


def headers():
    long = ("x", "y", "z", "visibility")
    return {
        "x1 … v33": [f"{c}{i}" for i in range(1, 34) for c in XYZV],
        "x0 … v32": [f"{c}{i}" for i in range(33) for c in XYZV],
        "NOSE_x": [f"{j.upper()}_{c}" for j in JOINTS for c in long],
        "nose.x": [f"{j}.{c}" for j in JOINTS for c in long],
        "x_nose": [f"{c}_{j}" for j in JOINTS for c in ("x", "y", "z", "vis")],
        "Left eye (inner) X": [f"{j.replace('_', ' ').capitalize()} {c}" for j in JOINTS for c in
                               ("X", "Y", "Z", "Visibility")],
        "landmark_00_x": [f"landmark_{i:02d}_{c}" for i in range(33) for c in XYZV],
        "0_x": [f"{i}_{c}" for i in range(33) for c in XYZV],
        "0 … 131": [str(i) for i in range(132)],
        "none": None,
    }  # fmt: skip


@pytest.mark.parametrize("kind", list(headers()))
def test_every_usual_header(kind, world, write, read):
    file = write(headers()[kind], world.reshape(len(world), -1))
    assert readers_of(file) == ["mediapipe"]
    (found,), notes = read("mediapipe", file, fps=30)
    np.testing.assert_allclose(found.positions, world[..., :3] * (-1, -1, 1), rtol=1e-6)
    assert (found.tracked == TRACKED).all()
    assert (found.layout, found.id, found.subject) == ("mediapipe", "take", "unknown")
    assert "centred between the hips in every frame" in notes[0]


@pytest.mark.parametrize(
    ("first", "column"),
    [
        ("time", lambda t: t / 25),
        ("timestamp_ms", lambda t: 40 * t),
        ("t (s)", lambda t: 5 + t / 25),
        ("Timestamp", lambda t: 1.7e18 + 4e7 * t),
        ("time", lambda t: 40_000 * t),
    ],
)
def test_times_give_the_frame_rate_in_whatever_unit(first, column, world, write, read):
    rows = [[repr(column(t)), *frame.ravel()] for t, frame in enumerate(world)]
    (found,), _ = read("mediapipe", write([first, *headers()["NOSE_x"]], rows))
    assert found.fps == pytest.approx(25, abs=0.01)
    np.testing.assert_allclose(found.timestamps, np.arange(len(world)) / 25, atol=1e-6)


def test_labels_and_numbers_beside_the_landmarks_are_left_alone(world, write, read):
    plain, _ = read("mediapipe", write(None, world.reshape(len(world), -1)), fps=30)
    rows = [["squat, deep", *frame.ravel()] for frame in world]
    quoted = write(["class", *headers()["x1 … v33"]], [[f'"{r[0]}"', *r[1:]] for r in rows])
    unnamed = write(None, [["squat", *r[1:]] for r in rows], "unnamed.csv")
    counted = write(None, [[t, *r[1:]] for t, r in enumerate(rows)], "counted.csv")
    indexed = write(["", *map(str, range(132))], [[t, *r[1:]] for t, r in enumerate(rows)], "i.csv")
    for file in (quoted, unnamed, counted, indexed):
        (found,), _ = read("mediapipe", file, fps=30)
        np.testing.assert_array_equal(found.positions, plain[0].positions)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_what_excel_writes(encoding, world, write, read):
    header = ["Übung", *headers()["NOSE_x"]]
    rows = [["Kniebeuge", *(repr(v).replace(".", ",") for v in f.ravel().tolist())] for f in world]
    file = write(header, rows, separator=";", encoding=encoding)
    file.write_bytes(file.read_bytes().replace("\n".encode(encoding), "\r\n".encode(encoding))
                     if encoding == "cp1252" else file.read_bytes())  # fmt: skip
    (found,), _ = read("mediapipe", file, fps=30)
    np.testing.assert_allclose(found.positions, world[..., :3] * (-1, -1, 1), rtol=1e-6)


def test_visibility_is_kept_and_zeros_are_nobody(world, write, read):
    world[:, 0, 3] = 0.2
    world[4] = 0.0  # as written for a frame in which nobody was found
    world[6, 5, :3] = np.nan
    (found,), _ = read("mediapipe", write(None, world.reshape(len(world), -1)), fps=30)
    assert (found.tracked[:4, 0] == INFERRED).all()
    assert (found.tracked[4] == NOT_TRACKED).all()
    assert found.tracked[6, 5] == NOT_TRACKED
    between = (found.positions[3] + found.positions[5]) / 2
    np.testing.assert_allclose(found.positions[4], between, atol=1e-6)


def image(world, width=1600, height=900):
    """The same body before a camera, in parts of the picture."""
    x = 800 + 400 * world[..., 0]
    y = 450 + 400 * world[..., 1]
    return np.stack([x / width, y / height, 400 * world[..., 2] / width, world[..., 3]], axis=-1)


def test_landmarks_of_the_picture_get_a_unit_from_the_trunk(world, write, read):
    file = write(None, image(world).reshape(len(world), -1))
    (found,), notes = read("mediapipe", file, fps=30)
    (metres,), _ = read("mediapipe", write(None, world.reshape(len(world), -1), "w.csv"), fps=30)
    moved = found.positions - found.positions[:1, :1]
    np.testing.assert_allclose(moved, metres.positions - metres.positions[:1, :1], atol=1e-4)
    assert "1.778 times as wide as high, as the file does not say" in notes[0]
    assert "median trunk" in notes[1]
    (square,), notes = read("mediapipe", file, fps=30, aspect=1.0)
    assert np.ptp(square.positions[..., 0]) < np.ptp(found.positions[..., 0])
    assert "does not say" not in notes[0]
    with pytest.raises(ConfigError, match=r"aspect is 0\.0"):
        read("mediapipe", file, aspect=0.0)


def test_pixels_are_told_and_a_depth_in_another_unit_is_left_out(world, write, read):
    pixels = image(world) * (1600, 900, 1, 1)
    (found,), notes = read("mediapipe", write(None, pixels.reshape(len(world), -1)), fps=30)
    assert (found.positions[..., 2] == 0).all()
    assert found.extra == {"dimensions": 2}
    assert "pixels" in notes[0]
    assert "two dimensions" in notes[-1]
    assert found.positions[0, 0, 1] > found.positions[0, 23, 1]


def test_both_kinds_in_one_table(world, write, read):
    header = [f"{j}_{c}" for j in JOINTS for c in "xyz"]
    header += [f"{j}_world_{c}" for j in JOINTS for c in "xyz"]
    picture = image(world)[..., :3].reshape(len(world), -1)
    file = write(header, np.c_[picture, world[..., :3].reshape(len(world), -1)])
    (found,), notes = read("mediapipe", file, fps=30)
    np.testing.assert_allclose(found.positions, world[..., :3] * (-1, -1, 1), rtol=1e-6)
    assert "world" in notes[0]


def points(frame):
    return [dict(zip(("x", "y", "z", "visibility"), p, strict=True)) for p in frame]


def forms(world):
    frames = world.tolist()
    return {
        "list of landmarks": [points(f) for f in frames],
        "poseWorldLandmarks": [{"poseLandmarks": points(image(world)[0].tolist()),
                                "poseWorldLandmarks": points(f)} for f in frames],
        "pose_world_landmarks.landmark": [{"pose_world_landmarks": {"landmark": points(f)}}
                                          for f in frames],
        "worldLandmarks of people": [{"landmarks": [points(f)], "worldLandmarks": [points(f)]}
                                     for f in frames],
        "frames with names": {"fps": 25, "frames": [
            {"frame": t, "landmarks": dict(zip(map(str.upper, JOINTS), points(f), strict=True))}
            for t, f in enumerate(frames)]},
        "keypoints3D": [{"score": 1, "keypoints3D": [
            {"name": j, "x": p[0], "y": p[1], "z": p[2], "score": p[3]}
            for j, p in zip(JOINTS, f, strict=True)]} for f in frames],
        "keyed by frame": {str(t): f for t, f in reversed(list(enumerate(frames)))},
        "flat": {"frames": [{"t": t / 25, "pose": np.ravel(f).tolist()}
                            for t, f in enumerate(frames)]},
    }  # fmt: skip


@pytest.mark.parametrize("form", list(forms(np.zeros((1, 33, 4)))))
def test_every_usual_json(form, world, tmp_path, read):
    file = tmp_path / "take.json"
    file.write_text(json.dumps(forms(world)[form]))
    (found,), _ = read("mediapipe", file, fps=25)
    np.testing.assert_allclose(found.positions, world[..., :3] * (-1, -1, 1), rtol=1e-6)
    lines = tmp_path / "take.jsonl"
    if isinstance(forms(world)[form], list):
        lines.write_text("".join(json.dumps(f) + "\n" for f in forms(world)[form]))
        assert (read("mediapipe", lines, fps=25)[0][0].positions == found.positions).all()


def test_json_with_nobody_in_some_frames(world, tmp_path, read):
    frames = [{"timestamp": 1000 * t / 25, "poseWorldLandmarks": points(f)}
              for t, f in enumerate(world.tolist())]  # fmt: skip
    for t, nothing in ((3, None), (4, [])):
        frames[t]["poseWorldLandmarks"] = nothing
    frames[6]["poseWorldLandmarks"][2] |= {"x": None, "y": float("nan"), "z": float("inf")}
    file = tmp_path / "take.json"
    file.write_text(json.dumps(frames))
    (found,), _ = read("mediapipe", file)
    assert found.fps == 25
    assert (found.tracked[3:5] == NOT_TRACKED).all()
    assert found.tracked[6, 2] == NOT_TRACKED
    assert np.isfinite(found.positions).all()


def test_landmarks_become_the_joints_of_a_kinect(world, write, read):
    file = write(None, world.reshape(len(world), -1))
    (plain,), _ = read("mediapipe", file, fps=30)
    (kinect,), notes = read("mediapipe", file, fps=30, layout="kinect-v2")
    of = dict(zip(JOINTS, np.moveaxis(plain.positions, 1, 0), strict=True))
    to = dict(
        zip(load_layout("kinect-v2").joints, np.moveaxis(kinect.positions, 1, 0), strict=True)
    )
    shoulders = (of["left_shoulder"] + of["right_shoulder"]) / 2
    head = (of["left_ear"] + of["right_ear"]) / 2
    hips = (of["left_hip"] + of["right_hip"]) / 2
    for joint, place in {
        "ShoulderLeft": of["left_shoulder"],
        "AnkleRight": of["right_ankle"],
        "FootLeft": of["left_foot_index"],
        "HandTipRight": of["right_index"],
        "ThumbLeft": of["left_thumb"],
        "HandLeft": (of["left_pinky"] + of["left_index"]) / 2,
        "SpineBase": hips,
        "SpineShoulder": shoulders,
        "SpineMid": (hips + shoulders) / 2,
        "Head": head,
        "Neck": shoulders + (head - shoulders) / 4,
    }.items():
        np.testing.assert_allclose(to[joint], place, atol=1e-6, err_msg=joint)
    assert "joints of kinect-v2 made of others" in notes[1]
    (coco,), _ = read("mediapipe", file, fps=30, layout="coco")
    assert coco.num_joints == 17
    with pytest.raises(DataError, match="of openpose-body25, the nearest, .*MidHip.* are missing"):
        read("mediapipe", file, fps=30, layout="openpose-body25")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"time,a,b\n1,2,3\n", "found 3 columns, expected 33 landmarks: 132 columns of x, y, z"),
        (b"[[1, 2], [3]]", "found 2 landmarks in frame 0, expected 33"),
        (b'[{"x": 1}]', "found an object with the keys x in frame 0, expected 33 landmarks"),
        (b'{"a": 1}', "found an object with the keys a, expected a list of frames"),
        (b'[{"poseLandmarks": [', "line 1: found the end of the file, expected more JSON"),
        (b"[" * 5000, "found lists in lists without end"),
        (b"[[[1, 2, 3, 4],", "the end of the file"),
        (b'{"frames": [} ', "line 1: found '} ' at column 13"),
        (b"", "found an empty file of 0 bytes"),
    ],
)
def test_faults_are_told(content, said, tmp_path, read):
    file = tmp_path / "take.json"
    file.write_bytes(content)
    with pytest.raises(DataError) as told:
        read("mediapipe", file, fps=30)
    assert said in str(told.value)
    assert str(file) in str(told.value)


def test_faults_of_tables_are_told_with_their_line(world, write, read):
    rows = world.reshape(len(world), -1).astype(object)
    rows[7, 3] = "much"
    with pytest.raises(DataError, match=r"line 9: found 'much' as v1, expected a number"):
        read("mediapipe", write(headers()["x1 … v33"], rows), fps=30)
    rows[7, 3] = 1
    file = write(headers()["x1 … v33"], rows)
    file.write_text(file.read_text()[:-200])
    with pytest.raises(DataError, match=r"line 21: found \d+ values, expected 132"):
        read("mediapipe", file, fps=30)
    with pytest.raises(DataError, match="neither times nor a frame rate, .*give the reader fps"):
        read("mediapipe", write(headers()["x1 … v33"], rows))
    with pytest.raises(DataError, match="nobody in 20 frames"):
        read("mediapipe", write(headers()["x1 … v33"], 0 * rows), fps=30)

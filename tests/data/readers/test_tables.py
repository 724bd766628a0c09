"""Wide and long tables: joints by name, in any order and spelling."""

import numpy as np
import pytest

from zoo.data.readers import readers_of
from zoo.data.readers.tables import split_name
from zoo.data.recording import INFERRED, NOT_TRACKED, TRACKED
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import load_layout

JOINTS = load_layout("kinect-v2").joints


@pytest.fixture
def body(files):
    return files.person("kinect-v2")


@pytest.fixture
def write(files, tmp_path):
    def writing(header, rows, name="take.csv", separator=","):
        (tmp_path / name).write_text(files.table(header, rows, separator))
        return tmp_path / name

    return writing


@pytest.mark.parametrize(
    ("name", "joint", "part"),
    [
        ("SpineBase_x", "SpineBase", "x"),
        ("Spine Base:Y", "Spine Base", "y"),
        ("z_Head", "Head", "z"),
        ("HeadX", "Head", "x"),
        ("head.confidence", "head", "confidence"),
        ("('head', 'y')", "head", "y"),
        ("Knee_Left_z (mm)", "Knee_Left", "z"),
        ("left_knee_likelihood", "left_knee", "likelihood"),
        ("x12", "12", "x"),
        ("12_state", "12", "state"),
        ("index", "", ""),
        ("label", "", ""),
    ],
)
def test_names_of_columns(name, joint, part):
    part = "confidence" if part == "likelihood" else part
    assert split_name(name) == (joint, part)


@pytest.mark.parametrize(
    "spell",
    [
        lambda joint, axis: f"{joint}_{axis}",
        lambda joint, axis: f"{joint}.{axis}",
        lambda joint, axis: f"{axis.upper()}_{joint}",
        lambda joint, axis: f"{joint}{axis.upper()}",
        lambda joint, axis: f"{joint.lower()} {axis}",
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_spelling_and_order(spell, separator, body, write, read):
    order = np.random.default_rng(0).permutation(75)
    header = np.array([spell(joint, axis) for joint in JOINTS for axis in "xyz"])[order]
    rows = np.c_[np.arange(20) / 30, body.reshape(20, -1)[:, order]]
    file = write(["t", *header], rows, separator=separator)
    assert readers_of(file) == ["wide-csv"]
    (found,), notes = read("wide-csv", file)
    np.testing.assert_allclose(found.positions, body, rtol=1e-6)
    assert (found.layout, round(found.fps, 3), notes) == ("kinect-v2", 30, [])
    assert (found.tracked == TRACKED).all()


def test_units_axes_and_states(body, write, read):
    header = [f"{j}_{c}" for j in JOINTS for c in ("x", "y", "z", "state")]
    up = 1000 * body[..., [0, 2, 1]] * (1, -1, 1)
    states = np.full((20, 25, 1), 2)
    states[3, 4], states[5, 6] = 1, 0
    rows = np.concatenate([up, states], axis=-1).reshape(20, -1)
    (found,), notes = read("wide-csv", write(header, rows), fps=30, units="mm", up="z")
    np.testing.assert_allclose(np.delete(found.positions, 5, 0), np.delete(body, 5, 0), rtol=1e-5)
    assert (found.tracked[3, 4], found.tracked[5, 6]) == (INFERRED, NOT_TRACKED)
    assert notes == []
    rows[0, 3] = 7
    with pytest.raises(DataError, match="line 2: found 7 as state of joint 1, expected 0 .lost"):
        read("wide-csv", write(header, rows), fps=30)


def test_two_dimensions_are_said(files, write, read):
    pixels = files.picture(files.person("coco"))
    joints = load_layout("coco").joints
    header = [f"{j}_{c}" for j in joints for c in ("x", "y", "score")]
    rows = np.concatenate([pixels, np.full((20, 17, 1), 0.3)], axis=-1)
    (found,), notes = read("wide-csv", write(header, rows.reshape(20, -1)), fps=30)
    assert (found.layout, found.extra) == ("coco", {"dimensions": 2})
    assert (found.tracked == INFERRED).all()
    assert any("two dimensions: z is 0" in note for note in notes)
    place = joints.index("left_shoulder"), joints.index("left_hip")
    assert (found.positions[:, place[0], 1] > found.positions[:, place[1], 1]).all()


def test_joints_of_no_layout_and_numbered_ones(body, write, read):
    header = [f"{j}_{c}" for j in (*JOINTS[:-1], "Tail") for c in "xyz"]
    with pytest.raises(DataError, match="of kinect-v2, the nearest, ThumbRight are missing"):
        read("wide-csv", write(header, body.reshape(20, -1)), fps=30)
    header = [f"{c}{i}" for i in range(25) for c in "xyz"]
    file = write(header, body.reshape(20, -1))
    (found,), _ = read("wide-csv", file, fps=30, joints=JOINTS)
    np.testing.assert_allclose(found.positions, body, rtol=1e-6)
    with pytest.raises(DataError, match="found 25 joints in the header, expected 24"):
        read("wide-csv", file, fps=30, joints=JOINTS[1:])
    with pytest.raises(ConfigError, match="units is 'inch', expected .*m, cm, mm, none"):
        read("wide-csv", file, units="inch")
    with pytest.raises(ConfigError, match="has no key 'unit'. Did you mean 'units'"):
        read("wide-csv", file, unit="m")


def test_a_broken_last_line_and_a_header_alone(body, write, read):
    header = [f"{j}_{c}" for j in JOINTS for c in "xyz"]
    file = write(header, body.reshape(20, -1))
    file.write_text(file.read_text()[:-300])
    with pytest.raises(DataError, match=r"line 21: found \d+ values, expected 75 as in the first"):
        read("wide-csv", file, fps=30)
    with pytest.raises(DataError, match="a header alone"):
        read("wide-csv", write(header, []), fps=30)


# Long tables


def rows_of(body, frames=range(20), names=JOINTS):
    return [
        (t, joint, *map(repr, place.tolist()))
        for t, frame in zip(frames, body, strict=False)
        for joint, place in zip(names, frame, strict=True)
    ]


@pytest.mark.parametrize(
    "header",
    [
        ["frame", "joint", "x", "y", "z"],
        ["Frame#", "Marker", "X", "Y", "Z"],
        ["frame_id", "landmark_name", "x", "y", "z"],
    ],
)
def test_rows_in_any_order(header, body, write, read):
    rows = rows_of(body)
    np.random.default_rng(1).shuffle(rows)
    file = write(header, rows)
    assert readers_of(file) == ["long-csv"]
    (found,), _ = read("long-csv", file, fps=30)
    np.testing.assert_allclose(found.positions, body, rtol=1e-6)


def test_missing_rows_are_lost_joints_and_missing_numbers_lost_frames(body, write, read):
    rows = rows_of(body, [t for t in range(24) if t not in (5, 6, 7, 8)])
    del rows[3]
    (found,), notes = read("long-csv", write(["frame", "joint", "x", "y", "z"], rows), fps=30)
    assert found.num_frames == 24
    assert (found.tracked[5:9] == NOT_TRACKED).all()
    assert found.tracked[0, 3] == NOT_TRACKED
    assert "4 of 24 frames are missing and count as lost" in notes[0]


def test_numbered_joints_and_times(body, write, read):
    rows = rows_of(body, [f"{t / 50:.2f}" for t in range(20)], range(25))
    file = write(["time", "keypoint", "x", "y", "z"], rows)
    (found,), _ = read("long-csv", file, joints=JOINTS)
    assert found.fps == 50
    np.testing.assert_allclose(found.positions, body, rtol=1e-6)
    with pytest.raises(DataError, match=r"found 25 joints \(0, 1, 2, 3, …\), expected the joints"):
        read("long-csv", file)


def test_a_joint_twice_and_other_faults(body, write, read):
    header = ["frame", "joint", "x", "y", "z"]
    rows = rows_of(body)
    with pytest.raises(DataError, match="line 28: found SpineMid again in the frame of line 3"):
        read("long-csv", write(header, [*rows[:26], rows[1], *rows[26:]]), fps=30)
    file = write(header, [*rows[:2], (*rows[2][:3], "left", rows[2][4]), *rows[3:]])
    with pytest.raises(DataError, match="line 4: found 'left' as y, expected a number"):
        read("long-csv", file, fps=30)
    with pytest.raises(DataError, match="found when, joint, x, y, z in the first line"):
        read("long-csv", write(["when", *header[1:]], rows), fps=30)

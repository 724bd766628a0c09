"""What pose estimators write of a video: OpenPose, AlphaPose, MMPose, MMAction2, KERAAL's files."""

import json
import pickle

import numpy as np
import pytest

from zoo.data.readers import readers_of
from zoo.data.recording import INFERRED, NOT_TRACKED, TRACKED
from zoo.errors import DataError
from zoo.skeleton.layout import load_layout


def shape_of(recording):
    """Positions from the middle of the hips."""
    layout = load_layout(recording.layout)
    hips = [j for pair in layout.pairs for j in pair if "hip" in layout.joints[j].lower()]
    return recording.positions - recording.positions[:, hips].mean(axis=1, keepdims=True)


def flat(body):
    """The same of what was written: seen by a camera, z lost."""
    joints = body.joints
    hips = [
        j for j, n in enumerate(joints) if n.lower() in ("lhip", "rhip", "left_hip", "right_hip")
    ]
    moved = body.positions - body.positions[:, hips].mean(axis=1, keepdims=True)
    return moved * (1, 1, 0)


class Body:
    def __init__(self, files, layout):
        self.joints = load_layout(layout).joints
        self.positions = files.person(layout)


@pytest.mark.parametrize(
    ("name", "layout"),
    [("openpose", "openpose-body25"), ("alphapose", "coco"), ("mmpose", "coco"),
     ("mmaction", "coco"), ("keraal-video", "openpose-coco18")],
)  # fmt: skip
def test_a_waving_body_comes_back_upright_and_in_metres(name, layout, files, tmp_path, read):
    (found,), notes = read(name, files.SAMPLES[name][0](tmp_path), fps=25)
    assert found.layout == layout
    loose = 2e-3 if name == "mmaction" else 1e-5  # half precision
    np.testing.assert_allclose(shape_of(found), flat(Body(files, layout)), atol=loose)
    assert found.extra["dimensions"] == 2
    assert (found.tracked == TRACKED).all()
    assert any("median trunk" in note for note in notes)
    (other,), _ = read(name, files.SAMPLES[name][0](_new(tmp_path)), fps=50)
    assert other.fps == 50


def _new(folder):
    (folder / "again").mkdir()
    return folder / "again"


# OpenPose


def frames_of(folder):
    return sorted(folder.glob("*.json"))


def change(file, change):
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def test_of_several_people_the_one_who_moves(files, tmp_path, read):
    folder = files.openpose(tmp_path)
    alone, _ = read("openpose", folder, fps=25)
    still = json.loads(frames_of(folder)[0].read_text())["people"][0]
    still["pose_keypoints_2d"] = [v + 500 * (i % 3 == 0) for i, v in
                                  enumerate(still["pose_keypoints_2d"])]  # fmt: skip
    for t, file in enumerate(frames_of(folder)):
        change(file, lambda v, t=t: v["people"].insert(t % 2, still))  # in no stable order
    (found,), notes = read("openpose", folder, fps=25)
    np.testing.assert_array_equal(found.positions, alone[0].positions)
    assert "2 people were seen; the one who moves most is kept, in 20 of 20 frames" in notes[0]


def test_somebody_who_passes_by_is_not_kept(files, tmp_path, read):
    folder = files.openpose(tmp_path)
    alone, _ = read("openpose", folder, fps=25)
    for t, file in enumerate(frames_of(folder)[:6]):
        passing = json.loads(file.read_text())["people"][0]
        passing["pose_keypoints_2d"] = [
            v + (700 - 60 * t) * (i % 3 == 0) for i, v in enumerate(passing["pose_keypoints_2d"])
        ]
        change(file, lambda v, passing=passing: v["people"].insert(0, passing))
    (found,), notes = read("openpose", folder, fps=25)
    np.testing.assert_array_equal(found.positions, alone[0].positions)
    assert "who is seen most is kept" in notes[0]


def test_confidence_nobody_and_missing_frames(files, tmp_path, read):
    folder = files.openpose(tmp_path)
    files_of = frames_of(folder)
    change(files_of[2], lambda v: v["people"].clear())
    files_of[5].unlink()

    def doubt(value):
        numbers = value["people"][0]["pose_keypoints_2d"]
        numbers[0:3], numbers[5] = [0, 0, 0], 0.3

    change(files_of[8], doubt)
    (found,), notes = read("openpose", folder, fps=25)
    assert found.num_frames == 20
    assert (found.tracked[[2, 5]] == NOT_TRACKED).all()
    assert (found.tracked[8, 0], found.tracked[8, 1]) == (NOT_TRACKED, INFERRED)
    assert "1 of 20 frames are missing and count as lost" in notes[0]
    assert np.abs(shape_of(found)).max() < 2


def test_coco18_and_points_in_space(files, tmp_path, read):
    for points, key, layout in (
        (files.picture(files.person("openpose-coco18")), "pose_keypoints_2d", "openpose-coco18"),
        (files.person("openpose-body25"), "pose_keypoints_3d", "openpose-body25"),
    ):
        folder = tmp_path / layout
        folder.mkdir()
        for t, frame in enumerate(points):
            numbers = np.c_[frame, np.ones(len(frame))].ravel().tolist()
            people = [{"pose_keypoints_2d": [], key: numbers}]
            (folder / f"{t}.json").write_text(json.dumps({"people": people}))
        (found,), _ = read("openpose", folder, fps=25)
        assert found.layout == layout
    np.testing.assert_allclose(found.positions, files.person("openpose-body25"), rtol=1e-6)
    assert "dimensions" not in found.extra
    (mapped,), _ = read("openpose", folder, fps=25, layout="coco")
    assert mapped.num_joints == 17


def test_faults_of_openpose(files, tmp_path, read):
    folder = files.openpose(tmp_path)
    first = frames_of(folder)[0]
    with pytest.raises(DataError, match=r"found one frame of 20, expected the folder of all"):
        read("openpose", first, fps=25)
    with pytest.raises(DataError, match="give the reader fps, such as fps=30"):
        read("openpose", folder)
    change(first, lambda v: v["people"][0].update(pose_keypoints_2d=[1, 2, 3]))
    with pytest.raises(DataError, match=r"keypoints\.json: found 3 numbers in pose_keypoints_2d, "):
        read("openpose", folder, fps=25)
    first.write_text('{"people": [')
    with pytest.raises(DataError, match="line 1: found the end of the file"):
        read("openpose", folder, fps=25)
    for file in frames_of(folder):
        file.write_text('{"people": []}')
    with pytest.raises(DataError, match="found nobody in 20 frames"):
        read("openpose", folder, fps=25)
    with pytest.raises(DataError, match="an empty folder, expected NAME_000000000000_keypoints"):
        read("openpose", _new(tmp_path), fps=25)


# AlphaPose


@pytest.mark.parametrize(("joints", "layout"), [(26, "halpe26"), (136, "halpe26"), (133, "coco")])
def test_larger_skeletons_of_alphapose(joints, layout, files, tmp_path, read):
    body = files.picture(files.person(layout))
    people = []
    for t, frame in enumerate(body):
        points = np.full((joints, 3), 0.9)
        points[: len(frame), :2] = frame
        people.append({"image_id": f"video_{t:06d}.png", "keypoints": points.ravel().tolist()})
    file = tmp_path / "results.json"
    file.write_text(json.dumps(people))
    assert readers_of(file) == ["alphapose"]
    (found,), _ = read("alphapose", file, fps=25)
    assert found.layout == layout
    np.testing.assert_allclose(shape_of(found), flat(Body(files, layout)), atol=1e-5)


def test_tracks_of_alphapose_and_missing_pictures(files, tmp_path, read):
    file = files.alphapose(tmp_path)
    people = json.loads(file.read_text())
    still = dict(people[0], idx=2)
    for t in range(20):
        people.insert(2 * t, dict(still, image_id=f"{t}.jpg"))
    people = [p for p in people if p["image_id"] not in ("3.jpg", "4.jpg")]
    file.write_text(json.dumps(people))
    (found,), notes = read("alphapose", file, fps=25)
    assert found.num_frames == 20
    assert (found.tracked[3:5] == NOT_TRACKED).all()
    assert np.ptp(shape_of(found)[:, load_layout("coco").joints.index("left_wrist"), 1]) > 0.1
    assert "2 people were seen" in notes[0]
    file.write_text(json.dumps([*people, {"image_id": "9.jpg", "keypoints": [1.0] * 51, "idx": 1},
                                {"image_id": "9.jpg", "keypoints": [1.0] * 78}]))  # fmt: skip
    with pytest.raises(DataError, match="17 and 26 joints, expected one person's joints"):
        read("alphapose", file, fps=25)


# MMPose and MMAction2


def test_names_of_mmpose_and_points_in_space(files, tmp_path, read):
    body = files.person("human36m")[..., [0, 2, 1]] * (1, -1, 1)  # z up
    frames = [
        {"frame_id": t, "instances": [{"keypoints": f, "keypoint_scores": [1.0] * 17}]}
        for t, f in enumerate(body.tolist())
    ]
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"meta_info": {}, "instance_info": frames}))
    (found,), _ = read("mmpose", file, fps=25)
    assert found.layout == "human36m"
    np.testing.assert_allclose(found.positions, files.person("human36m"), atol=1e-6)
    file.write_text(json.dumps({"instance_info": frames[0]["instances"]}))
    with pytest.raises(DataError, match="people of one picture, expected frames of a video"):
        read("mmpose", file, fps=25)
    del frames[0]["instances"][0]["keypoints"]
    file.write_text(json.dumps({"instance_info": frames}))
    with pytest.raises(DataError, match="no keypoints in frame 0"):
        read("mmpose", file, fps=25)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_are_taken_apart(protocol, files, tmp_path, read):
    (found,), _ = read("mmaction", files.mmaction(tmp_path, protocol), fps=30)
    assert (found.id, found.extra["label"], found.extra["split"]) == ("mm/walk_1", 3, ["train"])


def test_kinects_of_mmaction_and_several_annotations(files, tmp_path, read):
    body = files.person("kinect-v2")
    empty = np.zeros_like(body)
    annotations = [
        {"frame_dir": f"S001C001P00{i}R001A001", "keypoint": np.stack([body, empty]), "label": i}
        for i in range(3)
    ]
    file = tmp_path / "ntu.pkl"
    file.write_bytes(pickle.dumps(annotations))
    found, notes = read("mmaction", file, fps=30)
    assert [r.id for r in found] == [f"ntu/S001C001P00{i}R001A001" for i in range(3)]
    assert notes == []
    np.testing.assert_allclose(found[0].positions, body, rtol=1e-6)
    annotations[1]["keypoint"] = np.zeros((20, 25, 3))
    file.write_bytes(pickle.dumps(annotations))
    with pytest.raises(DataError, match=r"the shape \(20, 25, 3\) in annotation 1, expected numb"):
        read("mmaction", file, fps=30)


def test_a_pickle_is_never_run(tmp_path, read):
    mark = tmp_path / "mark"

    class Trap:
        def __reduce__(self):
            return mark.touch, ()

    file = tmp_path / "a.pkl"
    for value in ([Trap()], {"annotations": [{"keypoint": Trap()}]}):
        file.write_bytes(pickle.dumps(value))
        with pytest.raises(DataError, match="its pickle asks for .*Nothing was run"):
            read("mmaction", file, fps=30)
    assert not mark.exists()
    bomb: list = [0] * 10
    for _ in range(14):
        bomb = [bomb] * 10
    file.write_bytes(pickle.dumps({"annotations": bomb}))
    with pytest.raises(DataError, match="containers in containers without end"):
        read("mmaction", file, fps=30)


# KERAAL


@pytest.mark.parametrize(
    ("model", "layout"), [("OP", "openpose-coco18"), ("AP", "coco"), ("BP", "mediapipe")]
)
def test_keraals_files(model, layout, files, tmp_path, read):
    (found,), notes = read("keraal-video", files.keraal(tmp_path, model), fps=25)
    assert (found.layout, found.subject, found.exercise) == (layout, "G3-P1", "CTK")
    assert (found.id, dict(found.scores)) == ("G3-P1/CTK/T1-C-0", {"total": 1.0})
    shoulders = [load_layout(layout).joints.index(n) for n in
                 (("LShoulder", "RShoulder") if model == "OP" else
                  ("left_shoulder", "right_shoulder"))]  # fmt: skip
    left, right = found.positions[:, shoulders, 0].T
    mirrored = any("mirrored: left and right are exchanged back" in note for note in notes)
    assert mirrored == (model == "BP")
    assert (left < right).all()


def test_joints_that_keraal_lacks_are_lost(files, tmp_path, read):
    file = files.keraal(tmp_path)
    value = json.loads(file.read_text())
    for frame in value["positions"].values():
        del frame["rEar"]
    del value["positions"]["7.0"]["lKnee"], value["positions"]["11.0"]
    file.write_text(json.dumps(value))
    (found,), notes = read("keraal-video", file, fps=25)
    joints = load_layout("openpose-coco18").joints
    assert (found.tracked[:, joints.index("REar")] == NOT_TRACKED).all()
    place = found.positions[:, joints.index("REye")]
    np.testing.assert_array_equal(found.positions[:, joints.index("REar")], place)
    assert found.tracked[6, joints.index("LKnee")] == NOT_TRACKED
    assert (found.tracked[10] == NOT_TRACKED).all()
    assert any("never seen, put where the next joint is: REar" in note for note in notes)
    value["positions"]["1.0"]["Neck"] = [1.0]
    file.write_text(json.dumps(value))
    with pytest.raises(DataError, match=r"found \[1.0\] as Neck in frame 1.0, expected 2 numbers"):
        read("keraal-video", file, fps=25)

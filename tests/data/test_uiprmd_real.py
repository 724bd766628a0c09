"""UI-PRMD's real files: the body the Kinect saw is the one Vicon measured, and known faults."""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from zoo.data.adapters.base import PrepareReport
from zoo.data.adapters.uiprmd import (
    UiprmdKinectAdapter,
    UiprmdViconAdapter,
    UiprmdViconAnglesAdapter,
    motion,
)
from zoo.data.recording import Recording
from zoo.skeleton import load_layout

KINECT = load_layout("uiprmd-kinect")
MARKERS = load_layout("uiprmd-vicon")
ANGLES = load_layout("uiprmd-vicon-angles")
PEOPLE = ("s01", "s05", "s08")
EPISODES = ("e01", "e02", "e05", "e08")
FAULTY = ("m01_s03_e01", "m01_s09_e05", "m02_s05_e01", "m03_s10_e01", "m03_s10_e03")
NEAR = {
    "Waist": "LASI RASI LPSI RPSI",
    "Chest": "CLAV C7",
    "Head": "LFHD RFHD LBHD RBHD",
    "LeftUpperArm": "LSHO",
    "LeftForearm": "LELB",
    "LeftHand": "LWRA LWRB",
    "RightUpperArm": "RSHO",
    "RightForearm": "RELB",
    "RightHand": "RWRA RWRB",
    "LeftLowerLeg": "LKNE",
    "LeftFoot": "LANK",
    "LeftToes": "LTOE",
    "RightLowerLeg": "RKNE",
    "RightFoot": "RANK",
    "RightToes": "RTOE",
}

Found = tuple[dict[str, Recording], PrepareReport]


@pytest.fixture(scope="session")
def real(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve squats right and wrong by all sensors, and the angle files with known faults."""
    file = shared_dir / "data" / "unpack.py"
    spec = importlib.util.spec_from_file_location("unpack_development_data", file)
    assert spec is not None
    assert spec.loader is not None
    unpack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unpack)
    root = tmp_path_factory.mktemp("uiprmd") / "UI-PRMD"
    squats = tuple(f"m01_{person}_{episode}" for person in PEOPLE for episode in EPISODES)
    for part, wanted in (
        ("kinect", squats),
        ("vicon_positions", squats),
        ("vicon_angles", (*squats, *FAULTY)),
    ):
        pack = unpack.load(f"uiprmd_{part}")
        for key in pack.files:
            if not key.endswith(".shape") and key.rpartition("/")[2].startswith(wanted):
                rows = unpack.unshuffle(pack[key], pack[key + ".shape"])
                unpack.write_rows(root / key, rows)
    return root


@pytest.fixture(scope="session")
def kinect(real: Path, uiprmd: ModuleType) -> Found:
    found: Found = uiprmd.read(UiprmdKinectAdapter(score="published"), real)
    return found


@pytest.fixture(scope="session")
def markers(real: Path, uiprmd: ModuleType) -> Found:
    found: Found = uiprmd.read(UiprmdViconAdapter(score="published"), real)
    return found


@pytest.fixture(scope="session")
def angles(real: Path, uiprmd: ModuleType) -> Found:
    found: Found = uiprmd.read(UiprmdViconAnglesAdapter(score="published"), real)
    return found


def test_all_squats_are_read(kinect: Found, markers: Found) -> None:
    for found, report in (kinect, markers):
        assert Counter(r.subject for r in found.values()) == dict.fromkeys(PEOPLE, 8)
        assert {p.kind for p in report.problems if p.skipped} == {"missing-file"}
        assert len(report.skipped) == len(PEOPLE) * 20 - len(found)
    assert len(kinect[1].problems) == len(kinect[1].skipped)


def test_the_kinects_body_is_human_upright_and_faces_the_sensor(kinect: Found) -> None:
    def place(recording: Recording, joint: str) -> NDArray[np.float32]:
        assert recording.positions is not None
        return recording.positions[:, KINECT.index(joint)]

    for recording in kinect[0].values():
        first = {joint: place(recording, joint)[0] for joint in KINECT.joints}
        feet = min(first["LeftToes"][1], first["RightToes"][1])
        assert 1.2 < first["HeadTip"][1] - feet < 2.0
        assert first["HeadTip"][1] > first["Chest"][1] > first["Waist"][1] + 0.3
        assert first["Waist"][1] > first["LeftLowerLeg"][1] > first["LeftFoot"][1]
        assert first["LeftUpperArm"][0] < first["RightUpperArm"][0]
        assert first["LeftToes"][2] < first["LeftFoot"][2]
        assert 1.5 < first["Waist"][2] < 4
        assert np.ptp(place(recording, "Waist")[:, 1]) > 0.15, "a squat lowers the waist"


def test_bones_of_the_kinect_vary_little_in_time(kinect: Found) -> None:
    spread = []
    for recording in kinect[0].values():
        assert recording.positions is not None
        bones = [recording.positions[:, c] - recording.positions[:, p] for c, p in KINECT.bones]
        spread.append(np.linalg.norm(bones, axis=-1).std(axis=1))
    assert np.max(spread) < 0.07, "metres; the sensor's own estimates vary"
    assert np.mean(spread) < 0.015


def residual(recording: Recording, vicon: Recording) -> tuple[float, float]:
    """Standard deviation in metres against Vicon, and the angle in degrees between their rooms.

    After the best shift in time and the best rigid motion; a marker's constant distance from the
    joint within the body's mean pose is no error.
    """
    assert recording.positions is not None
    assert vicon.positions is not None
    ours = recording.positions[:, [KINECT.index(j) for j in NEAR]].astype(np.float64)
    sets = [[MARKERS.index(m) for m in names.split()] for names in NEAR.values()]
    theirs = np.stack([vicon.positions[:, s].mean(axis=1) for s in sets], axis=1)
    clock = np.arange(len(theirs)) / vicon.fps
    best = (np.inf, np.inf)
    for shift in np.arange(-0.4, 0.41, 0.04):
        times = np.arange(len(ours)) / recording.fps + shift
        inside = (times >= 0) & (times <= clock[-1])
        if inside.mean() < 0.7:
            continue
        flat = theirs.reshape(len(theirs), -1).T
        target = np.stack([np.interp(times[inside], clock, c) for c in flat], axis=1)
        target = target.reshape(-1, 3)
        source = ours[inside].reshape(-1, 3)
        turn, _ = Rotation.align_vectors(target - target.mean(0), source - source.mean(0))
        error = turn.apply(source - source.mean(0)) - (target - target.mean(0))
        error = error.reshape(-1, len(NEAR), 3)
        deviation = float((error - error.mean(axis=0)).std())
        best = min(best, (deviation, float(np.degrees(turn.magnitude()))))
    return best


def test_the_kinect_sees_what_vicon_measured(kinect: Found, markers: Found) -> None:
    pairs = [
        residual(kinect[0][i], markers[0][i])
        for i in kinect[0]
        if i.endswith("/correct") and "/e01/" not in i
    ]
    deviations, turns = np.transpose(pairs)
    assert len(pairs) == 9
    assert deviations.mean() < 0.027
    assert deviations.max() < 0.04
    assert turns.max() < 10, "both readers name the axes alike"


def test_no_other_order_of_angles_fits(
    real: Path, markers: Found, uiprmd: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = {}
    for order in ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"):
        monkeypatch.setattr(motion, "EULER_ORDER", order)
        adapter = UiprmdKinectAdapter(score="published")
        report = PrepareReport()
        found = {}
        for recording in adapter.read(real, report, lambda *call: None):
            found[recording.id] = recording
        right = ["s01/m01/e02/correct", "s05/m01/e05/correct", "s08/m01/e08/correct"]
        fits[order] = np.mean([residual(found[i], markers[0][i])[0] for i in right])
    ranked = sorted(fits, key=fits.__getitem__)
    assert ranked[0] == "ZXY"
    assert fits[ranked[1]] > 2 * fits["ZXY"]


def test_vicon_markers_stand_upright_in_metres(markers: Found) -> None:
    for recording in markers[0].values():
        assert recording.positions is not None
        first = {name: recording.positions[0, i] for i, name in enumerate(MARKERS.joints)}
        assert 1.3 < first["LFHD"][1] < 2.0
        assert 0 < first["LTOE"][1] < 0.2
        assert first["LSHO"][0] < first["RSHO"][0]
        assert first["LTOE"][2] < first["LHEE"][2]


def test_dropped_markers_are_filled_and_reported(markers: Found) -> None:
    found, report = markers
    problems = {p.recording: p for p in report.problems if not p.skipped}
    assert set(problems) == {"s05/m01/e01/correct", "s05/m01/e01/incorrect"}
    assert problems["s05/m01/e01/correct"].found == "STRN at 0, 0, 0 in 17 of 339 frames"
    recording = found["s05/m01/e01/correct"]
    assert recording.positions is not None
    assert recording.tracked is not None
    marker = MARKERS.index("STRN")
    assert (recording.tracked[:17, marker] == 0).all()
    assert int((recording.tracked == 0).sum()) == 17
    assert np.ptp(recording.positions[:18, marker], axis=0).max() == 0
    assert np.abs(np.diff(recording.positions[:, marker], axis=0)).max() < 0.05


def test_missing_angles(angles: Found) -> None:
    found, report = angles
    problems = {p.recording: p for p in report.problems if p.kind != "missing-file"}
    assert problems["s05/m01/e01/correct"].skipped is False
    assert problems["s05/m02/e01/correct"].skipped is True
    assert problems["s05/m02/e01/incorrect"].skipped is False
    assert problems["s10/m03/e01/incorrect"].skipped is True
    assert problems["s10/m03/e03/incorrect"].found.startswith("LSpine at 0, 0, 0 in 97 of 226")
    assert "s10/m03/e03/incorrect" in found
    assert "s10/m03/e01/incorrect" not in found
    absent = {p.recording for p in report.problems if p.kind == "missing-file"}
    assert {f"s03/m03/e{n:02}/correct" for n in range(1, 11)} <= absent


def test_real_angles_do_not_jump_and_differ_by_whole_turns(
    real: Path, angles: Found, uiprmd: ModuleType
) -> None:
    jumped = []
    for path in sorted((real / uiprmd.SIDES[""] / "Vicon" / "Angles").glob("m01_*.txt")):
        raw = np.loadtxt(path, delimiter=",").reshape(-1, 39, 3)
        movement, subject, episode, _ = path.stem.split("_")
        recording = angles[0][f"{subject}/{movement}/{episode}/correct"]
        assert recording.angles is not None
        assert recording.tracked is not None
        seen = recording.tracked == 2
        turns = (recording.angles[seen] - raw[seen]) / 360
        np.testing.assert_allclose(turns, np.round(turns), atol=1e-5)
        assert np.abs(np.diff(recording.angles, axis=0)).max() <= 180
        if np.round(turns).any():
            jumped.append(recording.id)
    assert jumped == ["s09/m01/e05/correct"], "the one file here that jumps at 180 degrees"


@pytest.mark.parametrize("side", ["L", "R"])
def test_segments_are_rotation_vectors(angles: Found, side: str) -> None:
    """Knee and hip in the file are the Euler angles between the segments' orientations."""
    recording = angles[0]["s08/m01/e02/correct"]
    assert recording.angles is not None
    assert recording.orientations is not None

    def turned(name: str) -> Rotation:
        assert recording.orientations is not None
        return Rotation.from_quat(
            np.roll(recording.orientations[:, ANGLES.index(name)], -1, axis=-1)
        )

    mirror = -1 if side == "L" else 1
    for joint, above, below, signs in (
        ("Knee", f"{side}Femur", f"{side}Tibia", (1, mirror, mirror)),
        ("Hip", "Pelvis", f"{side}Femur", (-1, mirror, mirror)),
    ):
        between = turned(above).inv() * turned(below)
        expected = between.as_euler("YXZ", degrees=True) * signs
        row = recording.angles[:, ANGLES.index(f"{side}{joint}")]
        difference = (row - expected + 180) % 360 - 180
        assert np.abs(difference).max() < 0.05


def test_the_pelvis_points_where_its_markers_do(angles: Found, markers: Found) -> None:
    for key in ("s08/m01/e02/correct", "s01/m01/e05/incorrect"):
        positions, orientations = markers[0][key].positions, angles[0][key].orientations
        assert positions is not None
        assert orientations is not None
        front = positions[:, [MARKERS.index("LASI"), MARKERS.index("RASI")]].mean(axis=1)
        back = positions[:, [MARKERS.index("LPSI"), MARKERS.index("RPSI")]].mean(axis=1)
        forward = (front - back) / np.linalg.norm(front - back, axis=1, keepdims=True)
        pelvis = Rotation.from_quat(np.roll(orientations[:, ANGLES.index("Pelvis")], -1, axis=-1))
        cosine = np.sum(pelvis.apply([1, 0, 0]) * forward, axis=1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 5


def test_published_scores_and_crops(
    real: Path, shared_dir: Path, uiprmd: ModuleType, markers: Found
) -> None:
    labels = shared_dir / "data"
    found, report = uiprmd.read(UiprmdViconAdapter(labels=labels, score="published"), real)
    assert not [p for p in report.problems if p.kind == "reduced-set"]
    scored = {i: r for i, r in found.items() if "total" in r.scores}
    rows = [float(v) for v in (labels / "Labels_Correct.csv").read_text().split()]
    assert found["s01/m01/e02/correct"].scores["total"] == rows[0]
    assert found["s01/m01/e05/correct"].scores["total"] == rows[3]
    assert len(scored) == 2 * sum(1 for i in scored if i.endswith("/correct")), (
        "the same repetitions right and wrong"
    )
    assert len(scored) >= 2 * len(PEOPLE) * 3, "of the first episodes only some are in the set"
    for key, recording in found.items():
        whole = markers[0][key]
        cut = slice(*recording.extra["crop"]) if key in scored else slice(None)
        np.testing.assert_array_equal(recording.positions, whole.positions[cut])

import numpy as np
import pytest

from baselines.kinematics_features import KinematicFeatures
from zoo.data.resample import resample
from zoo.skeleton.layout import load_layout

KINECT = load_layout("kinect-v2")
FPS = 30.0


def standing() -> np.ndarray:
    """A person (25, 3) who faces the sensor with hanging arms; left is at smaller x."""
    pose = np.zeros((25, 3))
    spine = {"SpineBase": 0.9, "SpineMid": 1.2, "SpineShoulder": 1.45, "Neck": 1.5, "Head": 1.65}
    for name, height in spine.items():
        pose[KINECT.index(name)] = (0, height, 2.5)
    arm = {"Shoulder": 1.45, "Elbow": 1.15, "Wrist": 0.9, "Hand": 0.85, "HandTip": 0.8}
    leg = {"Hip": 0.9, "Knee": 0.5, "Ankle": 0.1, "Foot": 0.05}
    for side, x in (("Left", -1), ("Right", 1)):
        for name, height in arm.items():
            pose[KINECT.index(name + side)] = (0.2 * x, height, 2.5)
        pose[KINECT.index("Thumb" + side)] = (0.22 * x, 0.85, 2.45)
        for name, height in leg.items():
            pose[KINECT.index(name + side)] = (0.1 * x, height, 2.5)
    return pose


def curls(side: str = "Left", degrees: float = 90.0, repetitions: int = 5) -> np.ndarray:
    """`repetitions` bends of one elbow from straight to `degrees`, four seconds each."""
    frames = int(4 * FPS * repetitions)
    angle = np.radians(degrees) * 0.5 * (1 - np.cos(2 * np.pi * np.arange(frames) / (4 * FPS)))
    x = np.tile(standing(), (frames, 1, 1))
    elbow = x[:, KINECT.index(f"Elbow{side}")]
    for name in ("Wrist", "Hand", "HandTip", "Thumb"):
        joint = KINECT.index(name + side)
        length = np.linalg.norm(x[0, joint] - elbow[0])
        x[:, joint] = elbow + length * np.stack(
            [np.zeros(frames), -np.cos(angle), -np.sin(angle)], axis=1
        )
    return x.astype(np.float32)


def test_range_of_motion_is_that_of_the_elbow() -> None:
    features = KinematicFeatures(KINECT)
    groups = features.groups(curls(degrees=90), FPS)
    bends = features._bends.T.tolist()
    elbow = bends.index([KINECT.index(f"{n}Left") for n in ("Shoulder", "Elbow", "Wrist")])
    assert groups["range of bend"][elbow] == pytest.approx(90, abs=1)
    assert groups["mean bend"][elbow] == pytest.approx(135, abs=1)
    others = np.delete(groups["range of bend"], elbow)
    assert np.abs(others).max() < 1e-3
    assert groups["mean bend speed"][elbow] == pytest.approx(2 * 90 / 4, rel=0.02)
    assert groups["duration"] == 20


def test_symmetry_has_the_sign_of_the_side() -> None:
    features = KinematicFeatures(KINECT)
    left, right = (features.groups(curls(side), FPS) for side in ("Left", "Right"))
    wider = left["left less right bend range"]
    assert wider[0].max() == pytest.approx(90, abs=1)
    np.testing.assert_allclose(right["left less right bend range"][0], -wider[0], atol=1e-6)
    np.testing.assert_allclose(right["left less right bend range"][1], wider[1], atol=1e-6)


def test_repetitions_are_counted_and_their_variation_measured() -> None:
    features = KinematicFeatures(KINECT)
    alike = features.groups(curls(repetitions=6), FPS)
    assert alike["repetitions"] == pytest.approx(6, abs=1)
    assert alike["their rhythm"][0] == pytest.approx(4, abs=0.3)
    parts = [resample(curls(degrees=d, repetitions=1), n) for d, n in ((90, 90), (60, 150)) * 3]
    unlike = features.groups(np.concatenate(parts).astype(np.float32), FPS)
    variation = unlike["their rhythm"][2]
    assert variation > alike["their rhythm"][2] + 0.1


def test_a_person_at_rest_has_no_repetitions() -> None:
    groups = KinematicFeatures(KINECT).groups(
        np.tile(standing(), (90, 1, 1)).astype(np.float32), FPS
    )
    assert groups["repetitions"] == 0
    assert np.isnan(groups["their rhythm"]).all()
    assert np.isnan(groups["spectral arc length"]).all()


def test_place_direction_and_size_say_nothing() -> None:
    features = KinematicFeatures(KINECT)
    x = curls().astype(np.float64)
    turn = np.radians(30)
    rotation = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    elsewhere = 1.2 * x @ rotation.T + (0.7, -0.2, 1.0)
    np.testing.assert_allclose(
        features.measure(elsewhere.astype(np.float32), FPS),
        features.measure(x.astype(np.float32), FPS),
        rtol=0.02,
        atol=0.02,
    )


@pytest.mark.parametrize("layout", ["kinect-v2", "coco", "mediapipe", "uiprmd-vicon"])
@pytest.mark.parametrize("frames", [1, 2, 60])
def test_every_layout_and_length_is_measured(layout: str, frames: int) -> None:
    skeleton = load_layout(layout)
    steps = np.random.default_rng(0).normal(size=(frames, skeleton.num_joints, 3))
    x = (0.01 * steps.cumsum(0) + 3 * steps[:1]).astype(np.float32)
    features = KinematicFeatures(skeleton)
    found = features.measure(x, FPS)
    assert found.ndim == 1
    assert len(found) == len(features.measure(np.tile(x, (3, 1, 1)), FPS))
    assert not np.isinf(found).any()


def test_hands_feet_and_the_pelvis_itself_are_left_out() -> None:
    names = {KINECT.joints[j] for j in KinematicFeatures(KINECT)._joints}
    assert len(names) == 16
    assert not {"HandLeft", "ThumbRight", "FootLeft", "SpineBase"} & names

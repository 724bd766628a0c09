from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.dataset import prepare
from zoo.data.recording import Recording
from zoo.data.rotation import continuous_sign
from zoo.data.transforms import (
    Motion,
    Step,
    center,
    face_camera,
    good_frames,
    parse_steps,
    pelvis_joints,
    repair_jumps,
    scale_body,
    side_pairs,
    smooth,
)
from zoo.errors import ConfigError, DataError
from zoo.skeleton import load_layout

KINECT = load_layout("kinect-v2")
ENDS = [KINECT.index(name) for name in ("Head", "FootLeft", "HandTipRight")]


def body(frames: int = 60, seed: int = 0) -> Motion:
    """A body that faces the sensor, sways and waves; orientations point along the bones."""
    generator = np.random.default_rng(seed)
    pose = generator.normal(0, 0.1, (25, 3))
    for left, right in KINECT.pairs:
        pose[left, 0], pose[right, 0] = -0.3, 0.3
    t = np.linspace(0, 1, frames)[:, None, None]
    x = pose + 0.05 * np.sin(2 * np.pi * (t + generator.uniform(0, 1, (25, 1)))) + [0.4, -0.2, 2.5]
    q = np.zeros((frames, 25, 4))
    q[..., 0] = 1
    for joint in range(25):
        if joint not in ENDS:
            axis = generator.normal(size=3)
            turn = Rotation.from_rotvec((0.5 + t[:, 0]) * axis / np.linalg.norm(axis))
            q[:, joint] = turn.as_quat(scalar_first=True)
    return Motion({"position": x, "orientation": continuous_sign(q)}, KINECT, 30.0, "A/1")


def turned(motion: Motion, degrees: float) -> Motion:
    """The same performance by someone who stands turned."""
    r = Rotation.from_euler("y", degrees, degrees=True)
    x, q = motion.streams["position"], motion.streams["orientation"]
    flat = (r * Rotation.from_quat(q.reshape(-1, 4), scalar_first=True)).as_quat(scalar_first=True)
    out = flat.reshape(q.shape)
    out[:, ENDS] = q[:, ENDS]
    return motion.with_streams(
        position=r.apply(x.reshape(-1, 3)).reshape(x.shape), orientation=continuous_sign(out)
    )


def same_rotation(a, b):
    dots = np.abs(np.einsum("tvc,tvc->tv", a, b))
    np.testing.assert_allclose(dots, 1, atol=1e-12)


@settings(max_examples=30)
@given(degrees=st.floats(-179, 179))
def test_face_camera_undoes_any_turn(degrees):
    plain, aligned = face_camera(body()), face_camera(turned(body(), degrees))
    np.testing.assert_allclose(aligned.streams["position"], plain.streams["position"], atol=1e-12)
    same_rotation(aligned.streams["orientation"], plain.streams["orientation"])


def test_face_camera_lays_the_shoulders_along_x():
    x = face_camera(turned(body(), 70)).streams["position"]
    left, right = (KINECT.index(f"Shoulder{side}") for side in ("Left", "Right"))
    hip_left, hip_right = (KINECT.index(f"Hip{side}") for side in ("Left", "Right"))
    across = (x[:, [right, hip_right]] - x[:, [left, hip_left]]).mean((0, 1))
    assert across[0] > 0
    assert abs(across[2]) < 1e-12


def test_face_camera_turns_orientations_with_the_body_but_not_the_missing_ones():
    motion = turned(body(), 40)
    aligned = face_camera(motion)
    x, y = motion.streams["position"], aligned.streams["position"]
    turn, _ = Rotation.align_vectors(y.reshape(-1, 3)[:200], x.reshape(-1, 3)[:200])
    q = motion.streams["orientation"]
    expected = turn * Rotation.from_quat(q[5], scalar_first=True)
    found = aligned.streams["orientation"]
    real = [j for j in range(25) if j not in ENDS]
    same_rotation(found[5:6, real], expected.as_quat(scalar_first=True)[None, real])
    np.testing.assert_array_equal(found[:, ENDS], q[:, ENDS])


def test_center_puts_the_pelvis_at_the_origin():
    motion = body()
    base = KINECT.index("SpineBase")
    x = motion.streams["position"]
    frame = center(motion).streams["position"]
    np.testing.assert_array_equal(frame, x - x[:, [base]])
    first = center(motion, by="first").streams["position"]
    np.testing.assert_array_equal(first, x - x[0, base])
    median = center(motion, by="median").streams["position"]
    np.testing.assert_allclose(np.median(median[:, base], axis=0), 0, atol=1e-15)
    with pytest.raises(ConfigError, match="by is 'foot'"):
        center(motion, by="foot")


@pytest.mark.parametrize(
    ("name", "joints", "pairs"),
    [
        ("kinect-v2", ["SpineBase"], [("ShoulderLeft", "ShoulderRight"), ("HipLeft", "HipRight")]),
        ("uiprmd-vicon", ["LASI", "RASI"], [("LSHO", "RSHO"), ("LASI", "RASI")]),
        (
            "coco",
            ["left_hip", "right_hip"],
            [("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")],
        ),
    ],
)
def test_pelvis_and_sides_are_found_in_every_layout(name, joints, pairs):
    layout = load_layout(name)
    x = np.random.default_rng(0).normal(size=(4, layout.num_joints, 3))
    expected = x[:, [layout.index(j) for j in joints]].mean(1)
    np.testing.assert_allclose(x[:, pelvis_joints(layout)].mean(1), expected)
    assert side_pairs(layout) == [(layout.index(a), layout.index(b)) for a, b in pairs]


def test_a_layout_without_limbs_falls_back():
    bare = replace(KINECT, parts={})
    assert pelvis_joints(bare) == [bare.root]
    assert side_pairs(bare) == list(bare.pairs)


@given(size=st.floats(0.3, 3.0))
def test_scale_body_undoes_size(size):
    motion = body()
    larger = motion.with_streams(position=motion.streams["position"] * size)
    a, b = scale_body(motion), scale_body(larger)
    np.testing.assert_allclose(a.streams["position"], b.streams["position"], rtol=1e-12)
    children, parents = np.array(KINECT.bones).T
    scaled = b.streams["position"]
    lengths = np.linalg.norm(scaled[:, children] - scaled[:, parents], axis=-1)
    assert np.median(lengths, axis=0).sum() == pytest.approx(10)
    np.testing.assert_array_equal(a.streams["orientation"], motion.streams["orientation"])


def test_a_body_without_bones_has_no_size():
    with pytest.raises(DataError, match="recording A/1: all bones have length 0"):
        scale_body(body().with_streams(position=np.zeros((5, 25, 3))))


def test_smooth_is_a_gaussian_over_time():
    motion = body()
    x = motion.streams["position"]
    found = smooth(motion, sigma=1.5).streams
    expected = gaussian_filter1d(x, 1.5, axis=0, mode="nearest")
    np.testing.assert_allclose(found["position"], expected)
    np.testing.assert_allclose(np.linalg.norm(found["orientation"], axis=-1), 1)
    with pytest.raises(ConfigError, match="sigma"):
        smooth(motion, sigma=0)


def test_signs_become_continuous_and_rotations_stay():
    q = body().streams["orientation"]
    flipped = q * np.random.default_rng(0).choice([-1.0, 1.0], (*q.shape[:2], 1))
    found = continuous_sign(flipped)
    assert (np.einsum("tvc,tvc->tv", found[1:], found[:-1]) >= 0).all()
    np.testing.assert_array_equal(np.abs(found), np.abs(q))


def test_a_short_jump_is_bridged_in_a_straight_line():
    motion = body(90)
    x = motion.streams["position"].copy()
    x[40:45] += [0.0, 1.5, 2.0]
    found = repair_jumps(motion.with_streams(position=x))
    share = np.linspace(0, 1, 7)[1:-1, None, None]
    expected = x[39] + share * (x[45] - x[39])
    np.testing.assert_allclose(found.streams["position"][40:45], expected)
    keep = np.r_[0:40, 45:90]
    np.testing.assert_array_equal(found.streams["position"][keep], x[keep])
    q = found.streams["orientation"]
    np.testing.assert_allclose(np.linalg.norm(q, axis=-1), 1)
    np.testing.assert_array_equal(q[keep], motion.streams["orientation"][keep])


@pytest.mark.parametrize("away", [[0.0, 1.5, 0.9], [-99999.0, 0.0, 0.0]])
def test_a_jump_of_one_joint_is_bridged(away):
    motion = body(90)
    x = motion.streams["position"].copy()
    x[40:43, 7] += away
    found = repair_jumps(motion.with_streams(position=x)).streams
    share = np.linspace(0, 1, 5)[1:-1, None]
    np.testing.assert_allclose(
        found["position"][40:43, 7], x[39, 7] + share * (x[43, 7] - x[39, 7])
    )
    rest = np.ones(x.shape[:2], dtype=bool)
    rest[40:43, 7] = False
    np.testing.assert_array_equal(found["position"][rest], x[rest])
    np.testing.assert_array_equal(found["orientation"], motion.streams["orientation"])


def test_a_joint_that_moves_as_a_joint_can_is_kept():
    motion = body(90)
    x = motion.streams["position"].copy()
    x[40:43, 7] += [0.0, 1.0, 0.0]  # 30 m/s, as Kinect's loose hand tips
    moved = motion.with_streams(position=x)
    assert repair_jumps(moved) is moved


def test_frames_without_a_body_never_win():
    """More of them than of the others, and the others in two parts."""
    motion = body(200)
    x = motion.streams["position"].copy()
    x[40:160] = 0.0
    found = repair_jumps(motion.with_streams(position=x)).streams["position"]
    np.testing.assert_array_equal(found[:40], x[:40])
    np.testing.assert_array_equal(found[160:], x[160:])
    assert np.linalg.norm(found, axis=-1).min() > 0.1
    x[:] = 0.0
    empty = motion.with_streams(position=x)
    assert repair_jumps(empty) is empty


def test_a_bad_beginning_and_end_are_held():
    motion = body(120)
    x = motion.streams["position"].copy()
    x[:6] += 3.0
    x[112:] -= 3.0
    found = repair_jumps(motion.with_streams(position=x)).streams["position"]
    np.testing.assert_array_equal(found[:6], np.repeat(x[6:7], 6, axis=0))
    np.testing.assert_array_equal(found[112:], np.repeat(x[111:112], 8, axis=0))


def test_somebody_else_for_a_while_is_not_believed():
    """As in P_ID5 Es1: 366 of 1543 frames follow another body."""
    motion = body(400)
    x = motion.streams["position"].copy()
    x[150:260] += [0.9, 0.0, -1.2]
    good = good_frames(x, 30.0)
    assert not good[150:260].any()
    assert good[:150].all()
    assert good[260:].all()


def test_all_is_kept_where_nothing_jumps_or_nothing_holds():
    motion = body()
    assert repair_jumps(motion) is motion
    noise = np.random.default_rng(0).normal(0, 3, (60, 25, 3))
    assert good_frames(noise, 30.0).all()
    assert good_frames(noise[:1], 30.0).all()


def test_positions_are_not_needed():
    alone = Motion({"orientation": body().streams["orientation"]}, KINECT, 30.0)
    for name in ("repair-jumps", "center", "scale-body", "face-camera"):
        assert Step(name)(alone) is alone


def test_no_transform_changes_its_input():
    motion = turned(body(90), 30)
    x = motion.streams["position"]
    x[40:45] += 3.0
    before = {k: v.copy() for k, v in motion.streams.items()}
    for name in ("repair-jumps", "smooth", "center", "scale-body", "face-camera"):
        Step(name)(motion)
        for key, values in before.items():
            np.testing.assert_array_equal(motion.streams[key], values)


def test_motion_of_a_recording():
    positions = np.zeros((7, 25, 3), dtype=np.float32)
    one = Recording("A/1", "A", "g", "1", "1", "kinect-v2", 30.0, positions)
    motion = Motion.of(one, KINECT)
    assert list(motion.streams) == ["position"]
    assert motion.streams["position"].dtype == np.float64
    assert motion.cut(2, 5).num_frames == 3
    with pytest.raises(DataError, match="A/1 has 25 joints, the layout coco has 17"):
        Motion.of(one, load_layout("coco"))


def test_steps_are_read_and_written():
    steps = parse_steps(["repair-jumps", {"smooth": {"sigma": 3}}, {"center": None}])
    assert [s.name for s in steps] == ["repair-jumps", "smooth", "center"]
    assert parse_steps([s.to_config() for s in steps]) == steps
    assert steps[1].resolved() == {"sigma": 3.0}
    assert steps[2].resolved() == {"by": "frame"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (["repair-jump"], "no transform is called 'repair-jump'. Did you mean 'repair-jumps'"),
        ([{"smooth": {"sigm": 3}}], "transform smooth has no key 'sigm'. Did you mean 'sigma'"),
        ([{"smooth": 3}], "transform smooth is 3, expected keys and values"),
        ([{"smooth": {"sigma": "3"}}], "transform smooth.sigma is '3', expected a number"),
        ([{"smooth": {}, "center": {}}], "neither a name"),
        ([7], "neither a name"),
        ("center", "expected a list"),
    ],
)
def test_steps_that_do_not_exist_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        parse_steps(config)


def test_the_real_jump_of_E_ID8(kimore_tree, tmp_path):
    dataset = prepare(KimoreAdapter(), kimore_tree, tmp_path)
    (one,) = [r for r in dataset if r.subject == "E_ID8" and r.exercise == "1"]
    motion = Motion.of(one, KINECT)
    x = motion.streams["position"]
    steps = np.linalg.norm(np.diff(x, axis=0), axis=-1)
    assert np.median(steps[341]) == pytest.approx(3.88, abs=0.05)
    good = good_frames(x, 30.0)
    assert np.flatnonzero(~good).tolist() == list(range(291, 343))
    mended = repair_jumps(motion).streams
    assert np.linalg.norm(np.diff(mended["position"], axis=0), axis=-1).max() < 0.15
    np.testing.assert_allclose(np.linalg.norm(mended["orientation"], axis=-1), 1, atol=1e-6)
    others = [r for r in dataset if r.subject != "E_ID8" and r.subject[0] == "E"]
    assert all(good_frames(r.positions.astype(float), r.fps).all() for r in others)


@pytest.mark.slow
def test_the_other_real_jumps(unpack, tmp_path):
    tree = unpack("kimore", "--subjects", "S_ID2,P_ID5") / "KiMoRe"
    dataset = prepare(KimoreAdapter(), tree, tmp_path)
    bad = {
        (r.subject, r.exercise): np.flatnonzero(~good_frames(r.positions.astype(float), r.fps))
        for r in dataset
    }
    assert bad.pop(("S_ID2", "2")).tolist() == list(range(7))
    assert bad.pop(("S_ID2", "5")).tolist() == list(range(485, 503))
    assert bad.pop(("P_ID5", "1")).tolist() == list(range(1000, 1367))
    assert not any(len(frames) for frames in bad.values())

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from zoo.data.adapters.uiprmd import motion
from zoo.data.gaps import bridged
from zoo.data.rotation import continuous_sign
from zoo.errors import DataError
from zoo.skeleton import load_layout

KINECT = load_layout("uiprmd-kinect")


def as_rotation(orientations: np.ndarray) -> Rotation:
    return Rotation.from_quat(np.roll(orientations, -1, axis=-1))


def test_kinect_pose_is_the_product_of_rotations_written_out() -> None:
    rng = np.random.default_rng(0)
    offsets = rng.normal(0, 30, (4, 22, 3))
    angles = rng.uniform(-180, 180, (4, 22, 3))
    positions, orientations = motion.kinect_pose(KINECT, offsets, angles)
    axes = np.eye(3)
    turn = np.diag([-1.0, 1.0, -1.0])
    for t in range(4):
        frames: dict[int, np.ndarray] = {-1: np.eye(3)}
        places: dict[int, np.ndarray] = {-1: np.zeros(3)}
        for joint, parent in enumerate(KINECT.parents):
            x, y, z = (
                Rotation.from_rotvec(axes[i] * angles[t, joint, i], degrees=True).as_matrix()
                for i in range(3)
            )
            frames[joint] = frames[parent] @ (z @ x @ y)
            places[joint] = places[parent] + frames[parent] @ offsets[t, joint] / 100
            np.testing.assert_allclose(positions[t, joint], turn @ places[joint], atol=1e-12)
            np.testing.assert_allclose(
                as_rotation(orientations[t, joint]).as_matrix(), turn @ frames[joint], atol=1e-12
            )


def test_kinect_pose_keeps_bones_and_agrees_with_its_orientations() -> None:
    rng = np.random.default_rng(1)
    offsets = rng.normal(0, 30, (5, 22, 3))
    positions, orientations = motion.kinect_pose(
        KINECT, offsets, rng.uniform(-180, 180, (5, 22, 3))
    )
    for child, parent in KINECT.bones:
        bone = positions[:, child] - positions[:, parent]
        np.testing.assert_allclose(
            np.linalg.norm(bone, axis=1), np.linalg.norm(offsets[:, child], axis=1) / 100
        )
        turned = as_rotation(orientations[:, parent]).apply(offsets[:, child] / 100)
        np.testing.assert_allclose(bone, turned, atol=1e-12)


def test_kinect_axes_are_those_of_kinect_v2() -> None:
    offsets = np.zeros((1, 22, 3))
    offsets[0, KINECT.index("Waist")] = (0, 90, -240)
    offsets[0, KINECT.index("Spine")] = (0, 30, 0)
    offsets[0, KINECT.index("LeftUpperLeg")] = (7, 0, 0)
    offsets[0, KINECT.index("LeftToes")] = (0, 0, 12)
    positions, _ = motion.kinect_pose(KINECT, offsets, np.zeros((1, 22, 3)))
    place = {name: positions[0, KINECT.index(name)] for name in KINECT.joints}
    np.testing.assert_allclose(place["Waist"], [0, 0.9, 2.4])
    np.testing.assert_allclose(place["Spine"], [0, 1.2, 2.4])
    np.testing.assert_allclose(place["LeftUpperLeg"], [-0.07, 0.9, 2.4])
    assert place["LeftToes"][2] < 2.4, "toes point at the sensor"


def test_continuous_sign_never_jumps_and_changes_no_rotation() -> None:
    steps = np.linspace(0, 4 * np.pi, 60)
    path = np.stack([np.cos(steps / 2), np.sin(steps / 2), 0 * steps, 0 * steps], axis=-1)[:, None]
    path = np.concatenate([path, -path], axis=1)
    flips = np.random.default_rng(2).choice([-1.0, 1.0], (60, 2, 1))
    result = continuous_sign(path * flips, motion.IDENTITY)
    assert (np.sum(result[1:] * result[:-1], axis=-1) > 0).all()
    assert (result[0, :, 0] >= 0).all()
    np.testing.assert_allclose(np.abs(np.sum(result * path, axis=-1)), 1)


def test_vicon_axes_turn_z_up_into_y_up_without_mirroring() -> None:
    forward, left, up = np.eye(3) * 1000
    turned = motion.vicon_axes(np.stack([forward, left, up])[:, None])[:, 0]
    np.testing.assert_allclose(turned, [[0, 0, -1], [-1, 0, 0], [0, 1, 0]], atol=0)
    assert np.linalg.det(turned) == pytest.approx(1)


def test_segment_orientations_are_rotation_vectors_in_turned_axes() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(0, 60, (6, 2, 3))
    missing = np.zeros((6, 2), dtype=bool)
    result = motion.segment_orientations(vectors, missing)
    room = motion.vicon_axes(np.eye(3) * 1000).T
    expected = room @ Rotation.from_rotvec(vectors.reshape(-1, 3), degrees=True).as_matrix()
    got = as_rotation(result.reshape(-1, 4)).as_matrix()
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_segment_orientations_of_a_resting_segment() -> None:
    result = motion.segment_orientations(np.zeros((3, 1, 3)), np.zeros((3, 1), dtype=bool))
    np.testing.assert_allclose(as_rotation(result[0, 0]).apply([1, 0, 0]), [0, 0, -1], atol=1e-12)


def test_segment_orientations_pass_180_degrees_smoothly() -> None:
    """A rotation vector of 181 degrees is written as one of -179: no jump may remain."""
    degrees = np.arange(170, 191.0)
    wrapped = np.where(degrees > 180, degrees - 360, degrees)
    vectors = np.stack([wrapped, 0 * wrapped, 0 * wrapped], axis=-1)[:, None]
    result = motion.segment_orientations(vectors, np.zeros((21, 1), dtype=bool))
    steps = 2 * np.arccos(np.clip(np.sum(result[1:] * result[:-1], axis=-1), -1, 1))
    np.testing.assert_allclose(np.rad2deg(steps), 1, atol=1e-6)


def test_segment_orientations_close_gaps() -> None:
    degrees = np.linspace(150, 210, 7)
    wrapped = np.where(degrees > 180, degrees - 360, degrees)
    vectors = np.zeros((7, 2, 3))
    vectors[:, 0, 0] = wrapped
    missing = np.zeros((7, 2), dtype=bool)
    missing[[0, 3], 0] = True
    missing[:, 1] = True
    vectors[missing] = 0
    result = motion.segment_orientations(vectors, missing)
    half = np.deg2rad(degrees)
    half[0] = half[1]
    room = as_rotation(motion.segment_orientations(np.zeros((1, 1, 3)), missing[1:2, :1])[0, 0])
    relative = (room.inv() * as_rotation(result[:, 0])).as_matrix()
    np.testing.assert_allclose(
        np.unwrap(np.arctan2(relative[:, 2, 1], relative[:, 1, 1])), half, atol=1e-9
    )
    np.testing.assert_array_equal(result[:, 1], [[1, 0, 0, 0]] * 7)


def test_unwrap_continues_on_the_other_side() -> None:
    true = np.concatenate([np.arange(100, 260, 4.0), np.arange(260, -260, -4.0)])
    written = (true + 180) % 360 - 180
    assert np.abs(np.diff(written)).max() > 300
    angles = np.zeros((len(true), 2, 3))
    angles[:, 0, 1] = written
    result = motion.unwrap_degrees(angles, np.zeros(angles.shape[:2], dtype=bool))
    np.testing.assert_allclose(result[:, 0, 1], true)
    np.testing.assert_array_equal(result[:, 1], 0)


@settings(max_examples=60)
@given(arrays(np.float64, (12, 2, 3), elements=st.floats(-180, 180, allow_subnormal=False)))
def test_unwrap_adds_whole_turns_and_nothing_else(angles: np.ndarray) -> None:
    missing = np.zeros((12, 2), dtype=bool)
    result = motion.unwrap_degrees(angles, missing)
    turns = (result - angles) / 360
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)
    np.testing.assert_array_equal(result[0], angles[0])
    assert np.abs(np.diff(result, axis=0)).max() <= 180 + 1e-9
    smooth = np.abs(np.diff(angles, axis=0)).max(axis=0) < 180
    np.testing.assert_array_equal(result[:, smooth], angles[:, smooth])


def test_unwrap_looks_past_missing_frames() -> None:
    angles = np.full((6, 1, 3), 175.0)
    angles[3:] = -175.0
    angles[2] = 0.0
    missing = np.zeros((6, 1), dtype=bool)
    missing[2] = True
    result = motion.unwrap_degrees(angles, missing)
    np.testing.assert_array_equal(result[:, 0, 0], [175, 175, 0, 185, 185, 185])


def test_fill_draws_lines_and_holds_the_ends() -> None:
    values = np.arange(8.0)[:, None, None] * np.ones((1, 3, 2))
    missing = np.zeros((8, 3), dtype=bool)
    missing[[0, 1, 4, 5, 7], 0] = True
    missing[:, 1] = True
    values[missing] = 0
    result = bridged(values, missing)
    np.testing.assert_allclose(result[:, 0, 1], [2, 2, 2, 3, 4, 5, 6, 6])
    np.testing.assert_array_equal(result[:, 1], 0)
    np.testing.assert_array_equal(result[:, 2], values[:, 2])


def test_lost_needs_all_three_zeros() -> None:
    values = np.array([[[0.0, 0, 0], [0, 0, 1], [-0.0, 0, 0]]])
    np.testing.assert_array_equal(motion.lost(values), [[True, False, True]])


def test_the_number_of_threads_is_given_back() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        motion.kinect_pose(KINECT, np.zeros((1, 22, 3)), np.zeros((1, 22, 3)))
        assert torch.get_num_threads() == 3
        with pytest.raises(DataError):
            motion.kinect_pose(KINECT, np.zeros((1, 21, 3)), np.zeros((2, 22, 3)))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, Slerp

from zoo.data.resample import bones, derive, motion_of, resample, resample_motion
from zoo.data.transforms import Motion
from zoo.errors import DataError
from zoo.skeleton import load_layout

KINECT = load_layout("kinect-v2")


@given(count=st.integers(4, 80), frames=st.integers(1, 120), seed=st.integers(0, 9))
def test_is_scipys_cubic_spline(count, frames, seed):
    x = np.random.default_rng(seed).normal(size=(count, 2, 3))
    expected = CubicSpline(np.arange(count), x)(np.linspace(0, count - 1, frames))
    np.testing.assert_allclose(resample(x, frames), expected, atol=1e-9)


@given(count=st.integers(4, 50), frames=st.integers(2, 120))
def test_a_cubic_is_met_exactly_and_the_ends_are_kept(count, frames):
    def cubic(t):
        return 1 + t - 0.5 * t**2 + 0.1 * t**3

    found = resample(cubic(np.linspace(0, 2, count)), frames)
    np.testing.assert_allclose(found, cubic(np.linspace(0, 2, frames)), atol=1e-9)


def test_short_segments():
    assert resample(np.array([3.0]), 4).tolist() == [3, 3, 3, 3]
    np.testing.assert_allclose(resample(np.array([0.0, 1.0]), 5), np.linspace(0, 1, 5))
    np.testing.assert_allclose(
        resample(np.array([0.0, 1.0, 4.0]), 5), np.linspace(0, 2, 5) ** 2, atol=1e-12
    )
    with pytest.raises(DataError, match="without a frame"):
        resample(np.zeros((0, 3)), 5)


def test_as_many_frames_are_the_same_frames():
    x = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_array_equal(resample(x, 50), x)


def test_quaternions_stay_rotations_close_to_spherical_interpolation():
    times = np.arange(60)
    turn = Rotation.from_rotvec(
        np.stack([np.sin(times / 10), np.cos(times / 14), 0.02 * times], -1)
    )
    q = turn.as_quat(scalar_first=True)[:, None].repeat(25, axis=1)
    motion = resample_motion(Motion({"orientation": q}, KINECT, 30.0), 100)
    found = motion.streams["orientation"]
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1)
    assert (np.einsum("tvc,tvc->tv", found[1:], found[:-1]) > 0).all()
    exact = Slerp(times, turn)(np.linspace(0, 59, 100))
    apart = exact.inv() * Rotation.from_quat(found[:, 7], scalar_first=True)
    assert np.degrees(apart.magnitude()).max() < 0.1


def test_streams_are_resampled_together_as_each_alone():
    generator = np.random.default_rng(0)
    streams = {k: generator.normal(size=(30, 25, 3)) for k in ("position", "angle")}
    found = resample_motion(Motion(streams, KINECT, 30.0), 100).streams
    for name, values in streams.items():
        np.testing.assert_allclose(found[name], resample(values, 100))


def test_bones_point_from_parent_to_child():
    x = np.random.default_rng(0).normal(size=(4, 25, 3))
    found = bones(x, KINECT)
    elbow, shoulder = KINECT.index("ElbowLeft"), KINECT.index("ShoulderLeft")
    np.testing.assert_array_equal(found[:, elbow], x[:, elbow] - x[:, shoulder])
    assert not found[:, KINECT.root].any()


def test_motion_looks_ahead_and_ends_at_rest():
    x = np.array([1.0, 4.0, 9.0])
    assert motion_of(x).tolist() == [3, 5, 0]
    assert motion_of(x[:1]).tolist() == [0]


def test_derived_streams():
    x = np.random.default_rng(0).normal(size=(6, 25, 3))
    motion = Motion({"position": x}, KINECT, 30.0, "A/1")
    found = derive(motion, ["bone_motion", "position", "joint_motion", "bone"])
    assert list(found) == ["bone_motion", "position", "joint_motion", "bone"]
    np.testing.assert_array_equal(found["bone_motion"], motion_of(bones(x, KINECT)))
    np.testing.assert_array_equal(found["joint_motion"], motion_of(x))
    np.testing.assert_array_equal(found["position"], x)
    with pytest.raises(DataError, match="A/1 cannot give the stream 'orientation'"):
        derive(motion, ["orientation"])
    filled = np.zeros((6, 25, 4))
    filled[..., 0] = 1
    filled[:, :3, 0], filled[:, :3, 1] = np.cos(x[:, :3, 0]), np.sin(x[:, :3, 0])
    angles = Motion({"orientation": filled, "angle": x}, KINECT, 30.0, "A/1")
    wanted = r"model.streams=\[angle\] \(its orientation never changes in 22 of 25 joints\)"
    with pytest.raises(DataError, match=wanted):
        derive(angles, ["position"])
    with pytest.raises(DataError, match="Did you mean 'position'"):
        derive(motion, ["positions"])

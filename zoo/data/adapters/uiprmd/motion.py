"""From UI-PRMD's own numbers to metres, quaternions and unwrapped degrees."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from zoo.data.gaps import bridged
from zoo.data.rotation import continuous_sign
from zoo.skeleton import Layout

Floats = NDArray[np.float64]

EULER_ORDER = "ZXY"
"""Rotations of the Kinect angles: R = Rz(z)·Rx(x)·Ry(y), intrinsic.

Of the six orders this one fits Vicon best. On 20 right repetitions of m01, after alignment in
time and by a rigid motion, it leaves a residual with a standard deviation of 1.9 cm (constant
distances between marker and joint aside), the next best, Z·Y·X, 9.2 cm.
"""

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
"""No rotation; nearest to it are the quaternions with w >= 0."""

_TWO_TURNS = 720.0
_VICON_ROOM = ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0))
_VICON_TURN = (0.5, -0.5, 0.5, 0.5)
"""The same rotation as a quaternion."""


def kinect_pose(layout: Layout, offsets: Floats, angles: Floats) -> tuple[Floats, Floats]:
    """Places the joints of UI-PRMD's Kinect by forward kinematics.

    With R = Rz(z)·Rx(x)·Ry(y) of a joint's angles, G_child = G_parent·R_child and
    X_child = X_parent + G_parent·offset_child; the waist's offset is its place in the room.
    Lengths of bones are those of the offsets, which the sensor estimates anew in every frame.

    Args:
        layout: ``uiprmd-kinect``, or another tree over V joints.
        offsets: (T, V, 3) centimetres, each in the frame of the joint's parent.
        angles: (T, V, 3) degrees about x, y, z.

    Returns:
        Positions (T, V, 3) in metres and orientations G (T, V, 4), unit quaternions
        w, x, y, z, turned half a turn about the vertical so that they have the axes of the
        Kinect v2: x to the sensor's left, y up, z away from the sensor.
    """
    import torch

    from zoo.skeleton.kinematics import forward_kinematics, quat_about, quat_multiply

    metres = torch.from_numpy(offsets / 100)
    half_turn = torch.tensor([0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    with _one_thread():
        radians = torch.from_numpy(np.deg2rad(angles))
        axes = ["XYZ".index(axis) for axis in EULER_ORDER]
        first, second, third = (quat_about(axis, radians[..., axis]) for axis in axes)
        rotations = quat_multiply(quat_multiply(first, second), third)
        pose = forward_kinematics(layout.parents, metres, rotations, metres[:, layout.root])
        turned = quat_multiply(half_turn, pose.orientations)
    return pose.positions.numpy() * (-1.0, 1.0, -1.0), turned.numpy()


def vicon_axes(markers: Floats) -> Floats:
    """Millimetres with z up become metres with y up.

    In Vicon's room the person looks along +x, with the left hand towards +y. The result has the
    axes of a Kinect v2 in front of that person: x to the sensor's left (the person's left is
    -x), y up, z away from the sensor. On right repetitions of m01 a rotation of less than 10
    degrees, about the vertical, remains against the real Kinect.

    Args:
        markers: (T, V, 3).
    """
    return markers @ np.transpose(_VICON_ROOM) / 1000


def segment_orientations(vectors: Floats, missing: NDArray[np.bool_]) -> Floats:
    """Orientations of Vicon's segments in the axes of `vicon_axes`.

    Among the rows of the angle files, those of segments (head, thorax, pelvis, thigh, ...) are
    rotation vectors: the direction is the axis in the room, the length the angle in degrees. This
    is exact: knee, hip, ankle, wrist and the trunk's angles in the same files are the Y·X·Z Euler
    angles of one such segment relative to the next, with clinical signs, to 0.01 degrees.
    A segment's x axis points forwards, its z axis up when the person stands upright.

    Args:
        vectors: rotation vectors (T, S, 3) in degrees as in the file, not unwrapped.
        missing: (T, S). Gaps are closed between the neighbouring orientations; a segment that is
            never seen gets the identity.

    Returns:
        Unit quaternions w, x, y, z (T, S, 4), which do not change sign in time.
    """
    import torch

    from zoo.skeleton.kinematics import quat_multiply

    half = np.deg2rad(vectors) / 2
    length = np.linalg.norm(half, axis=-1, keepdims=True)
    # numpy's sinc(x) is sin(πx)/(πx), which is 1 where the rotation vanishes.
    local = np.concatenate([np.cos(length), np.sinc(length / np.pi) * half], axis=-1)
    room = torch.tensor(_VICON_TURN, dtype=torch.float64)
    with _one_thread():
        turned = quat_multiply(room, torch.from_numpy(local))
    result = continuous_sign(turned.numpy(), IDENTITY)
    for segment in np.flatnonzero(missing.any(axis=0)):
        seen = ~missing[:, segment]
        if seen.any():
            result[seen, segment] = continuous_sign(result[seen][:, [segment]], IDENTITY)[:, 0]
        else:
            result[:, segment] = IDENTITY
    result = bridged(result, missing)
    return result / np.linalg.norm(result, axis=-1, keepdims=True)


def lost(values: Floats) -> NDArray[np.bool_]:
    """Where Vicon lost a joint: all three of its values are exactly zero, (T, V)."""
    return (values == 0).all(axis=-1)


def no_angle(values: Floats) -> NDArray[np.bool_]:
    """Where one of three angles in degrees is beyond two turns, which no joint makes, (T, V).

    The largest angle published is 318 degrees (Vicon) and 180 (Kinect).
    """
    return np.asarray((np.abs(values) > _TWO_TURNS).any(axis=-1))


def unwrap_degrees(angles: Floats, missing: NDArray[np.bool_]) -> Floats:
    """Lets angles that jump at ±180 degrees continue on the other side, and nothing else.

    Values differ from the published ones by whole turns only; frames in which a joint is missing
    are left as they are and do not count as jumps.

    Args:
        angles: (T, V, 3) degrees.
        missing: (T, V).
    """
    result = angles.copy()
    complete = ~missing.any(axis=0)
    result[:, complete] = np.unwrap(angles[:, complete], period=360, axis=0)
    for joint in np.flatnonzero(~complete):
        seen = ~missing[:, joint]
        result[seen, joint] = np.unwrap(angles[seen, joint], period=360, axis=0)
    return result


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keeps torch to one thread: waiting for others costs more than they save on small tensors.

    On two busy cores a second thread makes the kinematics of a batch eight times slower.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

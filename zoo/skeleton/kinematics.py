r"""Rotations and forward kinematics in torch, vectorised over any leading dimensions.

Conventions:
    * Quaternions are w, x, y, z on the last axis. Both ``q`` and ``-q`` stand for one rotation;
      functions that choose a sign say so, and `quat_canonical` picks w >= 0. Products are
      Hamilton's: ``quat_multiply(a, b)`` turns by `b` first, then by `a`.
    * Vectors are columns: a matrix turns ``v`` into ``R v``. Rotations are active.
    * Euler angles are radians, one for each letter of the order. As in scipy's ``Rotation``,
      lower case is extrinsic (axes stay in the room), upper case intrinsic (axes turn along):
      ``"ZXY"`` is :math:`R_z(\alpha_0) R_x(\alpha_1) R_y(\alpha_2)`, ``"zxy"`` is
      :math:`R_y(\alpha_2) R_x(\alpha_1) R_z(\alpha_0)`.
    * Gradients are finite everywhere. Where none exists (zero length, gimbal lock) it is that of
      the branch that was taken.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.skeleton.layout import tree_levels


class Pose(NamedTuple):
    """Where every joint is and how it is turned, in the room's frame.

    Attributes:
        positions: (..., V, 3), in the unit of the offsets.
        orientations: unit quaternions w, x, y, z (..., V, 4).
    """

    positions: Tensor
    orientations: Tensor


def quat_multiply(a: Tensor, b: Tensor) -> Tensor:
    """Hamilton product of `a` (..., 4) and `b` (..., 4), which broadcast: first `b`, then `a`."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        dim=-1,
    )


def quat_conjugate(q: Tensor) -> Tensor:
    """Conjugate of `q` (..., 4); of a unit quaternion, the inverse rotation."""
    return torch.cat([q[..., :1], -q[..., 1:]], dim=-1)


def quat_normalize(q: Tensor) -> Tensor:
    """`q` (..., 4) with length 1; one of length zero becomes the identity 1, 0, 0, 0."""
    # Scaled first, so that the squares of tiny or huge components neither vanish nor overflow.
    largest = q.detach().abs().amax(-1, keepdim=True)
    empty = largest == 0
    scaled = q / torch.where(empty, 1, largest)
    length = torch.where(empty, 1, scaled.square().sum(-1, keepdim=True)).sqrt()
    return torch.where(empty, _axis_vector(0, q, 4), scaled / length)


def quat_canonical(q: Tensor) -> Tensor:
    """The sign of `q` (..., 4) at which the first component that is not zero is positive."""
    nonzero = q != 0
    first = nonzero & (nonzero.cumsum(-1) == 1)
    return torch.where((first & (q < 0)).any(-1, keepdim=True), -q, q)


def quat_rotate(q: Tensor, vector: Tensor) -> Tensor:
    """`vector` (..., 3) turned by the unit quaternion `q` (..., 4); leading axes broadcast."""
    axis, vector = torch.broadcast_tensors(q[..., 1:], vector)
    twice = 2 * torch.linalg.cross(axis, vector)
    return vector + q[..., :1] * twice + torch.linalg.cross(axis, twice)


def quat_to_matrix(q: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    w, x, y, z = q.unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z),
        2 * (x * y - w * z),
        2 * (x * z + w * y),
        2 * (x * y + w * z),
        1 - 2 * (x * x + z * z),
        2 * (y * z - w * x),
        2 * (x * z - w * y),
        2 * (y * z + w * x),
        1 - 2 * (x * x + y * y),
    ]
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))


def matrix_to_quat(matrix: Tensor) -> Tensor:
    """Unit quaternions (..., 4) of rotation matrices (..., 3, 3), in canonical sign (w >= 0).

    Each row of 4 q qᵀ is a multiple of q, and its entries are sums of those of the matrix
    (Shepperd 1978); the row with the largest diagonal entry is the most accurate.
    """
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = matrix.flatten(-2).unbind(-1)
    wx, wy, wz = m21 - m12, m02 - m20, m10 - m01
    xy, xz, yz = m10 + m01, m02 + m20, m21 + m12
    rows = [
        torch.stack([1 + m00 + m11 + m22, wx, wy, wz], dim=-1),
        torch.stack([wx, 1 + m00 - m11 - m22, xy, xz], dim=-1),
        torch.stack([wy, xy, 1 - m00 + m11 - m22, yz], dim=-1),
        torch.stack([wz, xz, yz, 1 - m00 - m11 + m22], dim=-1),
    ]
    outer = torch.stack(rows, dim=-2)
    best = outer.diagonal(dim1=-2, dim2=-1).argmax(-1)[..., None, None]
    row = outer.gather(-2, best.expand(*best.shape[:-1], 4)).squeeze(-2)
    return quat_canonical(quat_normalize(row))


def euler_to_quat(angles: Tensor, order: str) -> Tensor:
    """Unit quaternions (..., 4) of Euler angles.

    Args:
        angles: (..., 3) radians, one for each letter of `order`.
        order: three of ``xyz`` (extrinsic) or ``XYZ`` (intrinsic), no letter twice in a row.

    Returns:
        The product of the three elementary rotations as it comes; w may be negative.

    Raises:
        ValueError: an order that is none.
    """
    axes, intrinsic = _parse_order(order)
    first, second, third = (
        _about(axis, angle) for axis, angle in zip(axes, angles.unbind(-1), strict=True)
    )
    if intrinsic:
        return quat_multiply(quat_multiply(first, second), third)
    return quat_multiply(quat_multiply(third, second), first)


def quat_to_euler(q: Tensor, order: str) -> Tensor:
    r"""Euler angles (..., 3) in radians of quaternions (..., 4), which need not have length 1.

    The first and third angle lie in [-π, π]; the second in [-π/2, π/2] when the order has three
    different letters, in [0, π] when the first returns as the third. At gimbal lock, when the
    second angle is within 1e-7 of the end of its range (7.6e-6 in single precision), only the sum
    or the difference of the other two is determined: the third is then 0 and the first has it
    all, as in scipy.

    Source: Bernardes, Viollet: Quaternion to Euler angles conversion: a direct, general and
    computationally efficient method, PLoS ONE 17(11), 2022.

    Args:
        q: (..., 4).
        order: as in `euler_to_quat`.

    Raises:
        ValueError: an order that is none.
    """
    (i, j, k), intrinsic = _parse_order(order)
    if intrinsic:  # the same turns as the reversed extrinsic order, angles reversed too
        i, k = k, i
    proper = i == k
    if proper:
        k = 3 - i - j
    sign = 1 if (j - i) % 3 == 1 else -1
    w, qi, qj, qk = q[..., 0], q[..., 1 + i], q[..., 1 + j], q[..., 1 + k] * sign
    # Turning the j axis by 90 degrees makes three different axes a proper Euler order.
    a, b, c, d = (w, qi, qj, qk) if proper else (w - qj, qi + qk, qj + w, qk - qi)

    second = 2 * _angle(_length(c, d), _length(a, b))
    half_sum, half_difference = _angle(b, a), _angle(d, c)
    begin, end = half_sum - half_difference, half_sum + half_difference
    flip = 1 if proper else sign
    # `begin` turns first in the room's axes, so for intrinsic orders it is the third angle.
    first, third = (flip * end, begin) if intrinsic else (begin, flip * end)
    tolerance = max(1e-7, 64 * torch.finfo(q.dtype).eps)
    low, high = second < tolerance, torch.pi - second < tolerance
    first = torch.where(low, 2 * half_sum * (flip if intrinsic else 1), first)
    first = torch.where(high, 2 * half_difference * (flip if intrinsic else -1), first)
    third = torch.where(low | high, 0, third)
    if not proper:
        second = second - torch.pi / 2
    return torch.stack([_wrap(first), second, _wrap(third)], dim=-1)


def euler_to_matrix(angles: Tensor, order: str) -> Tensor:
    """Rotation matrices (..., 3, 3) of Euler angles (..., 3); see `euler_to_quat`."""
    return quat_to_matrix(euler_to_quat(angles, order))


def matrix_to_euler(matrix: Tensor, order: str) -> Tensor:
    """Euler angles (..., 3) of rotation matrices (..., 3, 3); see `quat_to_euler`."""
    return quat_to_euler(matrix_to_quat(matrix), order)


def forward_kinematics(
    parents: Sequence[int],
    offsets: Tensor,
    rotations: Tensor,
    root_position: Tensor | None = None,
) -> Pose:
    r"""Joint positions and orientations from rotations relative to the parent.

    With parent :math:`p` of joint :math:`j`,

    .. math:: G_j = G_p R_j, \qquad X_j = X_p + G_p o_j,

    and :math:`G_r = R_r`, :math:`X_r` = `root_position` at the root :math:`r`. It loops over the
    levels of the tree; frames and everything else are done at once.

    Args:
        parents: index of each joint's parent, -1 for the root (V,): ``layout.parents``, or
            ``layout.parents_from(joint)`` for another root.
        offsets: (..., V, 3) of each joint in its parent's frame; the root's is not used.
        rotations: unit quaternions w, x, y, z (..., V, 4) relative to the parent. The leading
            dimensions of offsets, rotations and root position broadcast.
        root_position: (..., 3), in the unit of `offsets`; the origin if not given.

    Raises:
        DataError: numbers of joints that differ.
        LayoutError: `parents` form no tree.
    """
    joints = len(parents)
    if offsets.shape[-2:] != (joints, 3) or rotations.shape[-2:] != (joints, 4):
        raise DataError(
            f"forward kinematics over {joints} joints needs offsets (..., {joints}, 3) and "
            f"rotations (..., {joints}, 4), found {tuple(offsets.shape)} and "
            f"{tuple(rotations.shape)}"
        )
    if root_position is None:
        root_position = offsets.new_zeros(3)
    leading = torch.broadcast_shapes(
        offsets.shape[:-2], rotations.shape[:-2], root_position.shape[:-1]
    )
    levels = tree_levels(parents)
    position = root_position.expand(*leading, 3)[..., None, :]
    turned = rotations[..., levels[0], :].expand(*leading, 1, 4)
    positions, orientations = [position], [turned]
    for above, level in pairwise(levels):
        place = {joint: i for i, joint in enumerate(above)}
        carriers = [place[parents[joint]] for joint in level]
        frame = turned[..., carriers, :]
        position = position[..., carriers, :] + quat_rotate(frame, offsets[..., level, :])
        turned = quat_multiply(frame, rotations[..., level, :])
        positions.append(position)
        orientations.append(turned)
    flat = [joint for level in levels for joint in level]
    back = sorted(range(joints), key=flat.__getitem__)
    return Pose(
        torch.cat(positions, dim=-2)[..., back, :], torch.cat(orientations, dim=-2)[..., back, :]
    )


def _parse_order(order: str) -> tuple[tuple[int, int, int], bool]:
    axes = ["xyz".find(letter) for letter in order.lower()]
    mixed = order not in (order.lower(), order.upper())
    if len(axes) != 3 or -1 in axes or mixed or axes[0] == axes[1] or axes[1] == axes[2]:
        raise ValueError(
            f"{order!r} is no order of Euler angles: expected three of 'xyz' (extrinsic) or 'XYZ' "
            "(intrinsic), no letter twice in a row"
        )
    return (axes[0], axes[1], axes[2]), order.isupper()


def _axis_vector(index: int, like: Tensor, size: int) -> Tensor:
    vector = like.new_zeros(size)
    vector[index] = 1
    return vector


def _about(axis: int, angle: Tensor) -> Tensor:
    half = angle[..., None] / 2
    return torch.cat([half.cos(), half.sin() * _axis_vector(axis, angle, 3)], dim=-1)


def _length(x: Tensor, y: Tensor) -> Tensor:
    squares = x * x + y * y
    empty = squares == 0
    return torch.where(empty, 0, torch.where(empty, 1, squares).sqrt())


def _angle(y: Tensor, x: Tensor) -> Tensor:
    """atan2 with angle and gradient 0 at the origin."""
    empty = (x == 0) & (y == 0)
    return torch.where(empty, 0, torch.atan2(y, torch.where(empty, 1, x)))


def _wrap(angle: Tensor) -> Tensor:
    turn = 2 * torch.pi
    angle = torch.where(angle > torch.pi, angle - turn, angle)
    return torch.where(angle < -torch.pi, angle + turn, angle)

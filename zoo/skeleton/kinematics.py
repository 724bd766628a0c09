r"""Rotations and forward kinematics in torch, vectorised over any leading dimensions.

Quaternions are w, x, y, z on the last axis; both ``q`` and ``-q`` stand for one rotation. Products
are Hamilton's: ``quat_multiply(a, b)`` turns by `b` first, then by `a`. Rotations are active.
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


def quat_rotate(q: Tensor, vector: Tensor) -> Tensor:
    """`vector` (..., 3) turned by the unit quaternion `q` (..., 4); leading axes broadcast."""
    axis, vector = torch.broadcast_tensors(q[..., 1:], vector)
    twice = 2 * torch.linalg.cross(axis, vector)
    return vector + q[..., :1] * twice + torch.linalg.cross(axis, twice)


def quat_about(axis: int, angle: Tensor) -> Tensor:
    """Rotations (..., 4) by `angle` (...) radians about the axis 0 (x), 1 (y) or 2 (z)."""
    half = angle[..., None] / 2
    direction = angle.new_zeros(3)
    direction[axis] = 1
    return torch.cat([half.cos(), half.sin() * direction], dim=-1)


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

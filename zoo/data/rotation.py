"""Unit quaternions w, x, y, z in numpy float64.

The simulator and the transforms do not use the torch kinematics of `zoo.skeleton`: preparing data
needs no torch, and numpy's element-wise loops give the same bits whatever the number of threads.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product (..., 4): rotate by `b`, then by `a`."""
    aw, ax, ay, az = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bw, bx, by, bz = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    out = np.empty(np.broadcast_shapes(a.shape, b.shape))
    out[..., 0] = aw * bw - ax * bx - ay * by - az * bz
    out[..., 1] = aw * bx + ax * bw + ay * bz - az * by
    out[..., 2] = aw * by - ax * bz + ay * bw + az * bx
    out[..., 3] = aw * bz + ax * by - ay * bx + az * bw
    return out


def cross(a: Array, b: Array) -> Array:
    """Cross product (..., 3)."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    out = np.empty(np.broadcast_shapes(a.shape, b.shape))
    out[..., 0] = ay * bz - az * by
    out[..., 1] = az * bx - ax * bz
    out[..., 2] = ax * by - ay * bx
    return out


def dot(a: Array, b: Array) -> Array:
    """Inner product (..., 1)."""
    return np.einsum("...i,...i->...", a, b)[..., None]


def rotate(q: Array, v: Array) -> Array:
    """The vectors `v` (..., 3) rotated by the unit quaternions `q` (..., 4)."""
    axis = q[..., 1:]
    twice = 2 * cross(axis, v)
    return v + q[..., :1] * twice + cross(axis, twice)


def conjugate(q: Array) -> Array:
    """The inverse of the unit quaternions `q` (..., 4)."""
    return q * np.array([1.0, -1.0, -1.0, -1.0])


def about(axis: int, degrees: Array | float) -> Array:
    """Rotations by `degrees` (...) about the axis 0 (x), 1 (y) or 2 (z), as (..., 4)."""
    half = np.radians(np.asarray(degrees, dtype=np.float64)) / 2
    q = np.zeros((*half.shape, 4))
    q[..., 0] = np.cos(half)
    q[..., 1 + axis] = np.sin(half)
    return q


def between(a: Array, b: Array) -> Array:
    """The shortest rotations (..., 4) that turn the unit vectors `a` into `b`, not opposite."""
    return unit(np.concatenate((1 + dot(a, b), cross(a, b)), axis=-1))


def from_axes(x: Array, y: Array, z: Array) -> Array:
    """The rotations (..., 4) whose matrix has the orthonormal columns `x`, `y`, `z` (..., 3).

    Each is written by the largest of its four components, so that none loses digits.
    """
    m00, m10, m20 = np.moveaxis(x, -1, 0)
    m01, m11, m21 = np.moveaxis(y, -1, 0)
    m02, m12, m22 = np.moveaxis(z, -1, 0)
    rows = np.stack(
        (
            np.stack((1 + m00 + m11 + m22, m21 - m12, m02 - m20, m10 - m01), axis=-1),
            np.stack((m21 - m12, 1 + m00 - m11 - m22, m10 + m01, m02 + m20), axis=-1),
            np.stack((m02 - m20, m10 + m01, 1 - m00 + m11 - m22, m21 + m12), axis=-1),
            np.stack((m10 - m01, m02 + m20, m21 + m12, 1 - m00 - m11 + m22), axis=-1),
        ),
        axis=-2,
    )
    largest = np.argmax(np.stack([rows[..., i, i] for i in range(4)], axis=-1), axis=-1)
    chosen = np.take_along_axis(rows, largest[..., None, None], axis=-2)[..., 0, :]
    return unit(chosen)


def unit(v: Array) -> Array:
    """Vectors (..., C) divided by their length."""
    return v / np.sqrt(dot(v, v))


def continuous_sign(q: Array, reference: Array | None = None) -> Array:
    """Picks the sign of `q` (T, ..., 4) so that neighbouring frames have a dot product ≥ 0.

    q and −q are one rotation. The first frame keeps its sign, or takes the one nearer to
    `reference` (..., 4).
    """
    first = q[:1] if reference is None else np.broadcast_to(reference, q[:1].shape)
    flips = np.where(dot(np.concatenate((first, q[:-1])), q) < 0, -1.0, 1.0)
    return q * np.cumprod(flips, axis=0)

"""Rotations against scipy in double precision; forward kinematics against a plain loop."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from zoo.errors import DataError, LayoutError
from zoo.skeleton import kinematics as kin
from zoo.skeleton import load_layout
from zoo.skeleton.kinematics import forward_kinematics

TOLERANCE = {"rtol": 0, "atol": 1e-9}

shapes = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)
lenient = settings(max_examples=60)


def numbers(width: int, bound: float) -> st.SearchStrategy[NDArray[np.float64]]:
    elements = st.floats(-bound, bound, width=64)
    return shapes.flatmap(lambda s: hnp.arrays(np.float64, (*s, width), elements=elements))


@st.composite
def quaternions(draw: st.DrawFn) -> Tensor:
    """Unit quaternions (..., 4) of either sign."""
    raw = draw(numbers(4, 1))
    length = np.linalg.norm(raw, axis=-1, keepdims=True)
    assume((length > 1e-3).all())
    return torch.from_numpy(raw / length)


def rotation(q: Tensor) -> Rotation:
    return Rotation.from_quat(q.reshape(-1, 4).numpy(), scalar_first=True)


def same(ours: Tensor, scipys: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(ours.numpy().reshape(scipys.shape), scipys, **TOLERANCE)


def unit(q: Tensor) -> Tensor:
    return q / q.norm(dim=-1, keepdim=True)


def random_quaternions(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return unit(torch.randn(*shape, 4, generator=generator, dtype=torch.float64))


@lenient
@given(quaternions(), st.integers(0, 2**32 - 1))
def test_product(a: Tensor, seed: int) -> None:
    b = random_quaternions(*a.shape[:-1], seed=seed)
    product = rotation(kin.quat_multiply(a, b)).as_matrix()
    np.testing.assert_allclose(product, (rotation(a) * rotation(b)).as_matrix(), **TOLERANCE)


@lenient
@given(numbers(1, 7.0), st.integers(0, 2))
def test_about_an_axis(angles: NDArray[np.float64], axis: int) -> None:
    q = kin.quat_about(axis, torch.from_numpy(angles)[..., 0])
    assert q.shape == (*angles.shape[:-1], 4)
    expected = Rotation.from_euler("xyz"[axis], angles.reshape(-1, 1)).as_matrix()
    np.testing.assert_allclose(rotation(q).as_matrix(), expected, **TOLERANCE)


@lenient
@given(quaternions(), st.integers(0, 2**32 - 1))
def test_rotate(q: Tensor, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vector = 3 * torch.randn(*q.shape[:-1], 3, generator=generator, dtype=torch.float64)
    turned = kin.quat_rotate(q, vector)
    assert turned.shape == vector.shape
    same(turned, rotation(q).apply(vector.reshape(-1, 3).numpy()))


CASES: dict[str, tuple[Callable[[Tensor], Tensor], tuple[int, ...]]] = {
    "multiply": (lambda q: kin.quat_multiply(q[:3], q[3:]), (6, 4)),
    "rotate": (lambda q: kin.quat_rotate(unit(q), q[:, 1:]), (3, 4)),
    "about": (lambda a: kin.quat_about(1, a), (3,)),
    "kinematics": (
        lambda x: forward_kinematics((-1, 0, 1, 0), x[..., :3], unit(x[..., 3:]))[0],
        (2, 4, 7),
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_gradients_are_right(case: str) -> None:
    function, shape = CASES[case]
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, (x,))


@pytest.mark.parametrize("name", ["kinect-v2", "uiprmd-kinect", "uiprmd-vicon", "mediapipe"])
def test_forward_kinematics_against_a_loop(name: str) -> None:
    layout = load_layout(name)
    joints, frames = layout.num_joints, 6
    rotations = random_quaternions(frames, joints)
    generator = torch.Generator().manual_seed(1)
    offsets = torch.randn(joints, 3, generator=generator, dtype=torch.float64)
    root = torch.randn(frames, 3, generator=generator, dtype=torch.float64)
    for parents in (layout.parents, layout.parents_from(joints // 2)):
        pose = forward_kinematics(parents, offsets, rotations, root)
        assert pose.positions.shape == (frames, joints, 3)
        for t in range(frames):
            for joint in range(joints):
                chain = [joint]
                while parents[chain[-1]] >= 0:
                    chain.append(parents[chain[-1]])
                place, turn = root[t].numpy(), rotation(rotations[t, chain[-1]])[0]
                for step in reversed(chain[:-1]):
                    place = place + turn.apply(offsets[step].numpy())
                    turn = turn * rotation(rotations[t, step])[0]
                same(pose.positions[t, joint], place)
                found = rotation(pose.orientations[t, joint]).as_matrix()[0]
                np.testing.assert_allclose(found, turn.as_matrix(), **TOLERANCE)


def test_forward_kinematics_broadcasts() -> None:
    parents = load_layout("kinect-v2").parents_from("SpineBase")
    rotations = random_quaternions(2, 1, 5, 25)
    offsets = torch.randn(3, 1, 25, 3, dtype=torch.float64)
    root = torch.randn(5, 3, dtype=torch.float64)
    pose = forward_kinematics(parents, offsets, rotations, root)
    assert pose.positions.shape == (2, 3, 5, 25, 3)
    assert pose.orientations.shape == (2, 3, 5, 25, 4)
    one = forward_kinematics(parents, offsets[2, 0], rotations[1, 0], root)
    torch.testing.assert_close(pose.positions[1, 2], one.positions)
    torch.testing.assert_close(pose.orientations[1, 2], one.orientations)
    bones = torch.tensor([(c, p) for c, p in enumerate(parents) if p >= 0])
    lengths = (pose.positions[..., bones[:, 0], :] - pose.positions[..., bones[:, 1], :]).norm(
        dim=-1
    )
    expected = offsets.norm(dim=-1)[..., bones[:, 0]].expand_as(lengths)
    torch.testing.assert_close(lengths, expected)


def test_forward_kinematics_at_rest() -> None:
    identity = torch.tensor([1.0, 0, 0, 0]).expand(3, 4)
    offsets = torch.tensor([[9.0, 9, 9], [0, 1, 0], [2, 0, 0]])
    pose = forward_kinematics((-1, 0, 1), offsets, identity)
    assert pose.positions.tolist() == [[0, 0, 0], [0, 1, 0], [2, 1, 0]]


def test_forward_kinematics_refuses() -> None:
    offsets, rotations = torch.zeros(3, 3), torch.zeros(3, 4)
    with pytest.raises(DataError, match=r"over 4 joints.*\(3, 3\).*\(3, 4\)"):
        forward_kinematics((-1, 0, 0, 0), offsets, rotations)
    with pytest.raises(DataError, match="over 3 joints"):
        forward_kinematics((-1, 0, 0), offsets, torch.zeros(3, 3))
    with pytest.raises(LayoutError, match="no tree"):
        forward_kinematics((1, 2, 0), offsets, rotations)

"""Rotations against scipy in double precision; forward kinematics against a plain loop."""

import itertools
import warnings
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
from zoo.skeleton import forward_kinematics, load_layout
from zoo.skeleton import kinematics as kin

EXTRINSIC = [
    "".join(axes)
    for axes in itertools.product("xyz", repeat=3)
    if axes[0] != axes[1] and axes[1] != axes[2]
]
ORDERS = [*EXTRINSIC, *(order.upper() for order in EXTRINSIC)]
TOLERANCE = {"rtol": 0, "atol": 1e-9}

orders = st.sampled_from(ORDERS)
every_order = pytest.mark.parametrize("order", ORDERS)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)
lenient = settings(deadline=None, max_examples=60)


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


def random_quaternions(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return kin.quat_normalize(torch.randn(*shape, 4, generator=generator, dtype=torch.float64))


@lenient
@given(quaternions(), st.integers(0, 2**32 - 1))
def test_product_and_conjugate(a: Tensor, seed: int) -> None:
    b = random_quaternions(*a.shape[:-1], seed=seed)
    same(kin.quat_to_matrix(kin.quat_multiply(a, b)), (rotation(a) * rotation(b)).as_matrix())
    same(kin.quat_to_matrix(kin.quat_conjugate(a)), rotation(a).inv().as_matrix())


@lenient
@given(quaternions(), st.integers(0, 2**32 - 1))
def test_rotate(q: Tensor, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vector = 3 * torch.randn(*q.shape[:-1], 3, generator=generator, dtype=torch.float64)
    turned = kin.quat_rotate(q, vector)
    assert turned.shape == vector.shape
    same(turned, rotation(q).apply(vector.reshape(-1, 3).numpy()))


@lenient
@given(quaternions())
def test_matrix_both_ways(q: Tensor) -> None:
    matrix = kin.quat_to_matrix(q)
    assert matrix.shape == (*q.shape[:-1], 3, 3)
    same(matrix, rotation(q).as_matrix())
    back = kin.matrix_to_quat(matrix)
    assert back.shape == q.shape
    same(kin.quat_to_matrix(back), rotation(q).as_matrix())
    np.testing.assert_allclose(back.norm(dim=-1), np.ones(q.shape[:-1]), **TOLERANCE)
    assert (back[..., 0] >= 0).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_turns(axis: int) -> None:
    """Where w is 0 the trace says nothing, and the other rows must answer."""
    half = torch.zeros(4, dtype=torch.float64)
    half[1 + axis] = 1
    assert torch.equal(kin.matrix_to_quat(kin.quat_to_matrix(half)), half)
    tilted = kin.quat_normalize(half + torch.tensor([0, 0.3, 0.5, 0.2], dtype=torch.float64))
    torch.testing.assert_close(kin.matrix_to_quat(kin.quat_to_matrix(tilted)), tilted, **TOLERANCE)


@lenient
@given(quaternions())
def test_canonical_sign_is_scipys(q: Tensor) -> None:
    with_scipy = rotation(q).as_quat(canonical=True, scalar_first=True)
    same(kin.quat_canonical(q), with_scipy)
    assert torch.equal(kin.quat_canonical(-q), kin.quat_canonical(q))


@lenient
@given(numbers(3, 7.0), orders)
def test_euler_to_quat(angles: NDArray[np.float64], order: str) -> None:
    q = kin.euler_to_quat(torch.from_numpy(angles), order)
    assert q.shape == (*angles.shape[:-1], 4)
    expected = Rotation.from_euler(order, angles.reshape(-1, 3)).as_matrix()
    same(kin.quat_to_matrix(q), expected)
    same(kin.euler_to_matrix(torch.from_numpy(angles), order), expected)


@settings(deadline=None, max_examples=150)
@given(quaternions(), orders)
def test_quat_to_euler(q: Tensor, order: str) -> None:
    angles = kin.quat_to_euler(q, order)
    assert angles.shape == (*q.shape[:-1], 3)
    # The rotation survives everywhere, up to the width of the band that counts as gimbal lock.
    back = kin.euler_to_matrix(angles, order).numpy().reshape(-1, 3, 3)
    np.testing.assert_allclose(back, rotation(q).as_matrix(), rtol=0, atol=2e-7)
    proper = order[0] == order[2]
    low, high = (0, np.pi) if proper else (-np.pi / 2, np.pi / 2)
    second = angles[..., 1].numpy()
    assert ((low <= second) & (second <= high)).all()
    assert (angles[..., [0, 2]].abs() <= np.pi).all()
    clear = (np.minimum(second - low, high - second) > 1e-3).reshape(-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        expected = rotation(q).as_euler(order)
    off = angles.numpy().reshape(-1, 3) - expected
    off = (off + np.pi) % (2 * np.pi) - np.pi  # -180 and 180 degrees are one angle
    np.testing.assert_allclose(off[clear], 0, **TOLERANCE)
    np.testing.assert_allclose(back[clear], rotation(q).as_matrix()[clear], **TOLERANCE)


@every_order
def test_euler_round_trip_in_range(order: str) -> None:
    rng = np.random.default_rng(7)
    angles = rng.uniform(-3.1, 3.1, (200, 3))
    low, high = (0.01, 3.13) if order[0] == order[2] else (-1.56, 1.56)
    angles[:, 1] = rng.uniform(low, high, 200)
    back = kin.quat_to_euler(kin.euler_to_quat(torch.from_numpy(angles), order), order)
    np.testing.assert_allclose(back, angles, **TOLERANCE)
    matrix = kin.euler_to_matrix(torch.from_numpy(angles), order)
    np.testing.assert_allclose(kin.matrix_to_euler(matrix, order), angles, **TOLERANCE)


@every_order
@pytest.mark.parametrize("end", [0, 1])
def test_gimbal_lock(order: str, end: int) -> None:
    """At the end of the second angle's range the first takes all of the turn, as in scipy."""
    rng = np.random.default_rng(3)
    angles = rng.uniform(-3.1, 3.1, (100, 3))
    angles[:, 1] = (0, np.pi)[end] if order[0] == order[2] else (-np.pi / 2, np.pi / 2)[end]
    locked = Rotation.from_euler(order, angles)
    q = torch.from_numpy(locked.as_quat(scalar_first=True)).requires_grad_()
    ours = kin.quat_to_euler(q, order)
    with pytest.warns(UserWarning, match="[Gg]imbal"):
        expected = locked.as_euler(order)
    assert not ours[:, 2].any()
    off = (ours.detach().numpy() - expected + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(off, 0, **TOLERANCE)
    np.testing.assert_allclose(
        kin.euler_to_matrix(ours.detach(), order), locked.as_matrix(), **TOLERANCE
    )
    ours.sum().backward()
    assert q.grad is not None
    assert q.grad.isfinite().all()


@every_order
def test_single_precision_at_and_beside_the_lock(order: str) -> None:
    edge = 0 if order[0] == order[2] else torch.pi / 2
    steps = torch.tensor([0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    angles = torch.stack([steps * 0 + 0.3, edge - steps, steps * 0 - 0.4], dim=-1)
    matrix = kin.euler_to_matrix(angles.double(), order)
    q = kin.euler_to_quat(angles, order)
    back = kin.euler_to_matrix(kin.quat_to_euler(q, order), order)
    assert back.dtype == torch.float32
    torch.testing.assert_close(back.double(), matrix, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    "order", ["", "xy", "xyzx", "xxy", "xyy", "xyZ", "xya", "XYx", "123", "xY"]
)
def test_no_order(order: str) -> None:
    with pytest.raises(ValueError, match="no order of Euler angles"):
        kin.euler_to_quat(torch.zeros(3), order)
    with pytest.raises(ValueError, match="no order of Euler angles"):
        kin.quat_to_euler(torch.tensor([1.0, 0, 0, 0]), order)


@lenient
@given(numbers(4, 1e6))
def test_normalize(raw: NDArray[np.float64]) -> None:
    q = kin.quat_normalize(torch.from_numpy(raw))
    np.testing.assert_allclose(q.norm(dim=-1), np.ones(raw.shape[:-1]), **TOLERANCE)
    length = np.linalg.norm(raw, axis=-1, keepdims=True)
    usual = length[..., 0] > 1e-100
    expected = (raw / np.where(length > 0, length, 1))[usual]
    np.testing.assert_allclose(q.numpy()[usual], expected, **TOLERANCE)


def test_normalize_the_extremes() -> None:
    tiny, huge = torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max
    q = torch.tensor(
        [[0, 0, 0, 0], [0, tiny, 0, 0], [huge, huge, 0, 0], [0, 0, -2, 0]], requires_grad=True
    )
    unit = kin.quat_normalize(q)
    half = 0.5**0.5
    expected = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 0], [half, half, 0, 0], [0, 0, -1.0, 0]])
    torch.testing.assert_close(unit.detach(), expected)
    unit.sum().backward()
    assert q.grad is not None
    assert not q.grad[0].any()
    assert not q.grad.isnan().any()
    assert kin.quat_normalize(torch.full((4,), torch.nan)).isnan().all()


CASES: dict[str, tuple[Callable[[Tensor], Tensor], tuple[int, ...]]] = {
    "normalize": (kin.quat_normalize, (3, 4)),
    "multiply": (lambda q: kin.quat_multiply(q[:3], q[3:]), (6, 4)),
    "rotate": (lambda q: kin.quat_rotate(kin.quat_normalize(q), q[:, 1:]), (3, 4)),
    "to_matrix": (lambda q: kin.quat_to_matrix(kin.quat_normalize(q)), (3, 4)),
    "from_matrix": (
        lambda q: kin.matrix_to_quat(kin.quat_to_matrix(kin.quat_normalize(q))),
        (9, 4),
    ),
    "euler": (lambda a: kin.euler_to_quat(a, "ZXY"), (3, 3)),
    "to_euler": (lambda q: kin.quat_to_euler(kin.quat_normalize(q), "zxy"), (3, 4)),
    "to_proper_euler": (lambda q: kin.quat_to_euler(kin.quat_normalize(q), "XYX"), (3, 4)),
    "kinematics": (
        lambda x: forward_kinematics((-1, 0, 1, 0), x[..., :3], kin.quat_normalize(x[..., 3:]))[0],
        (2, 4, 7),
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_gradients_are_right(case: str) -> None:
    function, shape = CASES[case]
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, (x,))


@every_order
def test_gradients_are_finite_on_the_axes(order: str) -> None:
    """Quarter and half turns, the identity and the zero quaternion."""
    grid = itertools.product((-1.0, 0.0, 1.0), repeat=4)
    q = torch.tensor(list(grid), dtype=torch.float64, requires_grad=True)
    angles = kin.quat_to_euler(q, order)
    again = kin.matrix_to_quat(kin.quat_to_matrix(kin.quat_normalize(q)))
    (angles.square().sum() + angles.sum() + again.sum()).backward()
    assert angles.isfinite().all()
    assert q.grad is not None
    assert q.grad.isfinite().all()


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
                same(kin.quat_to_matrix(pose.orientations[t, joint]), turn.as_matrix())


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

"""The batched products in pieces, at once, and written out: outputs and every gradient."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from zoo.nn import fused
from zoo.nn.fused import typed_graph_product

N, T, V, K, C_IN, C_OUT = 3, 5, 7, 2, 4, 6
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}


def inputs(
    per_sequence: bool, offset: str, dtype: torch.dtype = torch.float64, flip: bool = False
) -> list[Tensor | None]:
    torch.manual_seed(0)
    graph = (N, V, K, V) if per_sequence else (V, K, V)
    c_in, c_out = (C_OUT, C_IN) if flip else (C_IN, C_OUT)
    shapes = [(N, T, V, c_in), (K, c_out, c_in), graph]
    tensors: list[Tensor | None] = [
        torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes
    ]
    shape = {"none": None, "channel": (c_out,), "joint": (V, c_out)}[offset]
    tensors.append(shape and torch.randn(shape, dtype=dtype, requires_grad=True))
    return tensors


def formula(x: Tensor, weight: Tensor, graph: Tensor, offset: Tensor | None) -> Tensor:
    graph = graph.expand(N, V, K, V)
    y = torch.einsum("nwkv,kdc,ntvc->ntwd", graph, weight, x)
    return y if offset is None else y + offset


def gradients(y: Tensor, tensors: list[Tensor | None]) -> list[Tensor]:
    torch.manual_seed(1)
    functional = (y * torch.randn(y.shape, dtype=y.dtype)).sum()
    return list(torch.autograd.grad(functional, [t for t in tensors if t is not None]))


@pytest.fixture(params=[1, 4, 11, 1000])
def frames(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Pieces of one frame, of a few, that divide nothing evenly, and the whole batch at once.

    Where sequences have graphs of their own: of one sequence, of two, of all.
    """

    def piece(elements: int, n: int, t: int, matrices: int) -> int:
        frames = request.param if matrices == 1 else max(1, request.param // t) * t
        return min(frames, n * t)

    monkeypatch.setattr(fused, "_piece", piece)
    return request.param


def test_size_of_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "SCRATCH", 1000)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert fused._piece(10, 32, 30, 1) == 100
    assert fused._piece(10, 32, 30, 32) == 90
    assert fused._piece(10, 32, 300, 32) == 300
    assert fused._piece(10, 2, 30, 1) == 60
    assert fused._piece(999, 32, 30, 1) == 16


def assert_is_the_formula(tensors: list[Tensor | None]) -> None:
    y = typed_graph_product(*tensors)
    expected = formula(*tensors)
    tolerance = {"rtol": 0, "atol": TOLERANCE[y.dtype]}
    torch.testing.assert_close(y, expected, **tolerance)
    for a, b in zip(gradients(y, tensors), gradients(expected, tensors), strict=True):
        torch.testing.assert_close(a, b, **tolerance)


CASES = [
    pytest.mark.parametrize("per_sequence", [True, False]),
    pytest.mark.parametrize("flip", [True, False]),
    pytest.mark.parametrize("offset", ["none", "channel", "joint"]),
]


def all_cases(test: Callable[..., None]) -> Callable[..., None]:
    for mark in CASES:
        test = mark(test)
    return test


@all_cases
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_in_pieces(
    frames: int,
    per_sequence: bool,
    flip: bool,
    offset: str,
    dtype: torch.dtype,
) -> None:
    assert_is_the_formula(inputs(per_sequence, offset, dtype, flip))


@all_cases
def test_at_once(
    per_sequence: bool,
    flip: bool,
    offset: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What compilers, autocast and accelerators get."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert_is_the_formula(inputs(per_sequence, offset, flip=flip))


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("wanted", list(product([True, False], repeat=4)))
def test_only_the_gradients_asked_for(flip: bool, wanted: tuple[bool, ...]) -> None:
    tensors = inputs(per_sequence=False, offset="joint", flip=flip)
    for tensor, wants in zip(tensors, wanted, strict=True):
        tensor.requires_grad_(wants)
    y = typed_graph_product(*tensors)
    assert y.requires_grad == any(wanted)
    if any(wanted):
        asked = [t for t in tensors if t.requires_grad]
        for a, b in zip(gradients(y, asked), gradients(formula(*tensors), asked), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_second_derivatives_are_refused_aloud() -> None:
    tensors = inputs(per_sequence=False, offset="none")
    y = typed_graph_product(*tensors)
    (grad,) = torch.autograd.grad(y.square().sum(), tensors[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()

"""The batched products in pieces, at once, and written out: outputs and every gradient."""

from itertools import product

import pytest
import torch
from torch import Tensor

from zoo.nn import fused
from zoo.nn.fused import typed_graph_product

N, T, V, K, C_IN, C_OUT = 3, 5, 7, 2, 4, 6


def inputs(per_sequence: bool, offset: str) -> list[Tensor | None]:
    torch.manual_seed(0)
    graph = (N, V, K, V) if per_sequence else (V, K, V)
    shapes = [(N, T, V, C_IN), (K, C_OUT, C_IN), graph]
    tensors: list[Tensor | None] = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes
    ]
    kinds = {"none": None, "channel": (C_OUT,), "joint": (V, C_OUT)}
    shape = kinds[offset]
    tensors.append(shape and torch.randn(shape, dtype=torch.float64, requires_grad=True))
    return tensors


def formula(x: Tensor, weight: Tensor, graph: Tensor, offset: Tensor | None) -> Tensor:
    graph = graph.expand(N, V, K, V)
    y = torch.einsum("nwkv,kdc,ntvc->ntwd", graph, weight, x)
    return y if offset is None else y + offset


def gradients(y: Tensor, tensors: list[Tensor | None]) -> list[Tensor]:
    torch.manual_seed(1)
    functional = (y * torch.randn(y.shape, dtype=y.dtype)).sum()
    return list(torch.autograd.grad(functional, [t for t in tensors if t is not None]))


@pytest.fixture(params=[1, 3 * V * K * C_IN, 1 << 19], ids=["frame", "few", "all"])
def scratch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Pieces of one frame, of a few, that divide nothing evenly, and the whole batch at once."""
    monkeypatch.setattr(fused, "SCRATCH", request.param)
    return request.param


@pytest.mark.parametrize("aggregate_first", [True, False])
@pytest.mark.parametrize("per_sequence", [True, False])
@pytest.mark.parametrize("offset", ["none", "channel", "joint"])
def test_in_pieces(scratch: int, aggregate_first: bool, per_sequence: bool, offset: str) -> None:
    tensors = inputs(per_sequence, offset)
    y = typed_graph_product(*tensors, aggregate_first)
    expected = formula(*tensors)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-10)
    for a, b in zip(gradients(y, tensors), gradients(expected, tensors), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("aggregate_first", [True, False])
@pytest.mark.parametrize("per_sequence", [True, False])
@pytest.mark.parametrize("offset", ["none", "channel", "joint"])
def test_at_once(
    aggregate_first: bool, per_sequence: bool, offset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What compilers, autocast and accelerators get."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    tensors = inputs(per_sequence, offset)
    y = typed_graph_product(*tensors, aggregate_first)
    expected = formula(*tensors)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-10)
    for a, b in zip(gradients(y, tensors), gradients(expected, tensors), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("aggregate_first", [True, False])
@pytest.mark.parametrize("wanted", list(product([True, False], repeat=4)))
def test_only_the_gradients_asked_for(
    scratch: int, aggregate_first: bool, wanted: tuple[bool, ...]
) -> None:
    tensors = inputs(per_sequence=False, offset="joint")
    for tensor, wants in zip(tensors, wanted, strict=True):
        tensor.requires_grad_(wants)
    y = typed_graph_product(*tensors, aggregate_first)
    assert y.requires_grad == any(wanted)
    if any(wanted):
        asked = [t for t in tensors if t.requires_grad]
        for a, b in zip(gradients(y, asked), gradients(formula(*tensors), asked), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_second_derivatives_are_refused_aloud() -> None:
    tensors = inputs(per_sequence=False, offset="none")
    y = typed_graph_product(*tensors, True)
    (grad,) = torch.autograd.grad(y.square().sum(), tensors[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()

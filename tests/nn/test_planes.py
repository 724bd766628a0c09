"""Graph products on planes: the written-out gradients against autograd's."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from zoo.nn import planes
from zoo.nn.planes import channel_graph_product, refined_graph_product


def channel_inputs() -> list[Tensor]:
    N, T, V, C = 5, 4, 3, 6
    return [torch.randn(N, T, V, C), torch.randn(N, C, V, V)]


def refined_inputs() -> list[Tensor]:
    N, T, V, C, width, K, r = 5, 4, 3, 6, 7, 2, 3
    return [
        torch.randn(N, T, V, width),
        torch.randn(K, C, width),
        torch.randn(K, C),
        torch.randn(N, K, r, V, V),
        torch.randn(K, C, r),
        torch.randn(K, C, V, V),
    ]


@pytest.fixture(params=["channel", "refined"])
def case(request: pytest.FixtureRequest) -> tuple[Callable[..., Tensor], list[Tensor]]:
    torch.manual_seed(0)
    product, inputs = {
        "channel": (channel_graph_product, channel_inputs()),
        "refined": (refined_graph_product, refined_inputs()),
    }[request.param]
    return product, [x.double().requires_grad_() for x in inputs]


def test_sequence_by_sequence_and_autograd_agree(
    case: tuple[Callable[..., Tensor], list[Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    product, inputs = case
    first = product(*inputs)
    monkeypatch.setattr(planes, "plain", lambda x: True)
    second = product(*inputs)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-12)
    weight = torch.randn_like(second)
    for a, b in zip(
        torch.autograd.grad((first * weight).sum(), inputs),
        torch.autograd.grad((second * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_features_without_gradient(case: tuple[Callable[..., Tensor], list[Tensor]]) -> None:
    """The first layer: its input needs none, its weights do."""
    product, (x, *others) = case
    product(x.detach(), *others).square().sum().backward()
    assert all(other.grad is not None for other in others)


def test_strided_features(case: tuple[Callable[..., Tensor], list[Tensor]]) -> None:
    product, (x, *others) = case
    other = x.detach().transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    first, second = product(x, *others), product(other, *others)
    assert torch.equal(first, second)
    first.sum().backward()
    second.sum().backward()
    assert torch.equal(x.grad, other.grad)


def test_the_formula() -> None:
    torch.manual_seed(0)
    h, graphs = channel_inputs()
    expected = torch.einsum("ntvc,ncvw->ntwc", h, graphs)
    torch.testing.assert_close(channel_graph_product(h, graphs), expected)

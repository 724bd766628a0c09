"""AdaptiveSkeletonConv: the published formula, along both paths."""

import math
from functools import cache

import pytest
import torch
from torch import Tensor

from registry import LAYOUTS
from zoo.nn.adaptive import AdaptiveSkeletonConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import PARTITIONS, SkeletonGraph, build_graph


@cache
def typed_graph(layout: str, partition: str) -> SkeletonGraph:
    return build_graph(load_layout(layout), partition)


def make(layout: str, partition: str = "spatial", channels: int = 8) -> AdaptiveSkeletonConv:
    torch.manual_seed(0)
    graph = typed_graph(layout, partition)
    conv = AdaptiveSkeletonConv(3, channels, graph).double()
    with torch.no_grad():
        for p in conv.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return conv


def formula(conv: AdaptiveSkeletonConv, x: Tensor) -> Tensor:
    """As the authors write it: sequence by sequence, subset by subset."""
    out = []
    for sequence in x:
        total: Tensor | float = 0.0
        for k in range(conv.num_types):
            theta, phi = (
                sequence @ conv.embedding_weight[i, k].T + conv.embedding_bias[i, k] for i in (0, 1)
            )
            size = theta.shape[0] * theta.shape[-1]
            similarity = torch.tanh(torch.einsum("tvc,twc->vw", theta, phi) / size)
            adjacency = conv.A[k] + conv.alpha * similarity
            mixed = torch.einsum("vw,tvc->twc", adjacency, sequence)
            total = total + mixed @ conv.weight[k].T + conv.bias[k]
        out.append(total)
    return torch.stack(out)


def result(conv: AdaptiveSkeletonConv, x: Tensor, y: Tensor) -> list[Tensor]:
    torch.manual_seed(1)
    return [
        y,
        *torch.autograd.grad(
            (y * torch.randn(y.shape, dtype=y.dtype)).sum(), [x, *conv.parameters()]
        ),
    ]


def assert_same(first: list[Tensor], second: list[Tensor]) -> None:
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("layout", LAYOUTS.names())
@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("channels", [2, 8])
def test_both_paths_compute_the_formula(layout: str, partition: str, channels: int) -> None:
    conv = make(layout, partition, channels)
    x = torch.randn(2, 3, conv.num_joints, 3, dtype=torch.float64, requires_grad=True)
    fused = result(conv, x, conv(x))
    assert_same(fused, result(conv, x, formula(conv, x)))
    conv.fuse = False
    assert_same(fused, result(conv, x, conv(x)))


@pytest.mark.parametrize("fuse", [True, False])
def test_padding_has_no_say_in_the_graph(fuse: bool) -> None:
    conv = make("kinect-v2")
    conv.fuse = fuse
    x = torch.randn(3, 10, 25, 3, dtype=torch.float64)
    lengths = [10, 4, 7]
    mask = torch.arange(10) < torch.tensor(lengths).unsqueeze(1)
    x[~mask] = 1e3
    together = conv(x, mask)
    for i, length in enumerate(lengths):
        alone = conv(x[i : i + 1, :length])
        torch.testing.assert_close(together[i : i + 1, :length], alone, rtol=0, atol=1e-10)


def test_starts_as_the_skeleton() -> None:
    graph = build_graph(load_layout("kinect-v2"), "spatial")
    conv = AdaptiveSkeletonConv(3, 8, graph)
    x = torch.randn(2, 4, 25, 3)
    expected = graph.adjacency().expand(2, 3, 25, 25)
    torch.testing.assert_close(conv.sequence_adjacency(x), expected)


def test_the_embedding_is_a_quarter() -> None:
    assert make("kinect-v2").embedding_weight.shape == (2, 3, 2, 3)


def test_adjacency_is_bounded_by_the_gate() -> None:
    conv = make("kinect-v2")
    x = 1e3 * torch.randn(2, 4, 25, 3, dtype=torch.float64)
    away = (conv.sequence_adjacency(x) - conv.A).abs().max().item()
    assert away <= conv.alpha.abs().item() + 1e-12
    assert math.isfinite(away)


def test_bf16_autocast_stays_close() -> None:
    conv = make("kinect-v2").float()
    x = torch.randn(2, 6, 25, 3)
    with torch.autocast("cpu", torch.bfloat16):
        y = conv(x)
    torch.testing.assert_close(y.float(), conv(x), rtol=0.1, atol=0.1)

"""SkeletonConv: the formula, the edge path and the fused path are one and the same."""

import copy
import shutil
from functools import cache

import pytest
import torch
from torch import Tensor
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks

from registry import LAYOUTS
from zoo.errors import ConfigError
from zoo.nn.spatial import SkeletonConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import PARTITIONS, SkeletonGraph, build_graph

KINDS = {"fixed": {}, "importance": {"importance": True}, "learnable": {"learnable": True}}


@cache
def typed_graph(layout: str, partition: str) -> SkeletonGraph:
    return build_graph(load_layout(layout), partition)


def kinect(partition: str = "spatial") -> SkeletonGraph:
    return typed_graph("kinect-v2", partition)


def make(graph: SkeletonGraph, order: str = "aggregate", **options: object) -> SkeletonConv:
    """In double precision, nothing at its initial value."""
    torch.manual_seed(0)
    conv = SkeletonConv(3, 4 if order == "aggregate" else 2, graph, **options).double()
    with torch.no_grad():
        for p in conv.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return conv


def formula(conv: SkeletonConv, x: Tensor) -> Tensor:
    """The sum of the docstring, written out."""
    projected = torch.einsum("ntvc,kdc->ntkvd", x, conv.weight) + conv.bias.unsqueeze(1)
    return torch.einsum("ntkvd,kvw->ntwd", projected, conv.adjacency())


def result(conv: SkeletonConv, x: Tensor, y: Tensor) -> list[Tensor]:
    """The output and the gradients of a random functional of it."""
    torch.manual_seed(1)
    grads = torch.autograd.grad(
        (y * torch.randn(y.shape, dtype=y.dtype)).sum(), [x, *conv.parameters()]
    )
    return [y, *grads]


def assert_same(first: list[Tensor], second: list[Tensor]) -> None:
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("layout", LAYOUTS.names())
@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["project", "aggregate"])
def test_both_paths_compute_the_formula(layout: str, partition: str, kind: str, order: str) -> None:
    graph = typed_graph(layout, partition)
    conv = make(graph, order, **KINDS[kind])
    x = torch.randn(2, 3, graph.num_joints, 3, dtype=torch.float64, requires_grad=True)
    fused = result(conv, x, conv(x))
    assert_same(fused, result(conv, x, formula(conv, x)))
    conv.fuse = False
    assert_same(fused, result(conv, x, conv(x)))


@pytest.mark.parametrize("order", ["project", "aggregate"])
def test_which_path_runs_when(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conv = make(kinect(), order)
    x = torch.randn(1, 2, 25, 3, dtype=torch.float64)
    seen: list[str] = []

    def spy(name: str) -> None:
        method = getattr(SkeletonConv, name)

        def wrapped(self: SkeletonConv, *args: object, **kwargs: object) -> Tensor:
            seen.append(name)
            return method(self, *args, **kwargs)

        monkeypatch.setattr(SkeletonConv, name, wrapped)

    spy("message")
    spy("message_and_aggregate")
    conv(x)
    assert seen == ["message_and_aggregate"]
    conv.fuse = False
    conv(x)
    assert seen[1:] == ["message"]
    conv.fuse = True
    set_masks(conv, torch.ones(len(conv.edge_type), dtype=x.dtype), conv.edge_index, False)
    conv(x)
    assert seen[2:] == ["message"]
    clear_masks(conv)
    conv(x)
    assert seen[3:] == ["message_and_aggregate"]


@pytest.mark.parametrize("order", ["project", "aggregate"])
def test_a_masked_edge_is_an_edge_less(order: str) -> None:
    graph = kinect()
    conv = make(graph, order)
    x = torch.randn(2, 3, 25, 3, dtype=torch.float64)
    edge = 17
    keep = torch.ones(len(conv.edge_type), dtype=torch.float64)
    keep[edge] = 0
    set_masks(conv, keep, conv.edge_index, apply_sigmoid=False)
    masked = conv(x)
    clear_masks(conv)
    with torch.no_grad():
        conv.A[conv.edge_type[edge], *conv.edge_index[:, edge]] = 0
    torch.testing.assert_close(masked, conv(x), rtol=0, atol=1e-10)


def test_message_hooks_see_every_edge_once() -> None:
    conv = make(kinect("stgcn_spatial"))
    conv.fuse = False
    shapes = []
    conv.register_message_forward_hook(lambda module, inputs, out: shapes.append(out.shape))
    conv(torch.randn(2, 5, 25, 3, dtype=torch.float64))
    assert shapes == [(2, 5, 25 + 40 + 8, 4)]


def test_edges_are_those_of_the_graph_and_stored_once() -> None:
    graph = kinect()
    conv = SkeletonConv(3, 4, graph)
    assert torch.equal(conv.edge_index, graph.edge_index)
    assert torch.equal(conv.edge_type, graph.edge_type)


@pytest.mark.parametrize("order", ["project", "aggregate"])
def test_a_type_may_have_no_edges(order: str) -> None:
    adjacency = kinect().adjacency()
    adjacency[1] = 0
    conv = make(SkeletonGraph.from_adjacency(adjacency), order)
    x = torch.randn(2, 3, 25, 3, dtype=torch.float64)
    torch.testing.assert_close(conv(x), formula(conv, x), rtol=0, atol=1e-10)
    fused = conv(x)
    conv.fuse = False
    torch.testing.assert_close(conv(x), fused, rtol=0, atol=1e-10)


def test_learnable_graph_joins_all_joints() -> None:
    conv = make(kinect(), learnable=True)
    assert conv.edge_index.shape == (2, 3 * 25 * 25)
    x = torch.randn(2, 3, 25, 3, dtype=torch.float64)
    conv(x).square().sum().backward()
    assert (conv.A.grad != 0).all()


def test_importance_leaves_what_is_no_edge_alone() -> None:
    graph = kinect()
    conv = make(graph, importance=True)
    conv(torch.randn(2, 3, 25, 3, dtype=torch.float64)).square().sum().backward()
    assert ((conv.importance.grad != 0) == (graph.adjacency() != 0)).all()


def test_importance_of_a_learnable_graph_is_refused() -> None:
    with pytest.raises(ConfigError, match="not both"):
        SkeletonConv(3, 4, kinect(), importance=True, learnable=True)


@pytest.mark.parametrize("kind", KINDS)
def test_state_holds_parameters_only(kind: str) -> None:
    conv = SkeletonConv(3, 4, kinect(), **KINDS[kind])
    assert set(conv.state_dict()) == {name for name, _ in conv.named_parameters()}


def test_deep_copy_and_conversion_keep_both_paths() -> None:
    conv = copy.deepcopy(SkeletonConv(3, 4, kinect())).double()
    x = torch.randn(2, 3, 25, 3, dtype=torch.float64)
    fused = conv(x)
    assert fused.dtype == torch.float64
    conv.fuse = False
    torch.testing.assert_close(conv(x), fused, rtol=0, atol=1e-10)


@pytest.mark.parametrize("fuse", [True, False])
def test_inference_mode(fuse: bool) -> None:
    conv = make(kinect())
    conv.fuse = fuse
    x = torch.randn(2, 3, 25, 3, dtype=torch.float64)
    with torch.inference_mode():
        y = conv(x)
    torch.testing.assert_close(y, formula(conv, x), rtol=0, atol=1e-10)


def test_strided_input_gives_the_same() -> None:
    conv = make(kinect())
    x = torch.randn(2, 3, 3, 25, dtype=torch.float64).permute(0, 2, 3, 1)
    assert not x.is_contiguous()
    torch.testing.assert_close(conv(x), conv(x.contiguous()), rtol=0, atol=1e-12)


def test_bf16_autocast_stays_close() -> None:
    conv = SkeletonConv(16, 16, kinect(), importance=True)
    x = torch.randn(2, 3, 25, 16)
    with torch.autocast("cpu", torch.bfloat16):
        y = conv(x)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), conv(x), rtol=0.05, atol=0.05)


@pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="inductor needs a C++ compiler"
)
@pytest.mark.parametrize("fuse", [True, False])
def test_compiled_by_inductor(fuse: bool) -> None:
    torch.compiler.reset()
    conv = make(kinect(), importance=True).float()
    conv.fuse = fuse
    x = torch.randn(2, 3, 25, 3)
    compiled = torch.compile(conv, fullgraph=True)
    torch.testing.assert_close(compiled(x), conv(x), rtol=1e-4, atol=1e-5)

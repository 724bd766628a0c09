"""Graph convolutions with a graph for every channel: as their authors write them."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.adaptive import DynamicSkeletonConv, RefinedSkeletonConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import build_graph


def shaken(conv: nn.Module) -> nn.Module:
    with torch.no_grad():
        for p in conv.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return conv.double().eval()


def refined(in_channels: int = 17) -> RefinedSkeletonConv:
    torch.manual_seed(0)
    graph = build_graph(load_layout("kinect-v2"), "spatial")
    return shaken(RefinedSkeletonConv(in_channels, 6, graph))


def dynamic() -> DynamicSkeletonConv:
    torch.manual_seed(0)
    return shaken(DynamicSkeletonConv(5, 12, 25, groups=4, ratio=0.25))


def refined_formula(conv: RefinedSkeletonConv, x: Tensor) -> Tensor:
    """CTRGC of each subset: maps of all frames, then their mean."""
    total = 0.0
    for k, A in enumerate(conv.A):
        theta, phi = (
            (x @ conv.embedding_weight[i, k].T + conv.embedding_bias[i, k]).mean(1) for i in (0, 1)
        )
        relation = torch.tanh(theta.unsqueeze(2) - phi.unsqueeze(1))  # (N, V, V, r)
        relation = relation @ conv.relation_weight[k].T + conv.relation_bias[k]
        graph = A.unsqueeze(-1) + conv.alpha * relation
        total = total + torch.einsum("nvwc,ntvc->ntwc", graph, x @ conv.weight[k].T + conv.bias[k])
    return total


def dynamic_formula(conv: DynamicSkeletonConv, x: Tensor) -> Tensor:
    """Group by group."""
    h = F.relu(conv.pre_norm(x @ conv.pre.weight.flatten(1).T + conv.pre.bias))
    theta, phi = conv.theta(x).mean(1), conv.phi(x).mean(1)  # (N, V, C)
    outs = []
    for A, own, a, b in zip(conv.A, *(z.split(3, dim=-1) for z in (h, theta, phi)), strict=True):
        correlation = torch.softmax(torch.einsum("nvc,nwc->nvw", a, b), dim=1)
        difference = torch.tanh(a.unsqueeze(2) - b.unsqueeze(1))
        graph = (A + conv.beta * correlation).unsqueeze(-1) + conv.alpha * difference
        outs.append(torch.einsum("nvwc,ntvc->ntwc", graph, own))
    return torch.cat(outs, -1) @ conv.post.weight.flatten(1).T + conv.post.bias


@pytest.mark.parametrize(
    ("conv", "formula"), [(refined(), refined_formula), (dynamic(), dynamic_formula)]
)
def test_it_is_the_formula(conv: nn.Module, formula: object) -> None:
    width = conv.weight.shape[-1] if isinstance(conv, RefinedSkeletonConv) else 5
    x = torch.randn(3, 7, 25, width, dtype=torch.float64, requires_grad=True)
    first, second = conv(x), formula(conv, x)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-10)
    weight = torch.randn_like(first)
    inputs = [x, *conv.parameters()]
    for a, b in zip(
        torch.autograd.grad((first * weight).sum(), inputs),
        torch.autograd.grad((second * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-8)


@pytest.mark.parametrize("conv", [refined(5), dynamic()])
def test_padded_frames_take_no_part(conv: nn.Module) -> None:
    x = torch.randn(2, 7, 25, 5, dtype=torch.float64)
    mask = torch.arange(7) < torch.tensor([[7], [4]])
    x[~mask] = float("nan")
    torch.testing.assert_close(conv(x, mask)[1:, :4], conv(x[1:, :4]))


@pytest.mark.parametrize(("in_channels", "width"), [(3, 8), (16, 8), (17, 2), (64, 8), (128, 16)])
def test_relations_have_the_authors_width(in_channels: int, width: int) -> None:
    assert refined(in_channels).embedding_weight.shape == (2, 3, width, in_channels)


def test_every_sequence_and_channel_has_its_own_graph() -> None:
    conv = dynamic()
    graphs = conv.sequence_graphs(torch.randn(2, 7, 25, 5, dtype=torch.float64))
    assert graphs.shape == (2, 12, 25, 25)
    assert not torch.allclose(graphs[0], graphs[1])
    assert not torch.allclose(graphs[:, 0], graphs[:, 1])


def test_a_new_dynamic_graph_is_the_groups_own() -> None:
    """α and β start at zero: all channels of a group share its random numbers."""
    conv = DynamicSkeletonConv(5, 16, 25, groups=4, ratio=0.25)
    graphs = conv.sequence_graphs(torch.randn(2, 7, 25, 5))
    torch.testing.assert_close(graphs, conv.A.repeat_interleave(4, 0).expand(2, -1, -1, -1))

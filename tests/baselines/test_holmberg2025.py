"""Holmberg 2025 against its equations, and what its graph is allowed to join."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import zoo
from baselines.holmberg2025 import Holmberg2025, MaskedSkeletonConv
from zoo.data.batch import Batch
from zoo.nn.spatial import SkeletonConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import build_graph

KINDS = pytest.mark.parametrize(
    ("masked", "average"), [(True, False), (False, False), (True, True), (False, True)]
)


def moved(conv: MaskedSkeletonConv) -> MaskedSkeletonConv:
    """`conv` in double precision with every parameter off its start."""
    conv = conv.double()
    with torch.no_grad():
        for parameter in conv.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return conv


def edge_by_edge(
    conv: MaskedSkeletonConv, x: Tensor, bones: Tensor, masked: bool, average: bool
) -> Tensor:
    """The formula for one sequence x (T, V, C), one number of one edge after the other."""
    frames, joints, _ = x.shape
    y = x.new_zeros(frames, joints, conv.out_channels)
    for k in range(len(bones)):
        theta, phi = (
            F.linear(x, weight[k], bias[k])
            for weight, bias in zip(conv.embedding_weight, conv.embedding_bias, strict=True)
        )
        for w in range(joints):
            sources = bones[k, :, w].nonzero().flatten().tolist()
            if average and not sources:
                continue
            gathered = x.new_zeros(frames, conv.in_channels)
            for v in range(joints):
                if masked and v not in sources:
                    continue
                alike = torch.tanh((theta[:, v] * phi[:, w]).sum() / theta[:, v].numel())
                gathered = gathered + (conv.A[k, v, w] + conv.alpha * alike) * x[:, v]
            degree = len(sources) if average else 1
            y[:, w] += F.linear(gathered / degree, conv.weight[k]) + conv.bias[k] / degree
    return y


@KINDS
@pytest.mark.parametrize("name", ["kinect-v2", "coco"])
def test_the_convolution_is_its_formula(name: str, masked: bool, average: bool) -> None:
    torch.manual_seed(0)
    graph = build_graph(load_layout(name), "spatial")
    conv = moved(MaskedSkeletonConv(5, 8, graph, masked=masked, average=average))
    x = torch.randn(2, 6, graph.num_joints, 5, dtype=torch.float64)
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    y = conv(x, mask)
    bones = graph.adjacency() > 0
    for n, frames in enumerate([6, 4]):
        expected = edge_by_edge(conv, x[n, :frames], bones, masked, average)
        torch.testing.assert_close(y[n, :frames], expected, rtol=0, atol=1e-12)


@KINDS
def test_edge_and_fused_path_agree(masked: bool, average: bool) -> None:
    torch.manual_seed(0)
    graph = build_graph(load_layout("kinect-v2"), "spatial")
    conv = moved(MaskedSkeletonConv(4, 6, graph, masked=masked, average=average))
    x = torch.randn(2, 5, 25, 4, dtype=torch.float64, requires_grad=True)
    inputs = [x, *conv.parameters()]
    fused = conv(x)
    weight = torch.randn_like(fused)
    gradients = torch.autograd.grad((fused * weight).sum(), inputs)
    conv.fuse = False
    assert conv.edge_index.shape[1] == (73 if masked else 3 * 25 * 25)
    torch.testing.assert_close(conv(x), fused, rtol=0, atol=1e-12)
    for a, b in zip(torch.autograd.grad((conv(x) * weight).sum(), inputs), gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("masked", [True, False])
def test_messages_go_no_further_than_the_mask(masked: bool) -> None:
    """With the mask a joint hears of those it is joined to, without it of all."""
    torch.manual_seed(0)
    layout = load_layout("kinect-v2")
    conv = moved(MaskedSkeletonConv(3, 4, build_graph(layout, "spatial"), masked=masked))
    with torch.no_grad():
        conv.alpha.zero_()  # S itself looks at all joints
    x = torch.randn(1, 4, 25, 3, dtype=torch.float64, requires_grad=True)
    hand = layout.joints.index("HandLeft")
    (gradient,) = torch.autograd.grad(conv(x)[:, :, hand].sum(), x)
    seen = {layout.joints[v] for v in gradient.abs().sum((0, 1, 3)).nonzero().flatten()}
    joined = {
        "HandLeft",
        *(layout.joints[v] for bone in layout.bones if hand in bone for v in bone),
    }
    assert seen == (joined if masked else set(layout.joints))


def test_size_and_structure_are_the_codes() -> None:
    model = zoo.create_model("holmberg2025")
    # Counted in the released code with 25 nodes and two streams.
    assert sum(p.numel() for p in model.parameters()) == 3_408_559
    assert [b.spatial.conv.out_channels for b in model.trunk.blocks] == [256] * 3
    assert model.trunk.blocks[0].residual is None
    assert all(b.temporal.conv.kernel_size == (13, 1) for b in model.trunk.blocks)
    assert all(b.spatial.dropout.p == 0.5 and b.dropout.p == 0 for b in model.trunk.blocks)
    assert [layer.out_features for layer in model.head.layers[::2]] == [64, 1]


def test_dropout_is_before_the_temporal_convolution() -> None:
    torch.manual_seed(0)
    model = Holmberg2025(load_layout("kinect-v2"), width=8).train()
    unit = model.trunk.blocks[0].spatial
    y = unit(torch.randn(2, 10, 25, 6) + 5)
    assert 0.3 < (y == 0).float().mean() < 0.95
    assert (
        Holmberg2025(load_layout("kinect-v2"), width=8, attention=False)
        .trunk.blocks[0]
        .spatial.attention
        is None
    )


def test_streams_are_channels_of_one_graph() -> None:
    layout = load_layout("kinect-v2")
    model = Holmberg2025(layout, streams=["position", "bone", "joint_motion"], width=8)
    assert model.trunk.blocks[0].spatial.conv.in_channels == 9
    streams = {name: torch.randn(2, 12, 25, 3) for name in model.streams}
    assert model(Batch(streams)).score.shape == (2,)
    assert sum(isinstance(m, SkeletonConv) for m in model.modules()) == 3

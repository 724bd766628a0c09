import pytest
import torch
from torch import Tensor

import zoo
from baselines.hdgcn import (
    HDGCN,
    EdgeConv,
    HierarchicalConv,
    HierarchyAttention,
    hierarchical_graphs,
    hierarchy,
)
from registry import LAYOUTS
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.grouped import peak
from zoo.skeleton import load_layout
from zoo.skeleton.graph import hop_distance

SMALL = {"channels": [8, 16], "strides": [1, 2]}
LEVELS = [[0], [1, 3], [2, 4, 5]]


def test_published_size() -> None:
    """The layers of the authors' code with 60 classes and two people; LITERATURE: 1.66 to 1.7 M."""
    model = zoo.create_model("hdgcn")
    ours = sum(p.numel() for p in model.parameters())
    published = ours + 59 * (256 + 1) + 2 * 25 * 3
    assert published == 1_659_980
    assert 1_655_000 <= published <= 1_700_000


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("hdgcn")
    x, mask = torch.randn(2, 18, 25, 3), None
    shapes = []
    for block in model.trunk.blocks:
        x, mask = block(x, mask)
        shapes.append((x.shape[1], x.shape[3]))
    assert shapes == [(18, 64)] * 4 + [(9, 128)] * 3 + [(5, 256)] * 3
    first, *others = model.trunk.blocks
    assert first.residual is None
    assert first.spatial.attention is None
    assert all(b.residual is not None and b.spatial.attention is not None for b in others)
    assert first.spatial.A.shape == (6, 3, 25, 25)


def test_class_defaults_are_the_configurations() -> None:
    bare = HDGCN(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("hdgcn").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}


def test_levels_of_kinect_are_the_authors() -> None:
    """Their lists for the centres 21 and 2, numbered from 1."""
    kinect = load_layout("kinect-v2")
    found = [[joint + 1 for joint in level] for level in hierarchy(kinect)]
    assert found == [
        [21],
        [2, 3, 5, 9],
        [1, 4, 6, 10],
        [7, 11, 13, 17],
        [8, 12, 14, 18],
        [15, 19, 22, 23, 24, 25],
        [16, 20],
    ]
    found = [[joint + 1 for joint in level] for level in hierarchy(kinect, "SpineMid")]
    assert found == [
        [2],
        [1, 21],
        [3, 5, 9, 13, 17],
        [4, 6, 10, 14, 18],
        [7, 11, 15, 19],
        [8, 12, 16, 20],
        [22, 23, 24, 25],
    ]


@pytest.mark.parametrize("layout", LAYOUTS.names())
def test_levels_are_distances_from_the_centre(layout: str) -> None:
    skeleton = load_layout(layout)
    to_center = hop_distance(skeleton)[skeleton.center]
    for distance, level in enumerate(hierarchy(skeleton)):
        assert level == (to_center == distance).nonzero().flatten().tolist()


def test_graphs_join_neighbouring_levels() -> None:
    graphs = hierarchical_graphs(LEVELS)
    assert graphs.shape == (2, 3, 6, 6)
    assert graphs[1, 0].diagonal().tolist() == [0, 1, 1, 1, 1, 1]
    outward = torch.zeros(6, 6)
    outward[[1, 1, 1, 3, 3, 3], [2, 4, 5, 2, 4, 5]] = 1 / 3
    torch.testing.assert_close(graphs[1, 1], outward)
    torch.testing.assert_close(graphs[1, 2], (outward.T > 0) / 2)
    assert graphs[0, 1].nonzero().tolist() == [[0, 1], [0, 3]]


def point_by_point(conv: EdgeConv, x: Tensor) -> Tensor:
    """The equation, one pair of points after the other."""
    N, G, P, C = x.shape
    pairs = torch.zeros(N, P, conv.neighbours, G, C, dtype=x.dtype)
    for n in range(N):
        for g in range(G):
            distance = torch.cdist(x[n, g], x[n, g])
            for i in range(P):
                for slot, j in enumerate(distance[i].argsort()[: conv.neighbours].tolist()):
                    edge = torch.cat([x[n, g, j] - x[n, g, i], x[n, g, i]])
                    pairs[n, i, slot, g] = edge @ conv.weight[g]
    y = torch.nn.functional.leaky_relu(conv.norm(pairs.flatten(3)), 0.2)
    return y.amax(2).unflatten(-1, (G, C)).movedim(2, 1)


def test_edge_convolution_is_its_equation() -> None:
    torch.manual_seed(0)
    conv = EdgeConv(2, 4, neighbours=3).double()
    x = torch.randn(2, 2, 7, 4, dtype=torch.float64)
    torch.testing.assert_close(conv(x), point_by_point(conv, x))


def test_edge_convolution_of_few_points() -> None:
    assert EdgeConv(1, 4, neighbours=5).eval()(torch.randn(2, 1, 2, 4)).shape == (2, 1, 2, 4)


def test_attention_weighs_layers_by_the_peaks_of_real_frames() -> None:
    torch.manual_seed(0)
    attention = HierarchyAttention(8, LEVELS).eval()
    x = torch.randn(2, 7, 6, 2, 8)
    mask = torch.arange(7) < torch.tensor([[7], [4]])
    weights = attention(peak(x, mask))
    assert weights.shape == (2, 2, 8)
    assert ((weights > 0) & (weights < 1)).all()
    torch.testing.assert_close(weights[1:], attention(x[1:, :4].amax(1)))


def layer_by_layer(conv: HierarchicalConv, x: Tensor) -> Tensor:
    """The equations of the paper, one layer and subset after the other."""
    N, T, V, _ = x.shape
    z = torch.relu(conv.reduce(x)).chunk(conv.layers, dim=-1)
    raw = [
        torch.einsum("vw,ntvc->ntwc", conv.A[i, s], z[i]) @ conv.weight[i, s] + conv.bias[i, s]
        for i in range(conv.layers)
        for s in range(3)
    ]
    parts = conv.subset_norm(torch.cat(raw, dim=-1)).split(z[0].shape[-1], dim=-1)
    edges = conv.edge(torch.stack([part.mean(1) for part in z], dim=1))
    y = [
        torch.cat([*parts[3 * i : 3 * i + 3], edges[:, i].unsqueeze(1).expand(N, T, V, -1)], -1)
        for i in range(conv.layers)
    ]
    stacked = torch.stack(y, dim=3)
    total = stacked.sum(3)
    if conv.attention is not None:
        total = (stacked * conv.attention(stacked.amax(1))[:, None, None]).sum(3)
    return torch.relu(conv.norm(total) + conv.down(x))


@pytest.mark.parametrize("attention", [True, False])
def test_convolution_is_the_papers_equations(attention: bool) -> None:
    torch.manual_seed(0)
    conv = HierarchicalConv(3, 8, LEVELS, attention=attention).double().eval()
    torch.nn.init.ones_(conv.norm.weight)
    x = torch.randn(2, 4, 6, 3, dtype=torch.float64)
    torch.testing.assert_close(conv(x), layer_by_layer(conv, x), rtol=0, atol=1e-10)


def test_another_centre() -> None:
    model = HDGCN(load_layout("kinect-v2"), center="SpineBase", **SMALL)
    assert model.trunk.blocks[0].spatial.layers == 7
    assert model(Batch({"position": torch.randn(2, 8, 25, 3)})).score.shape == (2,)


def test_settings_that_cannot_be_built() -> None:
    with pytest.raises(ConfigError, match="1 channels and 2 strides"):
        HDGCN(load_layout("coco"), channels=[8], strides=[1, 1])
    with pytest.raises(ConfigError, match="multiples of 4"):
        HDGCN(load_layout("coco"), channels=[6], strides=[1])

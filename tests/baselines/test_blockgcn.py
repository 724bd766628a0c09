import pytest
import torch
from scipy.sparse.csgraph import minimum_spanning_tree
from torch import Tensor

import zoo
from baselines.blockgcn import BlockConv, BlockGCN, DynamicTopology, barcode
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout
from zoo.skeleton.graph import hop_distance

SMALL = {"channels": [8, 16], "strides": [1, 2], "groups": 4, "elements": 6}


def test_published_size() -> None:
    """The layers of the authors' code with 60 classes, two persons and their bones."""
    model = zoo.create_model("blockgcn", layout="kinect-v2-agcn")
    ours = sum(p.numel() for p in model.parameters())
    assert ours + 59 * (256 + 1) + 2 * 25 * 128 == 1_373_020


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("blockgcn")
    assert [b.temporal.widths[0] * 4 for b in model.trunk.blocks] == [128] * 4 + [256] * 6
    assert [b.stride for b in model.trunk.blocks] == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert model.extract(Batch({"position": torch.randn(2, 18, 25, 3)}))[0].shape == (2, 5, 25, 256)
    spatial = model.trunk.blocks[-1].spatial
    assert spatial.weight.shape == (3, 8, 32, 32)
    assert spatial.encoding.shape == (3, 8, 12)
    assert (spatial.encoding == 0).all()
    assert all(torch.equal(m, torch.eye(25)) for m in spatial.M.flatten(0, 1))
    assert [shape.map.out_features for shape in model.shapes] == [128] * 5 + [256] * 5


def test_class_defaults_are_the_configurations() -> None:
    bare = BlockGCN(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("blockgcn").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}


def group_by_group(conv: BlockConv, x: Tensor) -> Tensor:
    """The equations of the paper, one subset and group after the other."""
    y = torch.zeros(*x.shape[:3], conv.bias.shape[1], dtype=x.dtype)
    for i in range(3):
        outputs = []
        for g, part in enumerate(x.chunk(conv.groups, dim=-1)):
            M, E = conv.M[i, g], conv.encoding[i, g][conv.hops]
            graph = M / (M.square().sum(0).sqrt() + 1e-4) + E / (E.square().sum(0).sqrt() + 1e-4)
            outputs.append(torch.einsum("vw,ntvc->ntwc", graph, part) @ conv.weight[i, g].T)
        y = y + torch.cat(outputs, dim=-1) + conv.bias[i]
    return torch.relu(conv.norm(y) + conv.down(x))


@pytest.mark.parametrize("out_channels", [8, 12])
def test_convolution_is_the_papers_equations(out_channels: int) -> None:
    torch.manual_seed(0)
    hops = hop_distance(load_layout("coco"))
    conv = BlockConv(8, out_channels, hops, groups=4).double().eval()
    for parameter in conv.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(2, 4, 17, 8, dtype=torch.float64)
    torch.testing.assert_close(conv(x), group_by_group(conv, x), rtol=0, atol=1e-10)


def test_the_encoding_of_equal_distances_is_shared() -> None:
    conv = BlockConv(4, 4, hop_distance(load_layout("coco")), groups=2)
    torch.nn.init.zeros_(conv.M)
    torch.nn.init.normal_(conv.encoding)
    columns = torch.linalg.vector_norm(conv.encoding[:, :, conv.hops], dim=-2, keepdim=True)
    graphs = conv.graphs() * (columns + 1e-4)
    for hop in range(int(conv.hops.max()) + 1):
        entries = graphs[:, :, conv.hops == hop]
        torch.testing.assert_close(entries, conv.encoding[:, :, hop, None].expand_as(entries))


def test_barcode_is_the_minimum_spanning_tree() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 6, 25, 3, dtype=torch.float64)
    found = barcode(x).sort(dim=1).values
    for n in range(4):
        mean = x[n].mean(0)
        distance = torch.cdist(mean, mean)
        tree = minimum_spanning_tree((distance / distance.max()).numpy())
        torch.testing.assert_close(found[n], torch.from_numpy(tree.data).sort().values)


def test_barcode_knows_neither_place_nor_size_nor_padding() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 6, 17, 3)
    torch.testing.assert_close(barcode(3 * x + 5), barcode(x))
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    masked = barcode(x * mask[:, :, None, None], mask)
    torch.testing.assert_close(masked[1:], barcode(x[1:, :4]))


def test_joints_at_one_place() -> None:
    assert (barcode(torch.ones(1, 2, 5, 3)) == 0).all()


def test_structure_elements() -> None:
    topology = DynamicTopology(2)
    with torch.no_grad():
        topology.centers.copy_(torch.tensor([[0.0, 0.5], [0.1, 0.0]]))
        topology.sharpness.copy_(torch.tensor([[1.0, 2.0], [3.0, 1.0]]))
    found = topology(torch.tensor([[0.5, 1.0]]))
    first = torch.tensor([0.0, 1.0])  # (2 · 0)², (2 · 0.5)²
    second = 0.3**2 + torch.tensor([0.25, 1.0])
    expected = torch.stack([(-first).exp().sum(), (-second).exp().sum()])
    torch.testing.assert_close(found[0], expected)


def test_without_dynamic_topology() -> None:
    model = BlockGCN(load_layout("coco"), **SMALL | {"elements": 0})
    assert not any("topology" in name or "shapes" in name for name, _ in model.named_parameters())
    assert model(Batch({"position": torch.randn(2, 8, 17, 3)})).score.shape == (2,)


def test_settings_that_cannot_be_built() -> None:
    with pytest.raises(ConfigError, match="1 channels and 2 strides"):
        BlockGCN(load_layout("coco"), channels=[8], strides=[1, 1])
    with pytest.raises(ConfigError, match="multiples of groups=8"):
        BlockGCN(load_layout("coco"), channels=[12], strides=[1])

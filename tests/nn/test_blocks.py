import pytest
import torch
from torch import Tensor, nn

from zoo.nn.blocks import GraphUnit, SpaceTimeBlock, STGCNBlock, shortcut
from zoo.nn.multibranch import CTRGCN_BRANCHES, MultiBranchConv
from zoo.nn.temporal import TemporalConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import build_graph

GRAPH = build_graph(load_layout("kinect-v2"), "spatial")


def test_block_is_the_papers_sequence_of_layers() -> None:
    torch.manual_seed(0)
    block = STGCNBlock(3, 8, GRAPH, stride=2, importance=True).eval()
    x = torch.randn(2, 9, 25, 3)
    y = block.spatial.norm(block.spatial.conv(x))
    assert (y >= 0).all()
    expected = torch.relu(block.temporal(y) + block.residual(x))
    out, mask = block(x)
    torch.testing.assert_close(out, expected)
    assert out.shape == (2, 5, 25, 8)
    assert mask is None


def test_input_is_left_as_it_was() -> None:
    block = STGCNBlock(3, 3, GRAPH)
    x = torch.randn(2, 9, 25, 3)
    before = x.clone()
    block(x)
    assert torch.equal(x, before)


def test_shortcut_fits_the_shape() -> None:
    assert STGCNBlock(8, 8, GRAPH, residual=False).residual is None
    assert isinstance(shortcut(8, 8, 1), nn.Identity)
    for c_out, stride in ((8, 2), (16, 1), (16, 2)):
        branch = shortcut(8, c_out, stride)
        assert isinstance(branch, TemporalConv)
        assert branch(torch.randn(2, 9, 25, 8)).shape == (2, -(-9 // stride), 25, c_out)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_masked_frames_do_not_reach_real_ones(stride: int) -> None:
    torch.manual_seed(0)
    block = STGCNBlock(3, 8, GRAPH, stride=stride).eval()
    x = torch.randn(3, 12, 25, 3)
    lengths = torch.tensor([12, 5, 1])
    mask = torch.arange(12) < lengths.unsqueeze(1)
    x[~mask] = 100.0
    out, out_mask = block(x, mask)
    for i, length in enumerate(lengths.tolist()):
        alone, _ = block(x[i : i + 1, :length])
        assert out_mask[i].sum() == alone.shape[1]
        torch.testing.assert_close(out[i : i + 1][:, out_mask[i]], alone)


def test_dropout_acts_in_training_only() -> None:
    block = STGCNBlock(3, 8, GRAPH, dropout=0.5)
    x = torch.randn(2, 9, 25, 3)
    assert not torch.equal(block(x)[0], block(x)[0])
    block.eval()
    assert torch.equal(block(x)[0], block(x)[0])


class Linear(nn.Module):
    """A spatial layer that remembers the mask it was given."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.map = nn.Linear(in_channels, out_channels)
        self.mask: Tensor | None = None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.mask = mask
        y: Tensor = self.map(x)
        return y


def block_of(in_channels: int, out_channels: int, *, stride: int = 1, **kind) -> SpaceTimeBlock:
    """A block of `Linear` and the branches of CTR-GCN."""
    temporal = MultiBranchConv(out_channels, out_channels, CTRGCN_BRANCHES, stride=stride)
    spatial = Linear(in_channels, out_channels)
    return SpaceTimeBlock(spatial, temporal, in_channels, out_channels, stride=stride, **kind)


def test_space_time_block_is_its_formula() -> None:
    torch.manual_seed(0)
    block = block_of(3, 8, stride=2).eval()
    x = torch.randn(2, 9, 5, 3)
    y, mask = block(x)
    assert mask is None
    expected = torch.relu(block.temporal(block.spatial(x)) + block.residual(x))
    torch.testing.assert_close(y, expected)
    assert y.shape == (2, 5, 5, 8)


def test_without_a_residual() -> None:
    block = block_of(4, 4, residual=False).eval()
    x = torch.randn(2, 9, 5, 4)
    torch.testing.assert_close(block(x)[0], torch.relu(block.temporal(block.spatial(x))))


def test_another_relu_after_the_branches() -> None:
    torch.manual_seed(0)
    block = block_of(4, 4, relu=True).eval()
    x = torch.randn(2, 9, 5, 4)
    branches = torch.relu(block.temporal(block.spatial(x)))
    torch.testing.assert_close(block(x)[0], torch.relu(branches + x))


def test_padding_changes_no_real_frame() -> None:
    torch.manual_seed(0)
    block = block_of(4, 4, stride=2).eval()
    x = torch.randn(2, 9, 5, 4)
    mask = torch.arange(9) < torch.tensor([[9], [5]])
    y, strided = block(x, mask)
    assert block.spatial.mask is mask
    assert strided.tolist() == mask[:, ::2].tolist()
    torch.testing.assert_close(y[1:, :3], block(x[1:, :5])[0])


@pytest.mark.parametrize("down", [True, False])
def test_graph_unit_is_its_formula(down: bool) -> None:
    torch.manual_seed(0)
    unit = GraphUnit(Linear(4, 4), 4, 4, down=down).eval()
    x = torch.randn(2, 9, 5, 4)
    y = unit.conv(x) / (1 + unit.norm.eps) ** 0.5
    torch.testing.assert_close(unit(x), torch.relu(y + x if down else y))
    assert (GraphUnit(Linear(4, 8), 4, 8, closed=True).norm.weight == 1e-6).all()

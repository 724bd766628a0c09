import pytest
import torch
from torch import nn

from zoo.errors import ConfigError
from zoo.nn.blocks import STGCNBlock, STGCNTrunk, shortcut
from zoo.nn.temporal import TemporalConv
from zoo.skeleton import build_graph, load_layout

GRAPH = build_graph(load_layout("kinect-v2"), "spatial")


def test_block_is_the_papers_sequence_of_layers() -> None:
    torch.manual_seed(0)
    block = STGCNBlock(3, 8, GRAPH, stride=2, importance=True).eval()
    x = torch.randn(2, 9, 25, 3)
    y = block.norm(block.spatial(x))
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


def test_trunk_is_norm_and_blocks() -> None:
    torch.manual_seed(0)
    trunk = STGCNTrunk(3, GRAPH, [4, 4, 8], [1, 2, 1], kernel_size=3, importance=True).eval()
    assert [b.residual is None for b in trunk.blocks] == [True, False, False]
    x = torch.randn(2, 9, 25, 3)
    mask = torch.arange(9) < torch.tensor([[9], [6]])
    dirty = x.masked_fill(~mask[..., None, None], float("nan"))
    y, out_mask = trunk(dirty, mask)
    assert y.shape == (2, 5, 25, 8)
    assert out_mask is not None
    assert out_mask.sum(1).tolist() == [5, 3]
    short, _ = trunk(x[1:, :6])
    torch.testing.assert_close(y[1:, :3], short)


def test_trunk_needs_a_stride_for_each_width() -> None:
    with pytest.raises(ConfigError, match="1 channels and 2 strides"):
        STGCNTrunk(3, GRAPH, [4], [1, 1])

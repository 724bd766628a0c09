import pytest
import torch
from torch import nn

from zoo.nn.hops import HopAttention, HopBlock
from zoo.skeleton import load_layout
from zoo.skeleton.graph import hop_distance


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("hops", [1, 2])
def test_attention_stays_near_and_looks_back(hops: int, cell: type[nn.LSTM] | type[nn.GRU]) -> None:
    """A joint and a frame influence those within so many bones, from that frame on."""
    torch.manual_seed(0)
    distance = hop_distance(load_layout("coco"))
    layer = HopAttention(3, 4, distance <= hops, cell).eval()
    x = torch.randn(1, 6, 17, 3)
    moved = x.clone()
    moved[:, 3, 9] += 1
    changed = (layer(moved) != layer(x)).any(-1)[0]
    assert not changed[:3].any()
    assert changed[3].tolist() == (distance[9] <= hops).tolist()
    assert changed[4:, distance[9] > hops].sum() == 0


def test_weights_of_a_joint_sum_to_one() -> None:
    """Where all joints carry the same features, every joint gathers just those."""
    torch.manual_seed(0)
    layer = HopAttention(3, 4, hop_distance(load_layout("coco")) <= 1)
    x = torch.randn(2, 5, 1, 3).expand(2, 5, 17, 3)
    torch.testing.assert_close(layer(x), torch.relu(layer.project(x)))


def test_block_is_zero_in_padded_frames() -> None:
    torch.manual_seed(0)
    hops = hop_distance(load_layout("coco"))
    block = HopBlock(3, 4, 2, 3, [3, 4], hops, 0.0).eval()
    x = torch.randn(2, 9, 17, 3)
    mask = torch.arange(9) < torch.tensor([[9], [5]])
    y = block(x * mask[..., None, None], mask)
    assert y.shape == (2, 9, 17, 4)
    assert not y[1, 5:].any()
    torch.testing.assert_close(y[1:, :5], block(x[1:, :5]))

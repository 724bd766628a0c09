from functools import partial

import pytest
import torch
from torch import nn

from zoo.errors import ConfigError
from zoo.nn.blocks import STGCNBlock
from zoo.nn.norm import InputNorm
from zoo.nn.trunk import JointEmbedding, Trunk, require_one_each
from zoo.skeleton import load_layout
from zoo.skeleton.graph import build_graph

GRAPH = build_graph(load_layout("kinect-v2"), "spatial")
BLOCK = partial(STGCNBlock, graph=GRAPH, kernel_size=3, importance=True)


def test_trunk_is_norm_and_blocks() -> None:
    torch.manual_seed(0)
    trunk = Trunk(InputNorm(25, 3), BLOCK, 3, [4, 4, 8], [1, 2, 1]).eval()
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
        Trunk(nn.Identity(), BLOCK, 3, [4], [1, 1])
    with pytest.raises(ConfigError, match="each stage needs one"):
        require_one_each("stage", channels=[], depths=[])


def test_what_is_added_goes_into_its_block() -> None:
    class Twice(nn.Module):
        def forward(self, x, mask):
            return 2 * x, mask

    trunk = Trunk(nn.Identity(), lambda *widths, **kind: Twice(), 3, [3, 3], [1, 1])
    y, _ = trunk(torch.zeros(1, 2, 4, 3), None, [torch.ones(3), torch.full((3,), 5.0)])
    assert (y == 2 * (2 + 5)).all()


def test_joint_embedding_is_its_formula() -> None:
    torch.manual_seed(0)
    stem = JointEmbedding(4, 3, 8)
    x = torch.randn(2, 5, 4, 3)
    expected = stem.norm(x @ stem.embedding.weight.T + stem.embedding.bias + stem.joints)
    torch.testing.assert_close(stem(x), expected)

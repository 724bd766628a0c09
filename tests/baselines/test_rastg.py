import torch

import zoo
from baselines.rastg import TemporalAttention
from zoo.data.batch import Batch


def test_published_size() -> None:
    """LITERATURE 2.3: 1.79 M, counted in the authors' code on 25 joints.

    215 of them (a batch normalisation of 75 inputs, a linear layer from 64 to 1) are never used.
    """
    model = zoo.create_model("rastg")
    assert sum(p.numel() for p in model.parameters()) == 1_788_056 - 2 * 75 - 65


def test_structure_is_the_codes() -> None:
    model = zoo.create_model("rastg")
    blocks = model.trunk.blocks
    assert [b.spatial.conv.out_channels for b in blocks] == [64] * 4 + [128] * 3 + [256] * 3
    assert [b.stride for b in blocks] == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert all(b.temporal.conv.kernel_size == (3, 1) for b in blocks)
    assert all(b.dropout.p == 0.3 and b.spatial.conv.importance is None for b in blocks)
    assert blocks[0].residual is None
    assert model.attention.attention.heads == 8
    x, _ = model.trunk(torch.randn(1, 20, 25, 3))
    assert x.shape == (1, 5, 25, 256)
    assert [layer.out_features for layer in model.head.layers[::2]] == [128, 1]


def test_attention_is_along_time_at_each_joint() -> None:
    torch.manual_seed(0)
    layer = TemporalAttention(8, 2)
    x = torch.randn(2, 6, 5, 8)
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    y = layer(x, mask)
    for n, frames in enumerate([6, 4]):
        for joint in range(5):
            alone = layer.attention(x[n : n + 1, :frames, joint])[0][0]
            torch.testing.assert_close(y[n, :frames, joint], alone)


def test_any_stream() -> None:
    model = zoo.create_model("rastg-small", streams=["bone", "joint_motion"])
    batch = Batch({name: torch.randn(2, 8, 25, 3) for name in ("bone", "joint_motion")})
    assert model(batch).score.shape == (2,)

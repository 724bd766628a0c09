import pytest
import torch
from torch import Tensor

import zoo
from baselines.aagcn import AAGCN, AttendedUnit, STCAttention
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.spatial import SkeletonConv
from zoo.skeleton import load_layout

SMALL = {"channels": [4, 4, 8], "strides": [1, 1, 2]}


def test_published_size() -> None:
    """LITERATURE: 3,766,355 with one output and one person, counted in the authors' code."""
    model = zoo.create_model("aagcn")
    assert sum(p.numel() for p in model.parameters()) == 3_766_355


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("aagcn")
    assert [b.spatial.conv.out_channels for b in model.trunk.blocks] == [64] * 4 + [128] * 3 + [
        256
    ] * 3
    assert [b.stride for b in model.trunk.blocks] == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert model.trunk.blocks[0].residual is None
    assert [(a != 0).sum().item() for a in model.trunk.blocks[0].spatial.conv.A] == [25, 24, 24]
    assert all(b.spatial.conv.alpha.item() == 0 for b in model.trunk.blocks)
    assert all(isinstance(b.spatial, AttendedUnit) for b in model.trunk.blocks)


def step_by_step(attention: STCAttention, y: Tensor) -> Tensor:
    """The three equations one after the other, as the authors write them."""
    se = torch.sigmoid(attention.joints(y.mean(1).transpose(1, 2)))  # (N, 1, V)
    y = y * se.reshape(len(y), 1, -1, 1) + y
    se = torch.sigmoid(attention.frames(y.mean(2).transpose(1, 2)))  # (N, 1, T)
    y = y * se.reshape(len(y), -1, 1, 1) + y
    hidden = torch.relu(attention.squeeze(y.mean((1, 2))))
    return y * torch.sigmoid(attention.excite(hidden)).reshape(len(y), 1, 1, -1) + y


@pytest.mark.parametrize("joints", [25, 22, 5])
def test_attention_is_the_three_equations(joints: int) -> None:
    torch.manual_seed(0)
    attention = STCAttention(6, joints).double()
    for p in attention.parameters():
        torch.nn.init.normal_(p)
    y = torch.randn(2, 11, joints, 6, dtype=torch.float64, requires_grad=True)
    if joints % 2 == 0:
        assert attention.joints.kernel_size == (joints - 1,)
    first, second = attention(y), step_by_step(attention, y)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-12)
    weight = torch.randn_like(first)
    inputs = [y, *attention.parameters()]
    for a, b in zip(
        torch.autograd.grad((first * weight).sum(), inputs),
        torch.autograd.grad((second * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_attention_ignores_padding() -> None:
    torch.manual_seed(0)
    attention = STCAttention(6, 25)
    for p in attention.parameters():
        torch.nn.init.normal_(p)
    y = torch.randn(2, 11, 25, 6)
    mask = torch.arange(11) < torch.tensor([[11], [4]])
    y[~mask] = 50.0
    torch.testing.assert_close(attention(y, mask)[1:, :4], attention(y[1:, :4]))


def test_without_attention() -> None:
    model = AAGCN(load_layout("kinect-v2"), attention=False, **SMALL)
    assert not any(isinstance(b.spatial, AttendedUnit) for b in model.trunk.blocks)
    assert model(Batch({"position": torch.randn(2, 8, 25, 3)})).score.shape == (2,)


def test_channels_and_strides_must_match() -> None:
    with pytest.raises(ConfigError, match="2 channels and 3 strides"):
        AAGCN(load_layout("kinect-v2"), channels=[4, 4], strides=[1, 1, 1])


def test_edge_and_fused_path_agree_in_the_whole_network() -> None:
    torch.manual_seed(0)
    model = AAGCN(load_layout("kinect-v2"), **SMALL).double().eval()
    with torch.no_grad():
        for block in model.trunk.blocks:
            block.spatial.conv.alpha.fill_(0.7)
            block.spatial.norm.weight.fill_(1.0)
    batch = Batch({"position": torch.randn(2, 8, 25, 3, dtype=torch.float64)})
    fused = model(batch).score
    for module in model.modules():
        if isinstance(module, SkeletonConv):
            module.fuse = False
    torch.testing.assert_close(model(batch).score, fused, rtol=0, atol=1e-10)

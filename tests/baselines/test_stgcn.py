import pytest
import torch

import zoo
from baselines.stgcn import STGCN
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.errors import ConfigError
from zoo.nn.spatial import SkeletonConv
from zoo.skeleton import load_layout

SMALL = {"channels": [4, 4, 8], "strides": [1, 1, 2]}


def test_published_size() -> None:
    """LITERATURE: 3,083,669 with one output, counted in the authors' code."""
    model = zoo.create_model("stgcn")
    assert sum(p.numel() for p in model.parameters()) == 3_083_669


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("stgcn")
    assert [b.spatial.conv.out_channels for b in model.trunk.blocks] == [64] * 4 + [128] * 3 + [
        256
    ] * 3
    assert [b.stride for b in model.trunk.blocks] == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert model.trunk.blocks[0].residual is None
    assert all(b.residual is not None for b in model.trunk.blocks[1:])
    assert all(b.spatial.conv.importance is not None for b in model.trunk.blocks)
    assert all(b.dropout.p == 0.5 for b in model.trunk.blocks)
    counts = [(a != 0).sum().item() for a in model.trunk.blocks[0].spatial.conv.A]
    assert counts == [25, 40, 8]


def test_class_defaults_are_the_configurations() -> None:
    bare = STGCN(load_layout("kinect-v2"))
    configured = zoo.create_model("stgcn")
    shapes = {k: v.shape for k, v in bare.state_dict().items()}
    assert shapes == {k: v.shape for k, v in configured.state_dict().items()}


@pytest.mark.parametrize("stream", STREAM_CHANNELS)
def test_any_stream(stream: str) -> None:
    model = STGCN(load_layout("kinect-v2"), streams=[stream], **SMALL)
    x = torch.randn(2, 8, 25, STREAM_CHANNELS[stream])
    assert model(Batch({stream: x})).score.shape == (2,)


def test_streams_side_by_side() -> None:
    model = STGCN(load_layout("kinect-v2"), streams=["position", "orientation"], **SMALL)
    assert model.trunk.blocks[0].spatial.conv.in_channels == 7
    batch = Batch({"position": torch.randn(2, 8, 25, 3), "orientation": torch.randn(2, 8, 25, 4)})
    assert model(batch).score.shape == (2,)


def test_channels_and_strides_must_match() -> None:
    with pytest.raises(ConfigError, match="2 channels and 3 strides"):
        STGCN(load_layout("kinect-v2"), channels=[4, 4], strides=[1, 1, 1])


def test_edge_and_fused_path_agree_in_the_whole_network() -> None:
    torch.manual_seed(0)
    model = STGCN(load_layout("kinect-v2"), **SMALL).double().eval()
    batch = Batch({"position": torch.randn(2, 8, 25, 3, dtype=torch.float64)})
    fused = model(batch).score
    for module in model.modules():
        if isinstance(module, SkeletonConv):
            module.fuse = False
    torch.testing.assert_close(model(batch).score, fused, rtol=0, atol=1e-10)


def test_learns_a_score_that_is_in_the_movement() -> None:
    """Amplitude of one arm is the score: a few steps must find most of it."""
    torch.manual_seed(0)
    target = torch.linspace(-1.5, 1.5, 24)
    t = torch.linspace(0, 6.3, 20)
    x = 0.05 * torch.randn(24, 20, 25, 3)
    x[:, :, 7, 1] += (2 + target).unsqueeze(1) * torch.sin(t)
    model = STGCN(load_layout("kinect-v2"), channels=[8, 8], strides=[1, 2], dropout=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(80):
        loss = (model(Batch({"position": x})).score - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 * target.square().mean().item()

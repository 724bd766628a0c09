import pytest
import torch

import zoo
from baselines.stgcnpp import STGCNPP
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.spatial import SkeletonConv
from zoo.skeleton import load_layout

SMALL = {"channels": [6, 6, 12], "strides": [1, 1, 2]}


def test_published_size() -> None:
    """LITERATURE: 1,403,144 with 60 classes, counted in the authors' code."""
    model = zoo.create_model("stgcnpp")
    ours = sum(p.numel() for p in model.parameters())
    assert ours == 1_387_981
    assert ours + 59 * (256 + 1) == 1_403_144


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("stgcnpp")
    assert [b.spatial.conv.out_channels for b in model.trunk.blocks] == [64] * 4 + [128] * 3 + [
        256
    ] * 3
    assert [b.stride for b in model.trunk.blocks] == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert model.trunk.blocks[0].residual is None
    assert [(a != 0).sum().item() for a in model.trunk.blocks[0].spatial.conv.A] == [25, 24, 24]
    assert all(isinstance(b.spatial.conv.A, torch.nn.Parameter) for b in model.trunk.blocks)
    assert model.trunk.blocks[0].temporal.widths == [14, 10, 10, 10, 10, 10]
    assert [c.dilation[0] for c in model.trunk.blocks[0].temporal.convs] == [1, 2, 3, 4]


def test_class_defaults_are_the_configurations() -> None:
    bare = STGCNPP(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("stgcnpp").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}


def test_streams_side_by_side() -> None:
    model = STGCNPP(load_layout("kinect-v2"), streams=["position", "orientation"], **SMALL)
    assert model.trunk.blocks[0].spatial.conv.in_channels == 7
    batch = Batch({"position": torch.randn(2, 8, 25, 3), "orientation": torch.randn(2, 8, 25, 4)})
    assert model(batch).score.shape == (2,)


def test_channels_and_strides_must_match() -> None:
    with pytest.raises(ConfigError, match="2 channels and 3 strides"):
        STGCNPP(load_layout("kinect-v2"), channels=[6, 6], strides=[1, 1, 1])


def test_edge_and_fused_path_agree_in_the_whole_network() -> None:
    torch.manual_seed(0)
    model = STGCNPP(load_layout("kinect-v2"), **SMALL).double().eval()
    batch = Batch({"position": torch.randn(2, 8, 25, 3, dtype=torch.float64)})
    fused = model(batch).score
    for module in model.modules():
        if isinstance(module, SkeletonConv):
            module.fuse = False
    torch.testing.assert_close(model(batch).score, fused, rtol=0, atol=1e-10)

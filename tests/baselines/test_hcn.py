from typing import Any

import pytest
import torch
from torch import nn

import zoo
from baselines.hcn import HCN
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_sizes_of_the_reimplementation() -> None:
    """Its layers (huguyuehuhu/HCN-pytorch, 64 frames) with one output, added up by hand."""
    stream = (3 * 64 + 64) + (3 * 64 * 64 + 64) + (9 * 25 * 32 + 32) + (9 * 32 * 64 + 64)
    both = (9 * 128 * 128 + 128) + (9 * 128 * 256 + 256)
    model = HCN(load_layout("kinect-v2"), frames=64, image=64, hidden=512)
    assert count(model) == 2 * stream + both + (256 * 4 * 4 * 512 + 512) + 513
    assert count(zoo.create_model("hcn")) == 769_729


def test_shapes_are_the_papers() -> None:
    model = zoo.create_model("hcn").eval()
    assert model.position(torch.randn(2, 32, 25, 3)).shape == (2, 64, 8, 8)
    batch = Batch({"position": torch.randn(2, 40, 25, 3)})
    assert model.images(batch).shape == (2, 256, 2, 2)
    assert model(batch).features.shape == (2, 256)


def test_a_joint_is_by_itself_until_joints_are_channels() -> None:
    torch.manual_seed(0)
    stream = HCN(load_layout("coco")).position
    x = torch.randn(1, 8, 17, 3)
    moved = x.clone()
    moved[:, :, 4] += 1
    changed = (stream.conv2(stream.conv1(moved)) != stream.conv2(stream.conv1(x))).any(-1)[0]
    assert changed[:, 4].all()
    assert changed.sum() == 8
    assert stream.conv3.in_channels == 17


def test_a_still_body_has_no_motion() -> None:
    torch.manual_seed(0)
    model = HCN(load_layout("coco")).eval()
    seen = []
    model.motion.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(Batch({"position": torch.randn(2, 1, 17, 3).expand(-1, 9, -1, -1)}))
    assert seen[0].shape == (2, 32, 17, 3)
    torch.testing.assert_close(seen[0], torch.zeros_like(seen[0]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frames": 40}, "multiples of 16"),
        ({"image": 8}, "multiples of 16"),
        ({"channels": [4, 4]}, "last four"),
    ],
)
def test_refuses(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        HCN(load_layout("coco"), **settings)

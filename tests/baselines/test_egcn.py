from typing import Any

import pytest
import torch

import zoo
from baselines.egcn import EGCN
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

STGCN = 3_083_669
"""ST-GCN with one output on 25 joints, three channels in (LITERATURE 4)."""
SMALL = {"channels": [4, 8], "strides": [1, 2], "dropout": 0.0}


@pytest.mark.parametrize(
    ("fusion", "size"),
    [
        ("model", 2 * STGCN - 257),  # the position head is never read
        ("decision", 2 * STGCN - 1),  # two biases that are added are one
        ("feature", 2 * (STGCN - 257) + 512 * 512 + 512 + 512 + 1),
    ],
)
def test_published_sizes(fusion: str, size: int) -> None:
    """Two of the code's ST-GCNs, both with three channels, and what each fusion adds."""
    model = EGCN(load_layout("kinect-v2"), streams=["position", "angle"], fusion=fusion)
    assert sum(p.numel() for p in model.parameters()) == size


def test_size_with_quaternions() -> None:
    """One channel more: its scale and shift at 25 joints and 3 × 64 weights."""
    model = zoo.create_model("egcn")
    assert sum(p.numel() for p in model.parameters()) == 2 * STGCN - 257 + 50 + 192


def test_model_level_multiplies_the_feature_maps() -> None:
    torch.manual_seed(0)
    model = EGCN(load_layout("coco"), **SMALL).eval()
    batch = Batch({"position": torch.randn(2, 8, 17, 3), "orientation": torch.randn(2, 8, 17, 4)})
    maps = [
        trunk(batch.x[name])[0] for name, trunk in zip(model.streams, model.trunks, strict=True)
    ]
    assert maps[0].shape == (2, 4, 17, 8)
    expected = model.head((maps[0] * maps[1]).mean((1, 2))).score
    torch.testing.assert_close(model(batch).score, expected)


@pytest.mark.parametrize("fusion", ["feature", "decision"])
def test_the_other_levels_pool_first(fusion: str) -> None:
    torch.manual_seed(0)
    model = EGCN(load_layout("coco"), fusion=fusion, **SMALL).eval()
    batch = Batch({"position": torch.randn(2, 8, 17, 3), "orientation": torch.randn(2, 8, 17, 4)})
    pooled = [
        trunk(batch.x[n])[0].mean((1, 2))
        for n, trunk in zip(model.streams, model.trunks, strict=True)
    ]
    torch.testing.assert_close(model(batch).features, torch.cat(pooled, 1))
    if fusion == "decision":
        line = model.head.layers[0]
        each = [p @ w for p, w in zip(pooled, line.weight[0].split(8), strict=True)]
        torch.testing.assert_close(model(batch).score, each[0] + each[1] + line.bias)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"fusion": "data"}, "choose one of"), ({"streams": ["position"]}, "joins two")],
)
def test_refuses(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EGCN(load_layout("coco"), **settings)

import pytest
import torch
from torch import nn

import zoo
from baselines.dstgcnt import DSTGCNT
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

SMALL = {"channels": 4, "branch_channels": 2, "width": 8, "heads": 2, "hidden": 8}


def test_blocks_are_dense_and_recurrent() -> None:
    """Each block sees the input and all outputs before its own."""
    model = zoo.create_model("dstgcnt")
    assert [b.first.in_channels for b in model.blocks] == [3, 3 + 48, 3 + 96]
    assert all(isinstance(hop.cell, nn.GRU) for b in model.blocks for hop in b.hops)
    assert model.encoder.embed.in_features == 25 * 3 * 48
    assert model.blocks_of(Batch({"position": torch.randn(2, 10, 25, 3)})).shape == (2, 10, 25, 144)


def test_features_are_those_of_the_formula() -> None:
    torch.manual_seed(0)
    model = DSTGCNT(load_layout("coco"), blocks=2, **SMALL).eval()
    x = torch.randn(2, 8, 17, 3)
    first = model.blocks[0](x)
    second = model.blocks[1](torch.cat([x, first], -1))
    expected = torch.cat([first, second], -1)
    torch.testing.assert_close(model.blocks_of(Batch({"position": x})), expected)


def test_knows_the_order_of_frames() -> None:
    torch.manual_seed(0)
    model = DSTGCNT(load_layout("coco"), blocks=1, **SMALL).eval()
    x = torch.randn(1, 12, 17, 3)
    forwards, backwards = (model(Batch({"position": y})).score for y in (x, x.flip(1)))
    assert not torch.allclose(forwards, backwards, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"blocks": 0}, "at least one"), ({"width": 15}, "even"), ({"width": 18}, "heads=4")],
)
def test_refuses(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DSTGCNT(load_layout("coco"), **settings)

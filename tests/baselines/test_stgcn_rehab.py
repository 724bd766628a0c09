import pytest
import torch
from torch import nn

import zoo
from baselines.stgcn_rehab import STGCNRehab
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import Layout, load_layout


def keras_count(model: nn.Module) -> int:
    """Parameters with one bias a gate, as Keras counts."""
    named = model.named_parameters()
    return sum(p.numel() for name, p in named if ".bias_hh" not in name)


def chain(joints: int) -> Layout:
    names = tuple(f"j{i}" for i in range(joints))
    return Layout("chain", names, tuple(range(-1, joints - 1)))


def test_published_sizes() -> None:
    """The code's layers on 25 joints; LITERATURE 2.4: 586,545 on the 18 of Rehab-Pile."""
    assert keras_count(zoo.create_model("stgcn-rehab")) == 712_209
    assert keras_count(STGCNRehab(chain(18))) == 586_545


def test_shapes_are_the_codes() -> None:
    model = zoo.create_model("stgcn-rehab")
    x = torch.randn(2, 10, 25, 3)
    assert model.blocks[0](x).shape == (2, 10, 25, 48)
    assert model.blocks[0].hops[0](torch.randn(2, 10, 25, 67)).shape == (2, 10, 25, 64)
    assert [b.kernel_size[0] for b in model.blocks[1].branches] == [9, 15, 20]
    assert [c.forwards.hidden_size for c in model.cells] == [80, 40, 40, 80]
    assert model.cells[0].forwards.input_size == 25 * 48
    assert model(Batch({"position": x})).features.shape == (2, 80)


def test_every_block_but_the_first_adds_its_input() -> None:
    torch.manual_seed(0)
    model = STGCNRehab(load_layout("coco"), channels=4, branch_channels=2, recurrent=[4]).eval()
    x = torch.randn(2, 8, 17, 3)
    y = model.blocks[0](x)
    y = y + model.blocks[1](y)
    y = y + model.blocks[2](y)
    torch.testing.assert_close(model.blocks_of(Batch({"position": x})), y)


def test_needs_one_of_each() -> None:
    with pytest.raises(ConfigError, match="at least one of each"):
        STGCNRehab(load_layout("coco"), recurrent=[])

"""The contract of a model: what its base class does, and what other modules are taken for."""

from pathlib import Path

import pytest
import torch
from torch import nn

import registry
import zoo
from registry import HEADS
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, DataError
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel, contract_of
from zoo.skeleton import load_layout

COCO = load_layout("coco")
MASK = torch.arange(6) < torch.tensor([[6], [4]])


class Net(ScoreModel):
    """Linear features of each joint."""

    def __init__(self, layout, *, streams=("position",), joints=True, pooled=False):
        super().__init__(layout, streams)
        self.map = nn.Linear(self.in_channels, 8)
        self.head = MSEHead.of(8)
        self.joints, self.pooled = joints, pooled

    def extract(self, batch):
        x = self.map(self.stacked(batch))
        if self.pooled:
            return x.amax((1, 2)), None
        return (x if self.joints else x.amax(2)), batch.mask


class Plain(nn.Module):
    def forward(self, batch):
        return Prediction(batch.stream("position").mean((1, 2, 3)))


def batch() -> Batch:
    x = torch.randn(2, 6, 17, 3, generator=torch.Generator().manual_seed(0))
    return Batch({"position": x, "bone": x + 1}, MASK)


@pytest.mark.parametrize("kind", [{}, {"joints": False}, {"pooled": True}], ids=str)
def test_the_head_sees_one_vector_a_sequence(kind) -> None:
    torch.manual_seed(0)
    model = Net(COCO, **kind).eval()
    answer = model(batch())
    features, mask = model.extract(batch())
    assert answer.features.shape == (2, 8)
    if kind.get("pooled"):
        torch.testing.assert_close(answer.features, features)
    else:
        assert mask is not None
        real = [f[m].flatten(0, -2).mean(0) for f, m in zip(features, mask, strict=True)]
        torch.testing.assert_close(answer.features, torch.stack(real))
    expected = answer.features @ model.head.layers[0].weight.T + model.head.layers[0].bias
    torch.testing.assert_close(answer.output, expected)
    assert torch.equal(answer.score, answer.output[:, 0])


def test_streams_stand_side_by_side_and_padding_is_zero() -> None:
    model = Net(COCO, streams=["bone", "position"])
    assert (model.streams, model.in_channels, model.num_joints) == (("bone", "position"), 6, 17)
    x = model.stacked(batch())
    assert torch.equal(x[0, ..., :3], batch().x["bone"][0])
    assert not x[1, 4:].any()
    with pytest.raises(ConfigError, match="twice"):
        Net(COCO, streams=["bone", "bone"])
    with pytest.raises(DataError, match="made for"):
        Net(load_layout("kinect-v2"))(batch())


def test_the_contract_of_a_score_model() -> None:
    model = Net(COCO)
    contract = contract_of(model)
    assert contract.streams == ("position",)
    assert contract.head is model.head
    assert not contract.raw
    assert not contract.closed_form
    assert not contract.attention_maps(batch())
    assert contract.attention_rollup(batch()) is None


def test_what_a_plain_module_is_taken_for() -> None:
    contract = contract_of(Plain())
    assert contract.streams == ("position",)
    assert (contract.raw, contract.head, contract.fit) == (False, None, None)
    assert contract.attention_rollup(batch()) is None
    plain = Plain()
    plain.streams, plain.raw, plain.fit = "bone", True, lambda batch, target: None
    contract = contract_of(plain)
    assert (contract.streams, contract.raw) == (("bone",), True)
    assert contract.closed_form
    plain.streams = ["bnoe"]
    with pytest.raises(ConfigError, match="Did you mean 'bone'"):
        contract_of(plain)


@pytest.mark.parametrize("name", ["mean", "knn-bones", "ridge-pose", "features-ridge"])
def test_closed_form_models_have_a_fit(name) -> None:
    contract = contract_of(zoo.create_model(name))
    assert contract.closed_form
    assert contract.head is None


def test_a_head_of_ones_own_stands_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "absolute.py"
    file.write_text(
        "from registry import register_head\n"
        "from zoo.nn.heads import Head\n\n\n"
        '@register_head("absolute")\n'
        "class AbsoluteHead(Head):\n"
        "    def __init__(self, layers, power=1.0):\n"
        "        super().__init__(layers)\n"
        "        self.power = power\n\n"
        "    def loss(self, output, target):\n"
        "        return ((output[:, 0] - target).abs() ** self.power).mean()\n"
    )
    try:
        assert registry.add_plugin(file) == ["absolute"]
        assert HEADS.get("absolute").owner == str(file)
        model = zoo.create_model("gru", head={"name": "absolute", "power": 2.0})
        assert type(model.head).__name__ == "AbsoluteHead"
        loss = model.head.loss(torch.tensor([[1.0], [4.0]]), torch.tensor([0.0, 1.0]))
        assert float(loss) == 5
        with pytest.raises(ConfigError, match="Did you mean 'power'"):
            zoo.create_model("gru", head={"name": "absolute", "powr": 2.0})
    finally:
        HEADS.forget("absolute")


def test_every_head_is_there_by_name() -> None:
    assert set(HEADS.names()) == {
        "mse", "huber", "gaussian", "usdl", "ordinal", "po-cf", "musdl", "core", "gp",
        "masked-joints",
    }  # fmt: skip

from dataclasses import replace

import pytest
import torch
from torch import nn

import zoo
from baselines.hbrnn import HBRNN, five_parts
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout


@pytest.mark.parametrize("layout", ["kinect-v2", "coco", "uiprmd-vicon"])
def test_every_joint_is_in_one_of_five_parts(layout: str) -> None:
    made = load_layout(layout)
    parts = five_parts(made)
    assert len(parts) == 5
    assert sorted(j for joints in parts.values() for j in joints) == list(range(made.num_joints))


def test_hierarchy_is_the_papers() -> None:
    """Parts, limbs with the trunk, halves, body: both directions of each go up."""
    model = zoo.create_model("hbrnn")
    widths = {name: layer.forwards.input_size for name, layer in model.parts.items()}
    assert widths["trunk"] == 5 * 3
    assert widths["left_arm"] == 6 * 3
    assert widths["right_leg"] == 4 * 3
    assert all(layer.forwards.input_size == 4 * 30 for layer in model.limbs.values())
    assert model.arms.forwards.input_size == model.legs.forwards.input_size == 4 * 60
    assert model.body.forwards.input_size == 4 * 60
    layers = [*model.parts.values(), *model.limbs.values(), model.arms, model.legs]
    assert all(isinstance(layer.forwards, nn.RNN) for layer in layers)
    assert isinstance(model.body.forwards, nn.LSTM)
    assert all(layer.backwards is not None for layer in [*layers, model.body])
    assert model(Batch({"position": torch.randn(2, 6, 25, 3)})).features.shape == (2, 160)


def test_a_layout_without_parts_is_refused() -> None:
    layout = load_layout("coco")
    parts = {name: joints for name, joints in layout.parts.items() if name != "left_leg"}
    with pytest.raises(ConfigError, match="no joints for left_leg"):
        HBRNN(replace(layout, parts=parts))


def test_four_widths() -> None:
    with pytest.raises(ConfigError, match="a width each"):
        HBRNN(load_layout("coco"), hidden=[4, 4])

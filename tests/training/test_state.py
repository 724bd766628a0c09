import pytest
import torch
from torch import nn

from zoo.errors import CheckpointError
from zoo.training.config import TrainerConfig
from zoo.training.state import clone_weights, load_optimizer, load_weights, optimizer_tensors
from zoo.training.trainer import make_optimizer


def step(model, optimizer):
    optimizer.zero_grad()
    model(torch.ones(2, 3, 4, 4)).sum().backward()
    optimizer.step()


@pytest.mark.parametrize("name", ["adamw", "sgd"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_an_optimiser_goes_on_bit_by_bit(name, momentum):
    config = TrainerConfig(optimizer=name, momentum=momentum)
    model = nn.Conv2d(3, 2, 3).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(model, config)
    step(model, optimizer)
    weights, memory = clone_weights(model), optimizer_tensors(model, optimizer)
    memory = {k: v.contiguous() for k, v in memory.items()}  # as files hold them
    other = nn.Conv2d(3, 2, 3).to(memory_format=torch.channels_last)
    restored = make_optimizer(other, config)
    load_weights(other, weights)
    load_optimizer(other, restored, memory)
    for _ in range(3):
        step(model, optimizer)
        step(other, restored)
    assert torch.equal(model.weight, other.weight)
    assert torch.equal(model.bias, other.bias)
    if name == "adamw":
        kept = restored.state[other.weight]["exp_avg"]
        assert kept.stride() == optimizer.state[model.weight]["exp_avg"].stride()


def test_copies_do_not_change_with_the_model():
    model = nn.Linear(2, 1)
    before = clone_weights(model)
    with torch.no_grad():
        model.weight.add_(1)
    assert not torch.equal(before["weight"], model.weight)


def test_other_weights_are_refused_by_name_and_shape():
    with pytest.raises(CheckpointError, match=r"weight has shape \(1, 2\).*model's has \(1, 3\)"):
        load_weights(nn.Linear(3, 1), clone_weights(nn.Linear(2, 1)))
    with pytest.raises(CheckpointError, match=r"bias is missing"):
        load_weights(nn.Linear(2, 1), {"weight": torch.zeros(1, 2)})
    with pytest.raises(CheckpointError, match=r"extra is not in the model"):
        load_weights(nn.ReLU(), {"extra": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="float64"):
        load_weights(nn.Linear(2, 1), clone_weights(nn.Linear(2, 1).double()))
    many = {str(i): torch.zeros(1) for i in range(9)}
    with pytest.raises(CheckpointError, match="and 6 more"):
        load_weights(nn.ReLU(), many)


def test_a_closed_form_models_tensors_take_the_stored_shape():
    model = nn.Module()
    model.register_buffer("known", torch.zeros(0, 3))
    model.register_buffer("later", None)
    model.weight = nn.Parameter(torch.zeros(0))
    weights = {"known": torch.ones(4, 3), "later": torch.ones(2), "weight": torch.ones(3)}
    with pytest.raises(CheckpointError):
        load_weights(model, weights)
    load_weights(model, weights, free_shapes=True)
    assert torch.equal(model.known, torch.ones(4, 3))
    assert torch.equal(model.later, torch.ones(2))
    assert torch.equal(model.weight, torch.ones(3))


def test_foreign_optimiser_state_is_refused():
    model = nn.Linear(2, 1)
    optimizer = make_optimizer(model, TrainerConfig())
    with pytest.raises(CheckpointError, match="unknown entry 'exp_avg/other'"):
        load_optimizer(model, optimizer, {"exp_avg/other": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="unknown entry '__class__/weight'"):
        load_optimizer(model, optimizer, {"__class__/weight": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"exp_avg/weight has shape \(2,\)"):
        load_optimizer(model, optimizer, {"exp_avg/weight": torch.zeros(2)})


def test_state_that_is_no_tensor_is_refused():
    class Odd(nn.Module):
        def get_extra_state(self):
            return {"anything": 1}

        def set_extra_state(self, state):
            pass

    with pytest.raises(CheckpointError, match="_extra_state.*only tensors can be kept"):
        clone_weights(Odd())

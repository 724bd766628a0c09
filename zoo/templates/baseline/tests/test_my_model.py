"""What every model of the zoo has to do. Keep these tests; add those of your own ideas."""

import pytest
import torch
from my_model.model import MyModel
from torch import Tensor

import zoo
from zoo.catalogue import card
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.skeleton import load_layout

N, T = 3, 20


@pytest.fixture(params=["kinect-v2", "coco"])
def layout(request: pytest.FixtureRequest) -> str:
    """Two skeletons, so that no number of joints is taken for granted."""
    return request.param


@pytest.fixture
def model(layout: str) -> MyModel:
    """The model as the zoo makes it, with the numbers of my_model.yaml."""
    torch.manual_seed(0)
    return zoo.create_model("my_model", layout=layout).eval()


@pytest.fixture
def batch(model: MyModel, layout: str) -> Batch:
    """Random movement in the streams the model asks for."""
    torch.manual_seed(1)
    joints = load_layout(layout).num_joints
    return Batch({name: torch.randn(N, T, joints, STREAM_CHANNELS[name]) for name in model.streams})


def score(model: MyModel, batch: Batch) -> Tensor:
    """The scores, without gradients."""
    with torch.no_grad():
        return model(batch).score


def padded(batch: Batch, frames: int = 5) -> Batch:
    """The same sequences with NaN behind their ends, and the mask that says so."""
    nan = {name: torch.full_like(x[:, :frames], torch.nan) for name, x in batch.x.items()}
    mask = (torch.arange(T + frames) < T).expand(N, -1)
    return Batch({name: torch.cat([x, nan[name]], 1) for name, x in batch.x.items()}, mask)


def test_card_is_found() -> None:
    """The YAML file beside the module has the model's name and a readable card."""
    assert card("my_model").title != "my_model"


def test_one_finite_score_a_sequence(model: MyModel, batch: Batch) -> None:
    """The score is (N,), not (N, 1), and no NaN."""
    assert score(model, batch).shape == (N,)
    assert score(model, batch).isfinite().all()


def test_sequences_do_not_see_each_other(model: MyModel, batch: Batch) -> None:
    """A person's score does not depend on who else is in the batch, nor on the order."""
    one = batch.select(torch.tensor([1]))
    torch.testing.assert_close(score(model, one), score(model, batch)[1:2])


def test_padding_is_left_out(model: MyModel, batch: Batch) -> None:
    """Frames that the mask calls padding do not count, whatever stands in them."""
    torch.testing.assert_close(score(model, padded(batch)), score(model, batch))


def test_every_parameter_learns(model: MyModel, batch: Batch) -> None:
    """A parameter without a gradient is dead weight; a NaN there ends the training."""
    model.train()(padded(batch)).score.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name

"""`zoo.explain.gradients`: exact on a line, complete on networks."""

import numpy as np
import pytest
import torch

from zoo.data.batch import Prediction
from zoo.errors import DataError
from zoo.explain.gradients import integrated_gradients
from zoo.explain.sample import samples_of
from zoo.prediction import Predictor


def test_a_line_is_taken_apart_exactly(linear) -> None:
    sample, exact = linear
    found = integrated_gradients(sample)
    np.testing.assert_allclose(found.joint_time, exact, atol=1e-4)
    assert found.baseline_score == 30.0
    assert found.score == pytest.approx(30.0 + float(exact.sum()), abs=1e-4)


def test_against_the_own_mean_pose_every_joint_comes_to_its_movement(linear) -> None:
    sample, _ = linear
    x, weight = sample.batch.x["position"][0], sample.model.weight.detach()
    found = integrated_gradients(sample, baseline="still")
    exact = 8.0 * (weight * (x - x.mean(0))).sum(-1)
    np.testing.assert_allclose(found.joint_time, exact, atol=1e-4)


class Squares(torch.nn.Module):
    """A sum of squares: its gradient at the sample is twice what the path gives."""

    def forward(self, batch):
        return Prediction(sum(x.square().sum((1, 2, 3)) for x in batch.x.values()))


def test_a_curve_and_several_streams(make_sample) -> None:
    x, q = torch.randn(6, 25, 3), torch.randn(6, 25, 4)
    found = integrated_gradients(make_sample(Squares(), x, orientation=q))
    exact = 8.0 * (x.square().sum(-1) + q.square().sum(-1))
    np.testing.assert_allclose(found.joint_time, exact, rtol=1e-4)


@pytest.mark.parametrize("name", ["d2sta", "stgcn"])
def test_contributions_add_up_to_the_difference_of_the_scores(trained, name) -> None:
    predictor = Predictor.open(trained.run(name), data_root=trained.data_root)
    sample = samples_of(predictor, trained.unseen(name))[0]
    found = integrated_gradients(sample)
    assert abs(found.joint_time.sum() - (found.score - found.baseline_score)) <= 0.1
    assert found.joint_time.shape == (16, 25)
    assert np.abs(found.joint_time).max() > 0
    assert "training people's mean pose" in found.note


class Kink(torch.nn.Module):
    """Changes by 5 within a thousandth of the way: few gradients miss it."""

    def forward(self, batch):
        return Prediction(5 * torch.clamp(1000 * (batch.x["position"][:, 0, 0, 0] - 0.3), 0, 1))


def test_more_gradients_are_taken_where_few_do_not_suffice(make_sample) -> None:
    x = torch.zeros(4, 25, 3)
    x[0, 0, 0] = 1.0
    found = integrated_gradients(make_sample(Kink(), x), steps=2)
    assert "512 steps" in found.note
    missing = abs(found.joint_time.sum() - 40.0)
    assert f"by {missing:.2g} points" in found.note


class Quartic(torch.nn.Module):
    """One gradient halfway misses the difference of the scores by 0.04 points, two by nothing."""

    def forward(self, batch):
        return Prediction(0.01 * batch.x["position"][:, 0, 0, 0] ** 4)


@pytest.mark.parametrize(("digits", "steps"), [(2, 1), (4, 2)])
def test_small_scores_are_explained_more_exactly(make_sample, digits, steps) -> None:
    x = torch.zeros(4, 25, 3)
    x[0, 0, 0] = 1.0
    sample = make_sample(Quartic(), x)
    sample.trained.run.digits = digits
    assert f"{steps} steps" in integrated_gradients(sample, steps=1).note


def test_parameters_are_as_before(linear) -> None:
    sample, _ = linear
    integrated_gradients(sample)
    assert sample.model.weight.requires_grad
    assert sample.model.weight.grad is None


def test_a_model_without_gradient_is_told_what_to_use(trained) -> None:
    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    sample = samples_of(predictor, trained.unseen("mean"))[0]
    with pytest.raises(DataError, match="mean has no gradient.*occlusion"):
        integrated_gradients(sample)


class LeavesTorch(torch.nn.Module):
    """A model that computes with numpy, as those of scikit-learn do."""

    streams = ("position",)

    def forward(self, batch):
        return Prediction(torch.from_numpy(batch.stream("position").numpy().sum((1, 2, 3))))


def test_a_model_that_leaves_torch_has_no_gradient(make_sample) -> None:
    with pytest.raises(DataError, match="LeavesTorch has no gradient.*Use occlusion"):
        integrated_gradients(make_sample(LeavesTorch(), torch.randn(4, 25, 3)))

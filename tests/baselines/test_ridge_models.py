"""Ridge on the mean pose and on the motion: what each of them sees."""

import torch

import zoo
from zoo.data.batch import Batch


def people(count: int = 12) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    pose = torch.randn(count, 1, 25, 3, generator=generator)
    return pose + 0.1 * torch.randn(count, 40, 25, 3, generator=generator).cumsum(1)


def fitted(name: str) -> torch.nn.Module:
    model = zoo.create_model(name)
    model.fit(Batch({"position": people()}), torch.linspace(-1, 1, 12))
    return model


def test_pose_sees_the_place_and_not_the_order_of_frames() -> None:
    model, x = fitted("ridge-pose"), people()
    score = model(Batch({"position": x})).score
    shuffled = x[:, torch.randperm(40)]
    torch.testing.assert_close(
        model(Batch({"position": shuffled})).score, score, rtol=1e-4, atol=1e-5
    )
    assert (model(Batch({"position": x + 0.5})).score - score).abs().max() > 1e-3


def test_motion_sees_the_order_of_frames_and_not_the_place() -> None:
    model, x = fitted("ridge-motion"), people()
    score = model(Batch({"position": x})).score
    elsewhere = x + torch.randn(12, 40, 1, 3)
    torch.testing.assert_close(
        model(Batch({"position": elsewhere})).score, score, rtol=1e-4, atol=1e-4
    )
    assert (model(Batch({"position": x.flip(1)})).score - score).abs().max() > 1e-3


def test_motion_has_frames_by_joints_by_three_weights() -> None:
    assert fitted("ridge-motion").regressor.weight.shape == (20 * 75,)
    assert fitted("ridge-pose").regressor.weight.shape == (75,)

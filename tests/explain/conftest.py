"""Samples of models whose attributions can be worked out by hand."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.explain.sample import Sample
from zoo.skeleton import load_layout
from zoo.training.config import TrainerConfig
from zoo.training.evaluate import TrainedModel

SCALE, OFFSET = 8.0, 30.0


class Linear(nn.Module):
    """score = Σ w x over frames, joints and coordinates."""

    streams = ("position",)

    def __init__(self, frames: int, joints: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(frames, joints, 3))

    def forward(self, batch: Batch) -> Prediction:
        return Prediction((batch.stream("position") * self.weight).sum((1, 2, 3)))


@pytest.fixture
def make_sample() -> Callable[..., Sample]:
    """Makes a sample of z-scored positions x (T, V, 3) before a model, on ``kinect-v2``."""

    def make(model: nn.Module, x: Tensor, **streams: Tensor) -> Sample:
        target, scaler = TargetScaler(), StreamScaler("zscore")
        target.scale, target.offset = SCALE, OFFSET
        named = SimpleNamespace(
            model=SimpleNamespace(name=type(model).__name__),
            dataset=SimpleNamespace(score_range=(0.0, 50.0)),
        )
        run = SimpleNamespace(record=named, digits=2)
        trained = TrainedModel(
            run,  # type: ignore[arg-type]
            model.eval(),
            "kinect-v2",
            scaler,
            target,
            torch.device("cpu"),
            TrainerConfig(),
            None,  # type: ignore[arg-type]
        )
        batch = Batch({"position": x[None], **{k: v[None] for k, v in streams.items()}})
        return Sample(trained, None, 0, (0, len(x)), 30.0, batch, x, "m")  # type: ignore[arg-type]

    return make


@pytest.fixture
def linear(make_sample: Callable[..., Sample]) -> tuple[Sample, Tensor]:
    """A sample of a linear model, and its exact contributions in points (T, V)."""
    torch.manual_seed(0)
    frames, joints = 12, load_layout("kinect-v2").num_joints
    model, x = Linear(frames, joints), torch.randn(frames, joints, 3)
    return make_sample(model, x), SCALE * (model.weight * x).sum(-1).detach()

"""Models that do what a sweep has to survive; named with --plugin, so it is never imported."""

import os
import signal
import time
from pathlib import Path

import torch
from torch import nn

from registry import register_model
from zoo.data.batch import Batch, Prediction


class Line(nn.Module):
    streams = ("position",)

    def __init__(self, layout):
        super().__init__()
        self.line = nn.Linear(layout.num_joints, 1)
        self.dropout = nn.Dropout(0.2)

    def forward(self, batch: Batch) -> Prediction:
        x = batch.stream("position")
        speed = (x[:, 1:] - x[:, :-1]).norm(dim=-1).mean(1)
        return Prediction(self.line(self.dropout(speed)).squeeze(-1))


@register_model("toy-line")
class Quick(Line):
    """Trains in no time, or waits `pause` seconds a batch; prints, as models do."""

    def __init__(self, layout, pause: float = 0.0):
        super().__init__(layout)
        self.pause = pause

    def forward(self, batch: Batch) -> Prediction:
        time.sleep(self.pause)
        print("a line that is no news")
        return super().forward(batch)


@register_model("toy-failing")
class Failing(Line):
    """Fails unless `mended` exists."""

    def __init__(self, layout, mended: str = ""):
        super().__init__(layout)
        self.mended = mended

    def forward(self, batch: Batch) -> Prediction:
        if self.mended and Path(self.mended).exists():
            return super().forward(batch)
        raise RuntimeError("the toy is broken")


@register_model("toy-dying")
class Dying(Line):
    """Kills its process while it trains."""

    def forward(self, batch: Batch) -> Prediction:
        if self.training:
            os.write(2, b"last words of the toy\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(batch)


@register_model("toy-mean")
class Mean(nn.Module):
    """Closed form."""

    streams = ("position",)

    def __init__(self, layout):
        super().__init__()
        self.register_buffer("score", torch.zeros(()))

    def fit(self, batch: Batch, target: torch.Tensor) -> None:
        self.score = target.mean()

    def forward(self, batch: Batch) -> Prediction:
        return Prediction(self.score.expand(batch.size))


@register_model("toy-refusing")
class Refusing(Line):
    """Cannot be built."""

    def __init__(self, layout):
        raise RuntimeError("no such toy")

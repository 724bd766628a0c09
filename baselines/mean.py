"""The mean training score: what any model has to beat."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.data.batch import Batch, Prediction
from zoo.nn.model import ScoreModel
from zoo.skeleton.layout import Layout


class MeanScore(ScoreModel):
    """Gives everybody the mean score of the training set and never looks at the movement.

    It has nothing to learn by gradient: `fit` sets it once.

    Args:
        layout: ignored, as is all of the skeleton.
        streams: one stream the data has, to count the sequences.
    """

    constant: Tensor

    def __init__(self, layout: Layout, *, streams: str | Sequence[str] = ("position",)) -> None:
        super().__init__(layout, streams)
        self.register_buffer("constant", torch.zeros(()))

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Remember the mean of `target` (N,) in standardised units."""
        self.constant.copy_(target.mean())

    def forward(self, batch: Batch) -> Prediction:
        """The same score for every sequence of the batch."""
        x = batch.stream(self.streams[0])
        return Prediction(score=self.constant.expand(x.shape[0]).clone())

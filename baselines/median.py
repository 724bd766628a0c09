"""The median training score: the constant with the smallest mean absolute error."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.data.batch import Batch, Prediction
from zoo.nn.model import ScoreModel
from zoo.skeleton.layout import Layout


class MedianScore(ScoreModel):
    """Gives everybody the median score of the training set and never looks at the movement.

    No constant has a smaller mean absolute deviation from the training scores.

    Args:
        layout: ignored, as is all of the skeleton.
        streams: one stream the data has, to count the sequences.
    """

    raw = True
    median: Tensor

    def __init__(self, layout: Layout, *, streams: str | Sequence[str] = ("position",)) -> None:
        super().__init__(layout, streams)
        self.register_buffer("median", torch.zeros(()))

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Remember the median of `target` (N,); of an even number the mean of the middle two."""
        self.median.copy_(target.quantile(0.5))

    def forward(self, batch: Batch) -> Prediction:
        """The same score for every sequence of the batch."""
        x = batch.stream(self.streams[0])
        return Prediction(score=self.median.expand(x.shape[0]).clone())

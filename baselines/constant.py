"""Constants: the mean or the median training score, and the mean of each clinical group.

What any model has to beat, and how far the diagnosis alone gets.
"""

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

    draws = False
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


class MedianScore(MeanScore):
    """Gives everybody the median score of the training set and never looks at the movement.

    No constant has a smaller mean absolute deviation from the training scores.
    """

    raw = True

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Remember the median of `target` (N,); of an even number the mean of the middle two."""
        self.constant.copy_(target.quantile(0.5))


class GroupMean(MeanScore):
    """Gives everybody the mean training score of their clinical group.

    It never looks at the movement, only at `Batch.group`. A person of no group, of one that was
    not in the training set, or of whom nothing is known gets the mean of all training scores.
    """

    raw = True
    groups: Tensor
    means: Tensor

    def __init__(self, layout: Layout, *, streams: str | Sequence[str] = ("position",)) -> None:
        super().__init__(layout, streams=streams)
        self.register_buffer("groups", torch.zeros(0, dtype=torch.long))
        self.register_buffer("means", torch.zeros(0))

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Remember the mean of `target` (N,), in standardised units, as a whole and by group."""
        super().fit(batch, target)
        code = self._codes(batch)
        self.groups = code[code >= 0].unique()
        self.means = target.new_tensor([float(target[code == g].mean()) for g in self.groups])

    def forward(self, batch: Batch) -> Prediction:
        """The mean score of each sequence's group."""
        same = self._codes(batch)[:, None] == self.groups
        score = torch.where(same, self.means, 0.0).sum(1)
        return Prediction(score=torch.where(same.any(1), score, self.constant))

    def _codes(self, batch: Batch) -> Tensor:
        """The group of each sequence (N,) long; -1 for none."""
        x = batch.stream(self.streams[0])
        if batch.group is None:
            return torch.full(x.shape[:1], -1, device=x.device)
        return batch.group

"""The mean training score of each clinical group: how far the diagnosis alone gets."""

from collections.abc import Sequence

import torch
from torch import Tensor

from baselines.mean import MeanScore
from zoo.data.batch import Batch, Prediction
from zoo.skeleton.layout import Layout


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

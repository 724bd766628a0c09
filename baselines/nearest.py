"""One nearest neighbour: the score of the training sample that looks most alike."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from zoo.data.batch import Batch, Prediction
from zoo.errors import TrainingError
from zoo.nn.model import ScoreModel
from zoo.skeleton.layout import Layout


class NearestNeighbour(ScoreModel, ABC):
    """Remembers all training samples and gives the score of the nearest one.

    The distance is Euclidean between descriptions (N, D), each of the D values standardised with
    mean and deviation over the training samples (a constant one is only centred), as
    scikit-learn's ``StandardScaler`` and ``KNeighborsRegressor(1)`` do.

    Args:
        layout: the skeleton.
        size: D, the number of values in a description.
    """

    raw = True
    mean: Tensor
    scale: Tensor
    known: Tensor
    scores: Tensor

    def __init__(self, layout: Layout, size: int) -> None:
        super().__init__(layout, "position")
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.register_buffer("known", torch.zeros(0, size))
        self.register_buffer("scores", torch.zeros(0))

    @abstractmethod
    def describe(self, batch: Batch) -> Tensor:
        """What of the sequences is compared, (N, D)."""

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Remember the samples and their scores `target` (N,) in standardised units."""
        values = self.describe(batch)
        self.mean, deviation = values.mean(0), values.std(0, correction=0)
        self.scale = deviation.masked_fill(deviation == 0, 1.0)
        self.known = self._standardised(values)
        self.scores = target.clone()

    def forward(self, batch: Batch) -> Prediction:
        """The score of the nearest known sample; the first of equally near ones.

        Raises:
            TrainingError: the model knows no samples yet.
        """
        values = self._standardised(self.describe(batch))
        if not len(self.scores):
            raise TrainingError(f"{type(self).__name__} knows no samples yet: call fit first")
        apart = torch.cdist(values, self.known, compute_mode="donot_use_mm_for_euclid_dist")
        return Prediction(score=self.scores[apart.argmin(1)])

    def _standardised(self, values: Tensor) -> Tensor:
        return (values - self.mean) / self.scale

"""One nearest neighbour: the score of the training sample that looks most alike."""

import torch
from torch import Tensor, nn

from zoo.errors import TrainingError


class NearestNeighbour(nn.Module):
    """Remembers all training samples and gives the score of the nearest one.

    The distance is Euclidean between features (N, D), each of the D standardised with mean and
    deviation over the training samples (a constant one is only centred), as scikit-learn's
    ``StandardScaler`` and ``KNeighborsRegressor(1)`` do.
    """

    mean: Tensor
    scale: Tensor
    known: Tensor
    scores: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("mean", "scale", "known", "scores"):
            self.register_buffer(name, torch.zeros(0))

    def fit(self, features: Tensor, target: Tensor) -> None:
        """Remember the samples' `features` (N, D) and their scores `target` (N,)."""
        self.mean, deviation = features.mean(0), features.std(0, correction=0)
        self.scale = deviation.masked_fill(deviation == 0, 1.0)
        self.known = (features - self.mean) / self.scale
        self.scores = target.clone()

    def forward(self, features: Tensor) -> Tensor:
        """The score of the nearest known sample; the first of equally near ones.

        Raises:
            TrainingError: no samples are known yet.
        """
        if not len(self.scores):
            raise TrainingError("the nearest neighbour knows no samples yet: call fit first")
        values = (features - self.mean) / self.scale
        apart = torch.cdist(values, self.known, compute_mode="donot_use_mm_for_euclid_dist")
        return self.scores[apart.argmin(1)]

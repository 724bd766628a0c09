"""One nearest neighbour: the score of the training sample most alike, in body or in place."""

import torch
from torch import Tensor, nn

from baselines.described import DescribedModel
from zoo.data.batch import Batch
from zoo.data.transforms import pelvis_joints
from zoo.errors import TrainingError
from zoo.nn.masking import frame_mean
from zoo.skeleton.layout import Layout


class NearestNeighbour(nn.Module):
    """Remembers all training samples and gives the score of the nearest one.

    The distance is Euclidean between features (N, D), each of the D standardised with mean and
    deviation over the training samples (a constant one is only centred), as scikit-learn's
    ``StandardScaler`` and ``KNeighborsRegressor(1)`` do.
    """

    draws = False
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


class PlaceNeighbour(DescribedModel):
    """Gives the score of the training sample recorded nearest to the same place.

    The description of a sequence is the mean position over time of the pelvis, in the sensor's
    space: where somebody stood, which says nothing of how well they moved.

    Args:
        layout: whose pelvis is looked at.
    """

    raw = True

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, NearestNeighbour())
        self._pelvis = pelvis_joints(layout)

    def describe(self, batch: Batch) -> Tensor:
        """Mean pelvis position (N, 3) in metres."""
        x = batch.stream("position")[:, :, self._pelvis]
        return frame_mean(x, batch.mask).mean(1)


class BoneNeighbour(DescribedModel):
    """Gives the score of the training sample with the most similar bone lengths.

    The description of a sequence is the median length over time of each of the layout's V − 1
    bones, in metres: it says who is moving and nothing of the movement. Where pieces of one
    recording stand on both sides of a split, this is enough to know the score.

    Args:
        layout: whose bones are measured.
    """

    raw = True

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, NearestNeighbour())
        self._children = [child for child, _ in layout.bones]
        self._parents = [parent for _, parent in layout.bones]

    def describe(self, batch: Batch) -> Tensor:
        """Median bone lengths (N, V - 1) in metres."""
        x = batch.stream("position")
        lengths = torch.linalg.vector_norm(x[:, :, self._children] - x[:, :, self._parents], dim=-1)
        return frame_median(lengths, batch.mask)


def frame_median(x: Tensor, mask: Tensor | None) -> Tensor:
    """Median over time (N, V) of `x` (N, T, V); of an even number of frames the lower middle one.

    Args:
        x: finite in real frames.
        mask: (N, T) bool, True for real frames; None when all are.
    """
    if mask is None:
        return x.median(1).values
    return x.masked_fill(~mask[:, :, None], torch.nan).nanmedian(1).values

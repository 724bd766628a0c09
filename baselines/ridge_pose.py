"""Ridge on the mean pose: how far the posture gets, without the movement."""

from collections.abc import Sequence

from torch import Tensor, nn

from baselines.frames import frame_mean
from baselines.ridge import Ridge
from zoo.data.batch import Batch, Prediction
from zoo.skeleton.layout import Layout


class PoseRidge(nn.Module):
    """A line from the mean position of every joint over time, in the sensor's space, to the score.

    Args:
        layout: fixes the number of joints V.
        alphas: strengths of the ridge's penalty to choose from by leave-one-out.
    """

    streams = ("position",)
    raw = True

    def __init__(
        self,
        layout: Layout,
        *,
        alphas: float | Sequence[float] = (0.1, 1, 10, 100, 1000, 10000, 100000),
    ) -> None:
        super().__init__()
        self.ridge = Ridge(alphas)

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Find the line for `target` (N,) in standardised units."""
        self.ridge.fit(self._poses(batch), target)

    def forward(self, batch: Batch) -> Prediction:
        """The line's score for every sequence of the batch."""
        return Prediction(score=self.ridge(self._poses(batch)))

    def _poses(self, batch: Batch) -> Tensor:
        """Mean joint positions (N, 3 V) in metres."""
        return frame_mean(batch.stream("position"), batch.mask).flatten(1)

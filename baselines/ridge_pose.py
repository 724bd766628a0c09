"""Ridge on the mean pose: how far the posture gets, without the movement."""

from collections.abc import Sequence

from torch import Tensor

from baselines.described import DescribedModel
from baselines.ridge import Ridge
from zoo.data.batch import Batch
from zoo.nn.masking import frame_mean
from zoo.skeleton.layout import Layout


class PoseRidge(DescribedModel):
    """A line from the mean position of every joint over time, in the sensor's space, to the score.

    Args:
        alphas: strengths of the ridge's penalty to choose from by leave-one-out.
    """

    raw = True

    def __init__(
        self,
        layout: Layout,
        *,
        alphas: float | Sequence[float] = (0.1, 1, 10, 100, 1000, 10000, 100000),
    ) -> None:
        super().__init__(layout, Ridge(alphas))

    def describe(self, batch: Batch) -> Tensor:
        """Mean joint positions (N, 3 V) in metres."""
        return frame_mean(batch.stream("position"), batch.mask).flatten(1)

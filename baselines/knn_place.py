"""Nearest neighbour on the place in the room: how far a model gets that sees no body at all."""

from torch import Tensor

from baselines.described import DescribedModel
from baselines.nearest import NearestNeighbour
from zoo.data.batch import Batch
from zoo.data.transforms import pelvis_joints
from zoo.nn.masking import frame_mean
from zoo.skeleton.layout import Layout


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

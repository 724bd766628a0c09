"""Ridge on the motion itself: how far a straight line through the coordinates gets."""

from collections.abc import Sequence

from torch import Tensor

from baselines.described import DescribedModel
from baselines.ridge import Ridge
from zoo.data.batch import Batch
from zoo.data.transforms import pelvis_joints
from zoo.nn.sequence import resample_frames
from zoo.skeleton.layout import Layout


class MotionRidge(DescribedModel):
    """A line from every joint's way relative to the pelvis to the score.

    Args:
        layout: whose pelvis is the origin.
        frames: equally spaced frames that stand for a sequence.
        alphas: strengths of the ridge's penalty to choose from by leave-one-out.
    """

    raw = True

    def __init__(
        self,
        layout: Layout,
        *,
        frames: int = 20,
        alphas: float | Sequence[float] = (0.1, 1, 10, 100, 1000, 10000, 100000),
    ) -> None:
        super().__init__(layout, Ridge(alphas))
        self.frames = frames
        self._pelvis = pelvis_joints(layout)

    def describe(self, batch: Batch) -> Tensor:
        """Positions relative to each frame's pelvis, (N, frames · V · 3) in metres."""
        x = resample_frames(batch.stream("position"), batch.mask, self.frames)
        return (x - x[:, :, self._pelvis].mean(2, keepdim=True)).flatten(1)

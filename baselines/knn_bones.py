"""Nearest neighbour on bone lengths: how far a model gets that only recognises the body."""

import torch
from torch import Tensor

from baselines.described import DescribedModel
from baselines.nearest import NearestNeighbour
from zoo.data.batch import Batch
from zoo.skeleton.layout import Layout


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

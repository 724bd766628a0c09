"""Nearest neighbour under dynamic time warping: the oldest judge of movements."""

from collections.abc import Sequence

import torch
from torch import Tensor

from baselines.warping import warped_distances
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, TrainingError
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import resample_frames
from zoo.skeleton.layout import Layout


class WarpedNeighbour(ScoreModel):
    """Remembers all training sequences and gives the score of the nearest one (`warped_distances`).

    All joints are aligned together. The cost grows with the number of training sequences and with
    the square of `frames`.

    Args:
        streams: what is compared, as the protocol scales it.
        frames: equally spaced frames that stand for a sequence.
        window: how far apart in time aligned frames may be, as a share of a sequence.

    Raises:
        ConfigError: no frames, or a window that is no share.
    """

    known: Tensor
    scores: Tensor

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        frames: int = 50,
        window: float = 0.1,
    ) -> None:
        super().__init__(layout, streams)
        if frames < 1 or not 0 <= window <= 1:
            raise ConfigError(
                f"frames is {frames} and window {window}, expected at least one frame and a share "
                "from 0 to 1"
            )
        self.frames, self.window = frames, window
        self.register_buffer("known", torch.zeros(0))
        self.register_buffer("scores", torch.zeros(0))

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Remember the sequences and their scores `target` (N,) in standardised units."""
        self.known = self._sequences(batch)
        self.scores = target.clone()

    def forward(self, batch: Batch) -> Prediction:
        """The score of the nearest known sequence; the first of equally near ones.

        Raises:
            TrainingError: the model knows no sequences yet.
        """
        sequences = self._sequences(batch)
        if not len(self.scores):
            raise TrainingError("WarpedNeighbour knows no sequences yet: call fit first")
        nearest = [warped_distances(one, self.known, self.window).argmin() for one in sequences]
        return Prediction(score=self.scores[torch.stack(nearest)])

    def _sequences(self, batch: Batch) -> Tensor:
        """(N, frames, V · C)."""
        return resample_frames(self.stacked(batch), batch.mask, self.frames).flatten(2)

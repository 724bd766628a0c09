"""Nearest neighbour under dynamic time warping: the oldest judge of movements."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

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

    draws = False
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


def warped_distances(query: Tensor, known: Tensor, window: float = 1.0) -> Tensor:
    r"""Distance (M,) of one sequence from each of M others under the best alignment in time.

    .. math:: \sqrt{\min_\pi \sum_{(s, t) \in \pi} \lVert q_s - k_t \rVert^2}

    over all paths π from both first to both last frames that never go back (Sakoe, Chiba 1978).
    All M tables are filled at once, one anti-diagonal after the other.

    Args:
        query: (T, D).
        known: (M, T, D).
        window: how far apart in time aligned frames may be, as a share of T.
    """
    frames = len(query)
    band = math.ceil(window * frames)
    flat = known.flatten(0, 1)
    product = query @ flat.T
    apart = query.square().sum(1)[:, None] + flat.square().sum(1) - 2 * product
    # (T², M): a step of T - 1 leads along an anti-diagonal, where all pairs lie side by side.
    cost = apart.clamp(min=0).unflatten(1, known.shape[:2]).transpose(1, 2).flatten(0, 1)
    shape = (frames + 1, len(known))
    before = cost.new_full(shape, torch.inf)  # best sums of the diagonal before, by s + 1
    twice = cost.new_full(shape, torch.inf)  # and of the one before that
    twice[0] = 0.0
    for diagonal in range(2 * frames - 1):
        first = max(0, diagonal - frames + 1, math.ceil((diagonal - band) / 2))
        last = min(frames - 1, diagonal, (diagonal + band) // 2)
        now = cost.new_full(shape, torch.inf)
        if first <= last:
            start = first * frames + diagonal - first
            stop = last * frames + diagonal - last + 1
            best = torch.minimum(before[first + 1 : last + 2], before[first : last + 1])
            best = torch.minimum(best, twice[first : last + 1])
            now[first + 1 : last + 2] = best + cost[start : stop : max(1, frames - 1)]
        before, twice = now, before
    return before[-1].sqrt()

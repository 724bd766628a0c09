"""Losses of pairs: which of two sequences is the better one, and by how much."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class PairLosses:
    """What the losses of pairs weigh beside a head's own; both are 0 where nothing is said.

    A pair is two sequences of a batch that show the same exercise: scores of different exercises
    say nothing of each other.

    Attributes:
        ranking: of `ranking_loss`.
        difference: of `difference_loss`.
    """

    ranking: float = 0.0
    difference: float = 0.0

    def __call__(self, score: Tensor, target: Tensor, exercise: Tensor | None = None) -> Tensor:
        """The weighted sum, a scalar.

        Args:
            score: (N,) predicted.
            target: (N,) true, in the same unit.
            exercise: (N,) long, of each sequence; None where all show one.
        """
        total = score.new_zeros(())
        if self.ranking:
            total = total + self.ranking * ranking_loss(score, target, exercise)
        if self.difference:
            total = total + self.difference * difference_loss(score, target, exercise)
        return total


def ranking_loss(score: Tensor, target: Tensor, exercise: Tensor | None = None) -> Tensor:
    r"""The logistic loss of pairs (RankNet, Burges et al., ICML 2005, section 3 with σ = 1).

    .. math:: \frac1{|P|} \sum_{(i,j) \in P} \log(1 + e^{-(\hat y_i - \hat y_j)}), \qquad
        P = \{(i, j) : y_i > y_j,\ e_i = e_j\}

    It asks only which of two is the better one. 0 where no two scores of an exercise differ.

    Args:
        score: ŷ (N,), in deviations of the training scores.
        target: y (N,).
        exercise: e (N,) long; None where all sequences show one.
    """
    pair = target[:, None] > target
    if exercise is not None:
        pair = pair & (exercise[:, None] == exercise)
    return _mean(F.softplus(score - score[:, None]), pair)


def difference_loss(score: Tensor, target: Tensor, exercise: Tensor | None = None) -> Tensor:
    r"""Huber's loss of the differences within pairs.

    .. math:: \frac1{|P|} \sum_{(i,j) \in P} h\bigl((\hat y_i - \hat y_j) - (y_i - y_j)\bigr),
        \qquad P = \{(i, j) : i < j,\ e_i = e_j\}

    with h(d) = d²/2 up to 1 and |d| − 1/2 beyond. A shift of all scores costs nothing. Differences
    of pairs instead of scores are CoRe's idea (Yu et al., ICCV 2021), without its exemplars: all
    pairs of a batch, and both scores predicted. 0 where no two sequences show one exercise.

    Args:
        score: ŷ (N,), in deviations of the training scores.
        target: y (N,).
        exercise: e (N,) long; None where all sequences show one.
    """
    pair = torch.ones(len(score), len(score), dtype=torch.bool, device=score.device).triu(1)
    if exercise is not None:
        pair = pair & (exercise[:, None] == exercise)
    off = score - target
    apart = off[:, None] - off
    return _mean(F.huber_loss(apart, torch.zeros_like(apart), reduction="none"), pair)


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    """The mean of the chosen among `values` (N, N); 0 where none is."""
    return (values * chosen).sum() / chosen.sum().clamp(min=1)

"""Scores among evenly spaced ones: a distribution over them (USDL), or thresholds (CORAL)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from registry import register_head
from zoo.nn.heads.base import Head, above, span, whole


class Bins(nn.Module):
    """B evenly spaced scores, on which a score is a normal distribution (Tang et al., section 3.2).

    Two deviations of that distribution lie beyond the lowest and the highest training score.

    Args:
        bins: B.
        deviation: of the distribution, in bins.
    """

    low: Tensor
    step: Tensor

    def __init__(self, bins: int, deviation: float) -> None:
        super().__init__()
        self.deviation = above("deviation", deviation, 0)
        self.bins = whole("bins", bins, 2 + math.floor(4 * deviation))
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("step", torch.ones(()))

    def prepare(self, scores: Tensor) -> None:
        """Spread the bins over the range of `scores` (S,)."""
        low, high = span(scores)
        step = (high - low) / (self.bins - 1 - 4 * self.deviation)
        self.step.copy_(step)
        self.low.copy_(low - 2 * self.deviation * step)

    def scores(self) -> Tensor:
        """The score of each bin (B,)."""
        return self.low + self.step * torch.arange(self.bins, device=self.low.device)

    def distribution(self, scores: Tensor) -> Tensor:
        """The label of each score (N,): weights (N, B) that sum to one."""
        away = (self.scores() - scores[:, None]) / (self.step * self.deviation)
        return torch.softmax(-(away**2) / 2, dim=1)

    def expected(self, logits: Tensor) -> Tensor:
        """The mean score (N,) of the distributions softmax(`logits`) (N, B)."""
        return torch.softmax(logits, dim=1) @ self.scores().to(logits.dtype)

    def loss(self, logits: Tensor, scores: Tensor) -> Tensor:
        """Mean Kullback-Leibler divergence of the predicted distributions from the labels."""
        predicted = torch.log_softmax(logits, dim=1)
        return F.kl_div(predicted, self.distribution(scores), reduction="batchmean")


@register_head("usdl")
class ScoreDistributionHead(Head):
    """USDL: a distribution over scores (Tang et al., CVPR 2020, arXiv 2006.07665, section 3).

    A score becomes a normal distribution over B bins, and the loss is the Kullback-Leibler
    divergence between it and softmax(output). The paper's score is the most probable bin; here it
    is the distribution's mean, which changes smoothly with the output. The paper's bins span the
    possible scores, ours the training scores and two deviations beyond.

    Args:
        bins: B; the authors' 101.
        deviation: of the distribution in bins; the authors' 5.
    """

    def __init__(self, layers: nn.Sequential, bins: int = 101, deviation: float = 5.0) -> None:
        grid = Bins(bins, deviation)
        super().__init__(layers, grid.bins)
        self.grid = grid

    def prepare(self, target: Tensor) -> None:
        """Spread the bins over the training scores."""
        self.grid.prepare(target)

    def read(self, output: Tensor) -> Tensor:
        """The mean of the distribution."""
        return self.grid.expected(output)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The divergence from the scores' distributions."""
        return self.grid.loss(output, target)


@register_head("ordinal")
class OrdinalHead(Head):
    """CORAL: one question for each threshold, is the score above it (Cao et al. 2020, 1901.07884).

    P(y > t_k) = σ(g + b_k) with one number g for all thresholds, and the loss is the mean binary
    cross-entropy. CORAL's biases b_k come out ordered when the loss is lowest; here each is the one
    before less a positive number, so they always are. Thresholds lie midway between L evenly spaced
    levels from the lowest to the highest training score. CORAL's answer is a level, found by
    counting thresholds passed; here it is the expected one, l_1 + (l_2 − l_1) Σ_k P(y > t_k).

    Args:
        levels: L.
    """

    low: Tensor
    step: Tensor

    def __init__(self, layers: nn.Sequential, levels: int = 21) -> None:
        super().__init__(layers)
        self.levels = whole("levels", levels, 3)
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("step", torch.ones(()))
        self.first = nn.Parameter(torch.tensor(3.0))
        gap = 6 / (self.levels - 2)  # biases from 3 to −3
        self.gaps = nn.Parameter(torch.full((self.levels - 2,), math.log(math.expm1(gap))))

    def prepare(self, target: Tensor) -> None:
        """Spread the levels over the training scores."""
        low, high = span(target)
        self.low.copy_(low)
        self.step.copy_((high - low) / (self.levels - 1))

    def logits(self, output: Tensor) -> Tensor:
        """Log odds (N, L − 1) that the score is above each threshold."""
        falls = torch.cat([torch.zeros_like(self.gaps[:1]), F.softplus(self.gaps).cumsum(0)])
        return output + self.first - falls

    def read(self, output: Tensor) -> Tensor:
        """The expected level."""
        above = torch.sigmoid(self.logits(output)).sum(1)
        return self.low + self.step * above

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean cross-entropy over thresholds."""
        steps = torch.arange(self.levels - 1, device=target.device) + 0.5
        above = target[:, None] > self.low + self.step * steps
        return F.binary_cross_entropy_with_logits(self.logits(output), above.to(output.dtype))

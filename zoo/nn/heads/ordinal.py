"""Ordered levels of a score (CORAL)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from registry import register_head
from zoo.nn.heads.base import Head, span, whole


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

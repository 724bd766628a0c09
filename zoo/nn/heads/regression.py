"""Heads whose first output is the score: other losses, and a variance."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from registry import register_head
from zoo.nn.heads.base import Head, above


@register_head("mse")
class MSEHead(Head):
    """Mean squared error, mean((ŷ − y)²): the zoo's default, said by name."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean squared error."""
        return F.mse_loss(output[:, 0], target)


@register_head("huber")
class HuberHead(Head):
    """Huber's loss (1964): squared up to an error of `delta`, linear beyond.

    Args:
        delta: in standardised units.
    """

    def __init__(self, layers: nn.Sequential, delta: float = 1.0) -> None:
        super().__init__(layers)
        self.delta = above("delta", delta, 0)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean of e²/2 where |e| ≤ δ, else δ(|e| − δ/2)."""
        return F.huber_loss(output[:, 0], target, delta=self.delta)


@register_head("gaussian")
class GaussianHead(Head):
    """Mean and variance of a normal distribution (Nix and Weigend, ICNN 1994).

    The loss is its negative log likelihood without the constant, mean(log σ² + (ŷ − y)²/σ²)/2. On
    few people a network comes to know its training scores by heart and σ goes to 0; so log σ²
    stays within ±6, which is a σ of 5 % to 20 times the scores' own deviation.
    """

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__(layers, 2)

    def log_variance(self, output: Tensor) -> Tensor:
        """Log σ² (N,)."""
        return output[:, 1].clamp(-6, 6)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The negative log likelihood."""
        mean, log_variance = output[:, 0], self.log_variance(output)
        return ((mean - target) ** 2 * torch.exp(-log_variance) + log_variance).mean() / 2

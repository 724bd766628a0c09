"""A Gaussian process on a network's features."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from registry import register_head
from zoo.nn.gaussian_process import GaussianProcess
from zoo.nn.heads.base import Head


@register_head("gp")
class ProcessHead(Head):
    """A Gaussian process reads score and variance from what the last layer sees.

    The layers learn by the mean squared error of their own score. After each epoch an exact
    `GaussianProcess` is fitted to the training people's features, those before the last layer
    (N, D), and their scores, and what is asked of the network outside training is answered by it.
    So the features are not learnt through the process, as in deep kernel learning (Wilson et al.,
    AISTATS 2016), which on few samples fits them to its own likelihood (Ober et al., UAI 2021).

    Where the network knows its training scores by heart, the process sees little noise in them and
    its variances come out too small; conformal intervals measure by how much.

    The output is the layers' score and the D features, side by side.
    """

    scores: Tensor

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__(layers)
        self.process = GaussianProcess()
        self.register_buffer("scores", torch.zeros(0), persistent=False)

    def prepare(self, target: Tensor) -> None:
        """Remember the training scores."""
        self.scores = target

    def refresh(self, output_of: Callable[[Tensor], Tensor]) -> None:
        """Fit the process to the training samples as the network now sees them."""
        output = output_of(torch.arange(len(self.scores), device=self.scores.device))
        self.process.fit(output[:, 1:], self.scores)

    def output(self, features: Tensor) -> Tensor:
        """The layers' score, and what the last one saw, (N, 1 + D)."""
        seen = self.layers[:-1](features)
        return torch.cat([self.layers[-1](seen), seen], dim=1)

    def read(self, output: Tensor) -> Tensor:
        """The process's scores; in training, and before its first fit, the layers'."""
        if self.training or not self.process.fitted:
            return output[:, 0]
        return self.process(output[:, 1:]).score

    def log_variance(self, output: Tensor) -> Tensor | None:
        """The process's log variances; None where the layers answer."""
        if self.training or not self.process.fitted:
            return None
        return self.process(output[:, 1:]).log_variance

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean squared error of the layers' score."""
        return F.mse_loss(output[:, 0], target)

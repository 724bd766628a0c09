"""Scores that add up to the total: joint regression, and a distribution for each (MUSDL)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from registry import register_head
from zoo.errors import ConfigError
from zoo.nn.heads.base import Head
from zoo.nn.heads.distribution import Bins


class SumHead(Head):
    """A head that predicts P scores which add up to the total; its targets are (N, 1 + P).

    Args:
        parts: names of the scores.
        width: outputs for each.
    """

    rest: Tensor

    def __init__(self, layers: nn.Sequential, parts: Sequence[str], width: int) -> None:
        names = _names(parts)
        super().__init__(layers, width * len(names))
        self.parts = names
        self.register_buffer("rest", torch.zeros(()))

    def targets(self, total: Tensor, parts: Mapping[str, Tensor]) -> Tensor:
        """The totals and the parts side by side (S, 1 + P).

        Raises:
            ConfigError: a training sample lacks one of the parts.
        """
        for name in self.parts:
            scores = parts.get(name, torch.full_like(total, math.nan))
            missing = int((~torch.isfinite(scores)).sum())
            if missing:
                known = ", ".join(["total", *sorted(parts)])
                raise ConfigError(
                    f"the head needs a score {name!r} of every recording, and {missing} of "
                    f"{len(total)} training samples have none (scores of the dataset: {known})"
                )
        return torch.stack([total, *(parts[name] for name in self.parts)], dim=1)

    def prepare(self, target: Tensor) -> None:
        """What totals have more than the sums of their parts: the shift of the standardisation."""
        # The median: a few recordings' totals are not their sums.
        self.rest.copy_((target[:, 0] - target[:, 1:].sum(1)).median())


@register_head("po-cf")
class PartsHead(SumHead):
    """Joint regression of the primary outcome and the control factors, which add up to the total.

    KIMORE's total of 50 is a primary outcome of 15 and control factors of 35 (Capecci et al. 2019).
    Each part is predicted as a z-score of its own, and the score is their sum. The loss is the mean
    squared error of the total and that of the parts' z-scores. A construction of the zoo's own.

    Args:
        parts: names of the scores.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, layers: nn.Sequential, parts: Sequence[str] = ("primary", "control")
    ) -> None:
        super().__init__(layers, parts, 1)
        self.register_buffer("mean", torch.zeros(len(self.parts)))
        self.register_buffer("deviation", torch.ones(len(self.parts)))

    def prepare(self, target: Tensor) -> None:
        """Mean and deviation of each part."""
        super().prepare(target)
        deviation = target[:, 1:].std(0, correction=0)
        self.mean.copy_(target[:, 1:].mean(0))
        self.deviation.copy_(deviation.masked_fill(deviation < 1e-5, 1.0))

    def read(self, output: Tensor) -> Tensor:
        """The sum of the parts."""
        return (output * self.deviation + self.mean).sum(1) + self.rest

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Squared errors of the total and of the parts' z-scores."""
        parts = (target[:, 1:] - self.mean) / self.deviation
        return F.mse_loss(self.read(output), target[:, 0]) + F.mse_loss(output, parts)


@register_head("musdl")
class PartDistributionsHead(SumHead):
    """MUSDL: a distribution for each part of a score (Tang et al., CVPR 2020, section 3.3).

    The paper's parts are the scores of several judges, each with layers of its own on the features;
    here parts share the hidden layers. The loss is the sum of the divergences, the score the sum of
    the distributions' means; bins as in `ScoreDistributionHead`.

    Args:
        bins: of each part; the authors' 21.
        deviation: of the distributions, in bins.
        parts: names of the scores.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        bins: int = 21,
        deviation: float = 1.0,
        parts: Sequence[str] = ("primary", "control"),
    ) -> None:
        grids = [Bins(bins, deviation) for _ in _names(parts)]
        super().__init__(layers, parts, bins)
        self.grids = nn.ModuleList(grids)

    def prepare(self, target: Tensor) -> None:
        """Spread each part's bins over its training scores."""
        super().prepare(target)
        for grid, scores in zip(self.grids, target[:, 1:].unbind(1), strict=True):
            cast(Bins, grid).prepare(scores)

    def read(self, output: Tensor) -> Tensor:
        """The sum of the means of the parts' distributions."""
        means = [grid.expected(logits) for grid, logits in self._each(output)]
        return torch.stack(means).sum(0) + self.rest

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The sum over parts of the divergences."""
        pairs = zip(self._each(output), target[:, 1:].unbind(1), strict=True)
        return torch.stack([grid.loss(logits, y) for (grid, logits), y in pairs]).sum()

    def _each(self, output: Tensor) -> Iterator[tuple[Bins, Tensor]]:
        for grid, logits in zip(self.grids, output.chunk(len(self.parts), dim=1), strict=True):
            yield cast(Bins, grid), logits


def _names(parts: Any) -> tuple[str, ...]:
    if isinstance(parts, str) or not isinstance(parts, Sequence) or not parts:
        raise ConfigError(f"the head's parts are {parts!r}, expected a list of scores' names")
    return tuple(map(str, parts))

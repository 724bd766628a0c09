"""What all heads have in common, and checks of their options."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from torch import Tensor, nn

from zoo.errors import ConfigError


class Reading(NamedTuple):
    """What a head reads from its output.

    Attributes:
        score: (N,).
        log_variance: (N,), or None for a head that knows no variance.
    """

    score: Tensor
    log_variance: Tensor | None = None


class ScoreHead(nn.Module):
    """Layers with K outputs, the score in them and the loss on them; the base of all heads.

    Args:
        layers: of the head it takes the place of, the last one linear.
        outputs: K.
    """

    def __init__(self, layers: nn.Sequential, outputs: int = 1) -> None:
        super().__init__()
        last = layers[-1]
        assert isinstance(last, nn.Linear)
        if outputs != last.out_features:
            last = nn.Linear(last.in_features, outputs)
        self.layers = nn.Sequential(*list(layers)[:-1], last)

    def targets(self, total: Tensor, parts: Mapping[str, Tensor]) -> Tensor:
        """What `prepare` and `loss` take of training scores (S,) and their named parts (S,)."""
        return total

    def prepare(self, target: Tensor) -> None:
        """Take from the training targets (S, …) what the head needs to know before training."""

    def refresh(self, output_of: Callable[[Tensor], Tensor]) -> None:
        """After each epoch: take what `read` needs to know of training samples.

        Args:
            output_of: from indices (M,) of training samples to their outputs (M, K) as they are
                without dropout.
        """

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, D) → output (N, K)."""
        return cast(Tensor, self.layers(features))

    def read(self, output: Tensor) -> Reading:
        """Score, and variance where the head has one, of an output (N, K)."""
        return Reading(output[:, 0])

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss, a scalar, of an output (N, K) against targets (N, …)."""
        raise NotImplementedError


def span(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest of `scores` (S,), one apart where all are alike."""
    low, high = scores.aminmax()
    return low, high if bool(high > low) else low + 1


def whole(name: str, value: Any, least: int) -> int:
    """An option that is a whole number from `least`.

    Raises:
        ConfigError: `value` is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"the head's {name} is {value!r}, expected a whole number from {least}")
    return value


def above(name: str, value: Any, bound: float) -> float:
    """An option that is a finite number above `bound`.

    Raises:
        ConfigError: `value` is none.
    """
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not bound < value < math.inf:
        raise ConfigError(f"the head's {name} is {value!r}, expected a number above {bound:g}")
    return float(value)

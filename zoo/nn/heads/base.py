"""What all heads have in common, and how ``model.head`` names one with its options."""

import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol, Self, TypeVar

from torch import Tensor, nn

from registry import HEADS
from zoo.build import require_keys
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.heads.pairs import PairLosses


class Extractor(Protocol):
    """What a head may ask of the network in front of it; see `zoo.nn.model.ScoreModel`."""

    streams: tuple[str, ...]
    num_joints: int

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of a batch and their mask."""

    def pool(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """One vector a sequence."""


class Head(nn.Module):
    """Layers with K outputs, the score in them and the loss on them; the base of all heads.

    A head's options are the keyword parameters of its constructor beside `layers`, and those of
    `PairLosses`, which every head has.

    Args:
        layers: the last one linear; one of as many outputs as are needed takes its place.
        outputs: K.

    Attributes:
        pairs: losses of pairs beside the head's own.
    """

    pairs = PairLosses()

    def __init__(self, layers: nn.Sequential, outputs: int = 1) -> None:
        super().__init__()
        last = layers[-1]
        assert isinstance(last, nn.Linear)
        if outputs != last.out_features:
            last = nn.Linear(last.in_features, outputs)
        self.layers = nn.Sequential(*list(layers)[:-1], last)

    @classmethod
    def of(
        cls, channels: int, hidden: Sequence[int] = (), dropout: float = 0.0, **options: Any
    ) -> Self:
        """A head with linear layers of its own and ReLU between them.

        Args:
            channels: D, width of the features.
            hidden: widths of hidden layers; none gives a single linear layer.
            dropout: probability of dropping an input of each layer in training.
            **options: of this kind of head, and the weights of `PairLosses`.

        Raises:
            ConfigError: a weight that is none.
        """
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Dropout(dropout)] if dropout else []
            layers += [nn.Linear(channels, width), nn.ReLU()]
            channels = width
        layers += [nn.Dropout(dropout)] if dropout else []
        return _made(cls, nn.Sequential(*layers, nn.Linear(channels, 1)), options)

    def answer(self, model: Extractor, batch: Batch) -> Prediction:
        """What a network with this head says of a batch: `forward` of its pooled features."""
        found: Prediction = self(model.pool(*model.extract(batch)))
        return found

    def forward(self, features: Tensor) -> Prediction:
        """Scores of sequences with the features (N, D), and all that led to them."""
        output = self.output(features)
        score, log_variance = self.read(output), self.log_variance(output)
        return Prediction(score, log_variance, features=features, output=output)

    def output(self, features: Tensor) -> Tensor:
        """Features (N, D) → output (N, K)."""
        return self.layers(features)

    def read(self, output: Tensor) -> Tensor:
        """The scores (N,) in an output (N, K)."""
        return output[:, 0]

    def log_variance(self, output: Tensor) -> Tensor | None:
        """The log variances (N,) in an output (N, K); None for a head that knows none."""
        return None

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss, a scalar, of an output (N, K) against targets (N, …)."""
        raise NotImplementedError

    def objective(
        self, output: Tensor, target: Tensor, total: Tensor, exercise: Tensor | None = None
    ) -> Tensor:
        """What training lowers: the loss, and the losses of pairs where they have a weight.

        Args:
            output: (N, K).
            target: (N, …) of these sequences, as `targets` gives them.
            total: (N,) their scores.
            exercise: (N,) long, which exercise each shows; None where all show one.
        """
        loss = self.loss(output, target)
        if self.pairs == PairLosses():
            return loss
        return loss + self.pairs(self.read(output), total, exercise)

    def targets(self, total: Tensor, parts: Mapping[str, Tensor]) -> Tensor:
        """What `prepare` and `loss` take of training scores (S,) and their named parts (S,)."""
        return total

    def prepare(self, target: Tensor) -> None:
        """Before training: take what the head needs to know from the training targets (S, …).

        They are those of the exercise that is tested, also where others are trained beside it.
        """

    def refresh(self, output_of: Callable[[Tensor], Tensor]) -> None:
        """After each epoch: take what `read` needs to know of training samples.

        Args:
            output_of: from indices (M,) of the samples whose targets `prepare` saw to their outputs
                (M, K) as they are without dropout.
        """


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
        raise ConfigError(f"model.head.{name} is {value!r}, expected a whole number from {least}")
    return value


def above(name: str, value: Any, bound: float) -> float:
    """An option that is a finite number above `bound`.

    Raises:
        ConfigError: `value` is none.
    """
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not bound < value < math.inf:
        raise ConfigError(f"model.head.{name} is {value!r}, expected a number above {bound:g}")
    return float(value)


def head_choice(choice: Any) -> tuple[str, dict[str, Any]]:
    """Name and options of a ``model.head``: a name, or a mapping with ``name`` and options.

    Raises:
        RegistryError: no such head; the nearest one is named.
        ConfigError: no such option, or no name.
    """
    options = dict(choice) if isinstance(choice, Mapping) else {"name": choice}
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(
            f"model.head is {choice!r}, expected the name of a head, or {{name: NAME, …}} with "
            f"its options. Heads: {', '.join(HEADS.names())}"
        )
    own = [p for p in _parameters(HEADS.get(name).load()) if p not in ("layers", "outputs")]
    require_keys(options, [*own, *_PAIRS], f"the head {name!r}")
    return name, options


def chosen_head(choice: Any, layers: nn.Sequential) -> Head:
    """The head of a ``model.head``, on the layers of the one whose place it takes.

    Raises:
        RegistryError: no such head.
        ConfigError: no such option, or a value that it does not take.
    """
    name, options = head_choice(choice)
    return _made(HEADS.get(name).load(), layers, options)


_H = TypeVar("_H", bound=Head)
_PAIRS = tuple(field.name for field in fields(PairLosses))


def _made(kind: type[_H], layers: nn.Sequential, options: Mapping[str, Any]) -> _H:
    """A head with its own options, and with the losses of pairs that are among them."""
    shared = [name for name in _PAIRS if name in options and name not in _parameters(kind)]
    head = kind(layers, **{k: v for k, v in options.items() if k not in shared})
    head.pairs = PairLosses(**{name: _weight(name, options[name]) for name in shared})
    return head


def _weight(name: str, value: Any) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not 0 <= value < math.inf:
        raise ConfigError(f"model.head.{name} is {value!r}, expected a number from 0")
    return float(value)


def _parameters(kind: Callable[..., Head]) -> Collection[str]:
    return inspect.signature(kind).parameters

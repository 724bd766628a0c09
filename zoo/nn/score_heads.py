"""Heads with a loss of their own, for any model that ends in a `RegressionHead`.

``model.head=NAME`` puts one in the place of a model's head. Hidden layers and dropout of that head
stay; its last layer gets as many outputs as the new head needs. What the layers say is the *output*
(N, K); the head reads score and variance from it and compares it with the true scores.

Axes: N sequences, K outputs, D features, B bins, all scores in standardised units.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from registry import did_you_mean
from zoo.data.batch import Prediction
from zoo.errors import ConfigError
from zoo.nn.heads import RegressionHead


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


class MSEHead(ScoreHead):
    """Mean squared error, mean((ŷ − y)²): the zoo's default, said by name."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean squared error."""
        return F.mse_loss(output[:, 0], target)


class HuberHead(ScoreHead):
    """Huber's loss (1964): squared up to an error of `delta`, linear beyond.

    Args:
        layers: see `ScoreHead`.
        delta: in standardised units.
    """

    def __init__(self, layers: nn.Sequential, delta: float = 1.0) -> None:
        super().__init__(layers)
        self.delta = _above("delta", delta, 0)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean of e²/2 where |e| ≤ δ, else δ(|e| − δ/2)."""
        return F.huber_loss(output[:, 0], target, delta=self.delta)


class GaussianHead(ScoreHead):
    """Mean and variance of a normal distribution (Nix and Weigend, ICNN 1994).

    The loss is its negative log likelihood without the constant, mean(log σ² + (ŷ − y)²/σ²)/2. On
    few people a network comes to know its training scores by heart and σ goes to 0; so log σ²
    stays within ±6, which is a σ of 5 % to 20 times the scores' own deviation.
    """

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__(layers, 2)

    def read(self, output: Tensor) -> Reading:
        """Mean and log σ²."""
        return Reading(output[:, 0], output[:, 1].clamp(-6, 6))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The negative log likelihood."""
        mean, log_variance = output[:, 0], output[:, 1].clamp(-6, 6)
        return ((mean - target) ** 2 * torch.exp(-log_variance) + log_variance).mean() / 2


class _Bins(nn.Module):
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
        self.deviation = _above("deviation", deviation, 0)
        self.bins = _whole("bins", bins, 2 + math.floor(4 * deviation))
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("step", torch.ones(()))

    def prepare(self, scores: Tensor) -> None:
        """Spread the bins over the range of `scores` (S,)."""
        low, high = _span(scores)
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


class ScoreDistributionHead(ScoreHead):
    """USDL: a distribution over scores (Tang et al., CVPR 2020, arXiv 2006.07665, section 3).

    A score becomes a normal distribution over B bins, and the loss is the Kullback-Leibler
    divergence between it and softmax(output). The paper's score is the most probable bin; here it
    is the distribution's mean, which changes smoothly with the output. The paper's bins span the
    possible scores, ours the training scores and two deviations beyond.

    Args:
        layers: see `ScoreHead`.
        bins: B; the authors' 101.
        deviation: of the distribution in bins; the authors' 5.
    """

    def __init__(self, layers: nn.Sequential, bins: int = 101, deviation: float = 5.0) -> None:
        grid = _Bins(bins, deviation)
        super().__init__(layers, grid.bins)
        self.grid = grid

    def prepare(self, target: Tensor) -> None:
        """Spread the bins over the training scores."""
        self.grid.prepare(target)

    def read(self, output: Tensor) -> Reading:
        """The mean of the distribution."""
        return Reading(self.grid.expected(output))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The divergence from the scores' distributions."""
        return self.grid.loss(output, target)


class OrdinalHead(ScoreHead):
    """CORAL: one question for each threshold, is the score above it (Cao et al. 2020, 1901.07884).

    P(y > t_k) = σ(g + b_k) with one number g for all thresholds, and the loss is the mean binary
    cross-entropy. CORAL's biases b_k come out ordered when the loss is lowest; here each is the one
    before less a positive number, so they always are. Thresholds lie midway between L evenly spaced
    levels from the lowest to the highest training score. CORAL's answer is a level, found by
    counting thresholds passed; here it is the expected one, l_1 + (l_2 − l_1) Σ_k P(y > t_k).

    Args:
        layers: see `ScoreHead`.
        levels: L.
    """

    low: Tensor
    step: Tensor

    def __init__(self, layers: nn.Sequential, levels: int = 21) -> None:
        super().__init__(layers)
        self.levels = _whole("levels", levels, 3)
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("step", torch.ones(()))
        self.first = nn.Parameter(torch.tensor(3.0))
        gap = 6 / (self.levels - 2)  # biases from 3 to −3
        self.gaps = nn.Parameter(torch.full((self.levels - 2,), math.log(math.expm1(gap))))

    def prepare(self, target: Tensor) -> None:
        """Spread the levels over the training scores."""
        low, high = _span(target)
        self.low.copy_(low)
        self.step.copy_((high - low) / (self.levels - 1))

    def logits(self, output: Tensor) -> Tensor:
        """Log odds (N, L − 1) that the score is above each threshold."""
        falls = torch.cat([torch.zeros_like(self.gaps[:1]), F.softplus(self.gaps).cumsum(0)])
        return output + self.first - falls

    def read(self, output: Tensor) -> Reading:
        """The expected level."""
        above = torch.sigmoid(self.logits(output)).sum(1)
        return Reading(self.low + self.step * above)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean cross-entropy over thresholds."""
        steps = torch.arange(self.levels - 1, device=target.device) + 0.5
        above = target[:, None] > self.low + self.step * steps
        return F.binary_cross_entropy_with_logits(self.logits(output), above.to(output.dtype))


class _SumHead(ScoreHead):
    """A head that predicts P scores which add up to the total; its targets are (N, 1 + P).

    Args:
        layers: see `ScoreHead`.
        parts: names of the scores.
        width: outputs for each.
    """

    rest: Tensor

    def __init__(self, layers: nn.Sequential, parts: Sequence[str], width: int) -> None:
        if isinstance(parts, str) or not parts:
            raise ConfigError(f"the head's parts are {parts!r}, expected a list of scores' names")
        super().__init__(layers, width * len(parts))
        self.parts = tuple(parts)
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


class PartsHead(_SumHead):
    """Joint regression of the primary outcome and the control factors, which add up to the total.

    KIMORE's total of 50 is a primary outcome of 15 and control factors of 35 (Capecci et al. 2019).
    Each part is predicted as a z-score of its own, and the score is their sum. The loss is the mean
    squared error of the total and that of the parts' z-scores. A construction of the zoo's own.

    Args:
        layers: see `ScoreHead`.
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

    def read(self, output: Tensor) -> Reading:
        """The sum of the parts."""
        return Reading((output * self.deviation + self.mean).sum(1) + self.rest)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Squared errors of the total and of the parts' z-scores."""
        parts = (target[:, 1:] - self.mean) / self.deviation
        return F.mse_loss(self.read(output).score, target[:, 0]) + F.mse_loss(output, parts)


class PartDistributionsHead(_SumHead):
    """MUSDL: a distribution for each part of a score (Tang et al., CVPR 2020, section 3.3).

    The paper's parts are the scores of several judges, each with layers of its own on the features;
    here parts share the hidden layers. The loss is the sum of the divergences, the score the sum of
    the distributions' means; bins as in `ScoreDistributionHead`.

    Args:
        layers: see `ScoreHead`.
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
        grids = [_Bins(bins, deviation) for _ in parts]
        super().__init__(layers, parts, bins)
        self.grids = nn.ModuleList(grids)

    def prepare(self, target: Tensor) -> None:
        """Spread each part's bins over its training scores."""
        super().prepare(target)
        for grid, scores in zip(self.grids, target[:, 1:].unbind(1), strict=True):
            cast(_Bins, grid).prepare(scores)

    def read(self, output: Tensor) -> Reading:
        """The sum of the means of the parts' distributions."""
        means = [grid.expected(logits) for grid, logits in self._each(output)]
        return Reading(torch.stack(means).sum(0) + self.rest)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The sum over parts of the divergences."""
        pairs = zip(self._each(output), target[:, 1:].unbind(1), strict=True)
        return torch.stack([grid.loss(logits, y) for (grid, logits), y in pairs]).sum()

    def _each(self, output: Tensor) -> Iterator[tuple[_Bins, Tensor]]:
        for grid, logits in zip(self.grids, output.chunk(len(self.parts), dim=1), strict=True):
            yield cast(_Bins, grid), logits


class ExemplarHead(ScoreHead):
    """CoRe: by how much a sequence is better than exemplars (Yu et al., ICCV 2021, 2108.07797).

    Layers look at the features of a sequence and of an exemplar and at the exemplar's score, and
    say in which of G groups the difference d of the two scores lies and where in that group. The
    loss is the cross-entropy of the group and the squared error of the place, (d − low)/(high −
    low), within the true one; in training the exemplar is another sequence of the batch.

    Exemplars of all later sequences are M training sequences, spread evenly over the order of
    their scores; their features are stored with the weights. The score is the mean over exemplars
    of exemplar's score + Σ_g P(g) (low_g + place_g (high_g − low_g)).

    Simplified: the paper's groups are leaves of a binary tree that is descended by one decision
    after another, here they are told apart at once; the paper takes the most probable group and
    exemplars drawn at random.

    Args:
        layers: of the head it takes the place of; only their number of features is kept.
        groups: G, of equally many differences between training scores and exemplars.
        exemplars: M; the authors' 10.
        hidden: width of the hidden layer; the authors' 256.
    """

    exemplar_features: Tensor
    exemplar_scores: Tensor
    chosen: Tensor
    edges: Tensor

    def __init__(
        self, layers: nn.Sequential, groups: int = 8, exemplars: int = 10, hidden: int = 256
    ) -> None:
        features = next(m.in_features for m in layers if isinstance(m, nn.Linear))
        groups = _whole("groups", groups, 2)
        exemplars = _whole("exemplars", exemplars, 1)
        hidden = _whole("hidden", hidden, 1)
        pair = nn.Sequential(
            nn.Linear(2 * features + 1, hidden), nn.ReLU(), nn.Linear(hidden, 2 * groups)
        )
        super().__init__(pair, 2 * groups)
        self.register_buffer("exemplar_features", torch.zeros(exemplars, features))
        self.register_buffer("exemplar_scores", torch.zeros(exemplars))
        self.register_buffer("edges", torch.zeros(groups + 1))
        self.register_buffer("chosen", torch.zeros(exemplars, dtype=torch.long), persistent=False)

    def prepare(self, target: Tensor) -> None:
        """Choose the exemplars, and groups of differences from them to either side."""
        order = target.argsort(stable=True)
        places = torch.linspace(0, len(target) - 1, len(self.chosen), device=target.device)
        self.chosen.copy_(order[places.round().long()])
        self.exemplar_scores.copy_(target[self.chosen])
        away = (target[:, None] - self.exemplar_scores).flatten()
        groups = len(self.edges) - 1
        shares = torch.linspace(0, 1, groups + 1, device=target.device)
        edges = torch.quantile(torch.cat([away, -away]), shares)
        # Equal scores make edges fall together; a group keeps some width.
        self.edges.copy_(edges + 1e-3 * torch.arange(groups + 1, device=target.device))

    def refresh(self, output_of: Callable[[Tensor], Tensor]) -> None:
        """Store the exemplars' features as the network now makes them."""
        self.exemplar_features.copy_(output_of(self.chosen))

    def forward(self, features: Tensor) -> Tensor:
        """The features (N, D) themselves: the layers need an exemplar beside them."""
        return features

    def read(self, output: Tensor) -> Reading:
        """The mean over exemplars of their score and the difference from it."""
        samples, exemplars = output.shape[0], self.exemplar_scores.shape[0]
        logits, places = self._compare(
            output[:, None].expand(-1, exemplars, -1),
            self.exemplar_features.to(output.dtype).expand(samples, -1, -1),
            self.exemplar_scores.to(output.dtype).expand(samples, -1),
        )
        low, width = self.edges[:-1], self.edges.diff()
        difference = (torch.softmax(logits, -1) * (low + places * width)).sum(-1)
        return Reading((self.exemplar_scores + difference).mean(1))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of the group and squared error of the place in it."""
        shift = int(torch.randint(1, max(len(target), 2), ()))
        other = target.roll(shift)
        logits, places = self._compare(output, output.roll(shift, 0), other)
        difference = target - other
        group = torch.bucketize(difference, self.edges[1:-1])
        low, width = self.edges[:-1], self.edges.diff()
        true = (difference - low[group]) / width[group]
        place = places.gather(1, group[:, None])[:, 0]
        return F.cross_entropy(logits, group) + F.mse_loss(place, true.clamp(0, 1))

    def _compare(self, features: Tensor, exemplar: Tensor, score: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the groups (…, G) and the place in each (…, G)."""
        pair = torch.cat([features, exemplar, score[..., None]], dim=-1)
        logits, places = self.layers(pair).chunk(2, dim=-1)
        return logits, places


HEADS: Mapping[str, type[ScoreHead]] = {
    "mse": MSEHead,
    "huber": HuberHead,
    "gaussian": GaussianHead,
    "usdl": ScoreDistributionHead,
    "ordinal": OrdinalHead,
    "po_cf": PartsHead,
    "musdl": PartDistributionsHead,
    "core": ExemplarHead,
}
"""Every head by the name that ``model.head`` takes."""


def head_choice(choice: Any) -> tuple[str, dict[str, Any]]:
    """Name and options of a ``model.head``: a name, or a mapping with ``name`` and options.

    Raises:
        ConfigError: no such head or option; the nearest one is named.
    """
    options = dict(choice) if isinstance(choice, Mapping) else {"name": choice}
    name = options.pop("name", None)
    if name not in HEADS:
        raise ConfigError(f"no head is called {name!r}. {did_you_mean(str(name), HEADS)}")
    parameters = inspect.signature(HEADS[name]).parameters
    known = [p for p in parameters if p not in ("layers", "outputs")]
    for key in options:
        if key not in known:
            near = did_you_mean(str(key), known) if known else "It has none."
            raise ConfigError(f"the head {name!r} has no option {key!r}. {near}")
    return name, options


def attach_head(model: nn.Module, choice: Any) -> None:
    """Put the head that ``model.head`` names in the place of the model's own.

    The model's forward goes on to pass its features to ``self.head`` and to call the answer a
    score; before anybody sees it, the head has read the score in it.

    Raises:
        ConfigError: no such head or option, or the model does not end in a `RegressionHead`.
    """
    name, options = head_choice(choice)
    old = getattr(model, "head", None)
    if not isinstance(old, RegressionHead):
        raise ConfigError(
            f"{type(model).__name__} has no head that {name!r} could take the place of: "
            "model.head is for networks that end in self.head = RegressionHead(width)"
        )
    model.head = HEADS[name](old.layers, **options)
    model.register_forward_hook(_read)


def _read(model: nn.Module, _: Any, answer: Prediction) -> Prediction:
    """The model's answer with the output moved from ``score`` to where it belongs."""
    output = answer.score
    reading = cast(ScoreHead, model.head).read(output)
    return answer._replace(score=reading.score, log_variance=reading.log_variance, output=output)


def _span(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest of `scores` (S,), one apart where all are alike."""
    low, high = scores.aminmax()
    return low, high if bool(high > low) else low + 1


def _whole(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"the head's {name} is {value!r}, expected a whole number from {least}")
    return value


def _above(name: str, value: Any, bound: float) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not bound < value < math.inf:
        raise ConfigError(f"the head's {name} is {value!r}, expected a number above {bound:g}")
    return float(value)

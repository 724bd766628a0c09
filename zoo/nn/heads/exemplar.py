"""Differences from exemplars (CoRe)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from registry import register_head
from zoo.nn.heads.base import Head, whole


@register_head("core")
class ExemplarHead(Head):
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
        groups = whole("groups", groups, 2)
        exemplars = whole("exemplars", exemplars, 1)
        hidden = whole("hidden", hidden, 1)
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

    def output(self, features: Tensor) -> Tensor:
        """The features (N, D) themselves: the layers need an exemplar beside them."""
        return features

    def read(self, output: Tensor) -> Tensor:
        """The mean over exemplars of their score and the difference from it."""
        samples, exemplars = output.shape[0], self.exemplar_scores.shape[0]
        logits, places = self._compare(
            output[:, None].expand(-1, exemplars, -1),
            self.exemplar_features.to(output.dtype).expand(samples, -1, -1),
            self.exemplar_scores.to(output.dtype).expand(samples, -1),
        )
        low, width = self.edges[:-1], self.edges.diff()
        difference = (torch.softmax(logits, -1) * (low + places * width)).sum(-1)
        return (self.exemplar_scores + difference).mean(1)

    def objective(
        self, output: Tensor, target: Tensor, total: Tensor, exercise: Tensor | None = None
    ) -> Tensor:
        """The loss of each exercise, for its sequences are exemplars of one another."""
        if exercise is None:
            return super().objective(output, target, total)
        loss = output.new_zeros(())
        for shown in (exercise == e for e in exercise.unique()):
            own = super().objective(output[shown], target[shown], total[shown])
            loss = loss + own * shown.float().mean()
        return loss

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

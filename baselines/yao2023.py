"""Pairs of recordings whose attention to joints should not lie apart.

The idea of Yao, Lei, Zhang, Du, Gao, "A Contrastive Learning Network for Performance Metric and
Assessment of Physical Rehabilitation Exercises", IEEE TNSRE 31 (2023).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.stgcn import STGCN
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.attention import MultiHeadAttention
from zoo.nn.heads import Head
from zoo.nn.masking import frame_mean
from zoo.skeleton.layout import Layout


def attention_deviation(
    attention: Tensor, target: Tensor, exercise: Tensor, closeness: float | None = None
) -> Tensor:
    r"""How far the attention of N sequences lies apart, over pairs of one exercise, a scalar.

    .. math::
        D = \frac{\sum_{i \ne j} w_{ij}\, \tfrac1V \lVert A_i - A_j \rVert_F^2}
        {\sum_{i \ne j} w_{ij}}, \qquad w_{ij} = e^{-(y_i - y_j)^2 / 2\sigma^2}

    and w = 0 for sequences of different exercises. Each row of A sums to one, so that D lies
    between 0 and 2; without a pair it is 0.

    Args:
        attention: A (N, V, V), [query, key].
        target: y (N,).
        exercise: (N,), a number for each exercise.
        closeness: σ, in the unit of `target`; None for w = 1, all pairs alike.
    """
    apart = (attention[:, None] - attention).square().sum((-2, -1)) / attention.shape[-1]
    weight = (exercise[:, None] == exercise).to(apart.dtype)
    if closeness is not None:
        weight = weight * torch.exp(-(target[:, None] - target).square() / (2 * closeness**2))
    weight = weight - torch.diag(weight.diag())
    return (weight * apart).sum() / weight.sum().clamp(min=1e-12)


class DeviationHead(Head):
    r"""A score, trained with the squared error and a penalty on `attention_deviation`.

    .. math:: L = \frac1N \sum_i (\hat y_i - y_i)^2 + \lambda D

    Args:
        layers: to the score.
        joints: V.
        deviation: λ.
        closeness: of the scores whose attention is compared, see `attention_deviation`.
    """

    def __init__(
        self, layers: nn.Sequential, *, joints: int, deviation: float, closeness: float | None
    ) -> None:
        super().__init__(layers)
        self.joints = joints
        self.deviation = deviation
        self.closeness = closeness

    def forward(self, features: Tensor) -> Prediction:
        """Scores (N,) of sequences.

        Args:
            features: (N, C + V² + 1), pooled features, attention, number of the exercise.
        """
        pooled, pairing = features.tensor_split([-(self.joints**2) - 1], dim=-1)
        output = torch.cat([self.layers(pooled), pairing], dim=-1)
        return Prediction(output[:, 0], features=pooled, output=output)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """L of outputs (N, 1 + V² + 1), score, attention, number of the exercise."""
        error = F.mse_loss(output[:, 0], target)
        if self.deviation == 0:
            return error
        attention = output[:, 1:-1].unflatten(1, (self.joints, self.joints))
        apart = attention_deviation(attention, target, output[:, -1], self.closeness)
        return error + self.deviation * apart


class Yao2023(STGCN):
    r"""ST-GCN, attention between joints, and a penalty on its difference in pairs of sequences.

    The mean frame x̄ of the last block's features goes through self-attention with one head,

    .. math:: z_v = \bar x_v + W_O \sum_w A_{vw}\, W_V\, \bar x_w, \qquad
        A_{vw} = \mathrm{softmax}_w\bigl((W_Q \bar x_v)^\top W_K \bar x_w / \sqrt C\bigr)

    and the mean of z over joints to the score. In training every two sequences of a batch and of
    one exercise are a pair, see `DeviationHead`; a sequence is scored alone.

    Args:
        deviation: weight of the penalty; 0 leaves the squared error alone.
        closeness: only sequences whose standardised scores differ by about this much or less
            should have the same attention; None for all.

    The other arguments are those of `STGCN`.

    Raises:
        ConfigError: a negative weight, or a closeness that is not above 0.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        partition: str = "stgcn_spatial",
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        kernel_size: int = 9,
        dropout: float = 0.5,
        importance: bool = True,
        deviation: float = 1.0,
        closeness: float | None = None,
    ) -> None:
        super().__init__(
            layout,
            streams=streams,
            partition=partition,
            channels=channels,
            strides=strides,
            kernel_size=kernel_size,
            dropout=dropout,
            importance=importance,
        )
        if deviation < 0:
            raise ConfigError(f"deviation={deviation} must be 0 or more")
        if closeness is not None and closeness <= 0:
            raise ConfigError(f"closeness={closeness} must be above 0, or null for all pairs")
        self.attention = MultiHeadAttention(channels[-1], 1)
        self.head = DeviationHead.of(
            channels[-1], joints=layout.num_joints, deviation=deviation, closeness=closeness
        )

    def extract(self, batch: Batch) -> tuple[Tensor, None]:
        """The mean of z over joints (N, C)."""
        return self._attended(batch)[0], None

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        if not isinstance(self.head, DeviationHead):
            return super().forward(batch)
        pooled, attention = self._attended(batch)
        exercise = pooled.new_zeros(batch.size) if batch.exercise is None else batch.exercise
        parts = [pooled, attention.flatten(1), exercise.to(pooled)[:, None]]
        return self.head(torch.cat(parts, dim=-1))

    def attention_maps(self, batch: Batch) -> Mapping[str, Tensor]:
        """``joints``: A (N, V, V), [query, key]; each row sums to one."""
        return {"joints": self._attended(batch)[1]}

    def attention_rollup(self, batch: Batch) -> Tensor:
        """Shares of the joints, the mean over queries of (A + 1) / 2, the same at all frames."""
        attention = self._attended(batch)[1]
        shares = (attention.mean(1) + 1 / self.num_joints) / 2  # (N, V)
        frames = batch.real_frames().to(shares)  # (N, T)
        return frames.unsqueeze(-1) * (shares / frames.sum(1, keepdim=True)).unsqueeze(1)

    def _attended(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The mean of z over joints (N, C), and A (N, V, V)."""
        mean = frame_mean(*super().extract(batch))
        found, attention = self.attention(mean, return_weights=True)
        assert attention is not None
        return (mean + found).mean(1), attention.squeeze(1)

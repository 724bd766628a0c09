"""Three stages of adaptive graph convolutions, the first of which teaches the last.

Kuang, Ren et al., "Hierarchical Contrastive Representation for Accurate Evaluation of
Rehabilitation Exercises via Multi-View Skeletal Representations", IEEE TNSRE 33 (2025),
doi 10.1109/TNSRE.2024.3523906.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import STREAM_CHANNELS, Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.adaptive import AdaptiveSkeletonConv
from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.heads import Head
from zoo.nn.masking import frame_counts, mean_pool, zero_padding
from zoo.nn.model import ScoreModel
from zoo.nn.norm import InputNorm
from zoo.nn.temporal import TemporalConv
from zoo.skeleton.graph import SkeletonGraph, build_graph
from zoo.skeleton.layout import Layout

_BLOCKS = 5
_ATTENDED = (3, 5)
"""Numbers of a stage's blocks that have CBAM where there is any."""


class ChannelGate(nn.Module):
    r"""A weight for every input channel, by what the whole sequence does in it.

    .. math::
        g = \sigma(W_2\,\mathrm{ReLU}(W_1\,[\mathrm{mean}_{t,v}(x);\ \mathrm{std}_{t,v}(x)]))

    The standard deviation divides by TV − 1; between W_1 and W_2 the width is (C + 1) / 2.

    Shapes: x (N, T, V, C), mask (N, T) or None → g (N, C).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = (channels + 1) // 2
        self.squeeze = nn.Linear(2 * channels, hidden)
        self.excite = nn.Linear(hidden, channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The weights of `x`."""
        count = x.shape[1] if mask is None else frame_counts(mask).reshape(-1, 1)
        count = count * x.shape[2]
        mean = zero_padding(x, mask).sum((1, 2)) / count
        apart = zero_padding(x - mean[:, None, None], mask)
        deviation = (apart.square().sum((1, 2)) / (count - 1)).clamp(min=1e-12).sqrt()
        pooled = torch.cat([mean, deviation], dim=-1)
        return torch.sigmoid(self.excite(F.relu(self.squeeze(pooled))))


class CBAM(nn.Module):
    r"""Attention to channels, then to joints and frames (Woo et al., ECCV 2018, 1807.06521).

    .. math::
        y = \sigma(M(\mathrm{mean}_{t,v}\,x) + M(\max_{t,v} x))\, x, \qquad
        z = \sigma(f_{5\times5}[\mathrm{mean}_c\,y;\ \max_c y])\, y

    M has a hidden layer of C / 12 channels; neither it nor f has a bias.

    Shapes: x (N, T, V, C), mask (N, T) or None → (N, T, V, C).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // 12)
        self.channels = nn.Sequential(
            nn.Linear(channels, hidden, bias=False),
            nn.ReLU(),
            nn.Linear(hidden, channels, bias=False),
        )
        self.places = nn.Conv2d(2, 1, 5, padding=2, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Weigh `x`."""
        highest = x if mask is None else x.masked_fill(~mask[..., None, None], -torch.inf)
        gate = self.channels(mean_pool(x, mask)) + self.channels(highest.amax((1, 2)))
        y = x * torch.sigmoid(gate)[:, None, None]
        image = torch.stack([y.mean(-1), y.amax(-1)], dim=1)
        if mask is not None:
            image = image.masked_fill(~mask[:, None, :, None], 0.0)
        return y * torch.sigmoid(self.places(image)).permute(0, 2, 3, 1)


class KuangBlock(SpaceTimeBlock):
    """The unit of 2s-AGCN: adaptive graph convolution, convolution along nine frames.

    Args:
        graph: where the learnable graph starts.
        residual: with a shortcut around it.
        cbam: with `CBAM` before the last ReLU.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: SkeletonGraph,
        *,
        residual: bool = True,
        cbam: bool = False,
    ) -> None:
        conv = AdaptiveSkeletonConv(in_channels, out_channels, graph, softmax=True)
        super().__init__(
            GraphUnit(conv, in_channels, out_channels, closed=True),
            TemporalConv(out_channels, out_channels, 9),
            in_channels,
            out_channels,
            residual=residual,
        )
        self.attention = CBAM(out_channels) if cbam else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features (N, T, V, C_out) and the mask as it was."""
        if self.attention is None:
            return super().forward(x, mask)
        y = self.temporal(self.spatial(x, mask), mask)
        if self.residual is not None:
            y = y + self.residual(x)
        return F.relu(self.attention(y, mask)), mask


class StagedHead(Head):
    r"""One linear map for all stages, trained in three steps.

    .. math::
        L = \begin{cases}
        \ell(\hat y_1) & \text{first}\\
        0.5\,\ell(\hat y_3) + 0.2\,\ell(\hat y_1) + 0.3\,D & \text{then}\\
        \ell(\hat y_3) & \text{at last}
        \end{cases}

    with ℓ the smooth L1 loss and D `distillation` of the pooled features of the first stage, the
    teacher, into those of the third.

    Args:
        layers: the linear map.
        teacher_epochs: epochs that train the teacher alone.
        distillation_epochs: epochs of the second step after them.
        sigma: of the weights in D, in standardised score units.
        temperature: of the softmax in D.
    """

    epoch: Tensor

    def __init__(
        self,
        layers: nn.Sequential,
        *,
        teacher_epochs: int,
        distillation_epochs: int,
        sigma: float = 0.5,
        temperature: float = 0.1,
    ) -> None:
        super().__init__(layers)
        self.teacher_epochs = teacher_epochs
        self.distillation_epochs = distillation_epochs
        self.sigma = sigma
        self.temperature = temperature
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))

    def forward(self, features: Tensor) -> Prediction:
        """Scores (N,) of the third stage, from the pooled features of both stages.

        Args:
            features: (N, 2 C), the student's and behind them the teacher's.
        """
        student, teacher = features.chunk(2, dim=-1)
        scores = [self.layers(stage) for stage in (student, teacher)]
        output = torch.cat([*scores, student, teacher], dim=-1)
        return Prediction(output[:, 0], features=student, output=output)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """L of outputs (N, 2 + 2 C): the student's and the teacher's score, then their features."""
        student = F.smooth_l1_loss(output[:, 0], target)
        epoch = int(self.epoch)
        if epoch >= self.teacher_epochs + self.distillation_epochs:
            return student
        teacher = F.smooth_l1_loss(output[:, 1], target)
        if epoch < self.teacher_epochs:
            return teacher
        features, taught = output[:, 2:].chunk(2, dim=-1)
        contrast = distillation(taught, features, target, self.sigma, self.temperature)
        return 0.5 * student + 0.2 * teacher + 0.3 * contrast

    def refresh(self, output_of: object) -> None:
        """Count the epoch."""
        self.epoch += 1


def distillation(
    teacher: Tensor, student: Tensor, target: Tensor, sigma: float, temperature: float
) -> Tensor:
    r"""What draws a student's features to a teacher's of sequences with similar scores, a scalar.

    .. math::
        D = \frac{0.001}{N} \sum_i \frac{-\sum_j w_{ij} \log p_{ij}}{\sum_j w_{ij}}, \quad
        w_{ij} = e^{-(y_i - y_j)^2 / 2\sigma^2}, \quad
        p_{ij} = \mathrm{softmax}_j\,\cos(t_i, s_j) / \tau

    Args:
        teacher: features t (N, C); they are not detached.
        student: features s (N, C).
        target: y (N,).
        sigma: σ.
        temperature: τ.
    """
    cosine = F.normalize(teacher, dim=-1) @ F.normalize(student, dim=-1).T
    log_p = (cosine / temperature).log_softmax(-1)
    w = torch.exp(-(target[:, None] - target).square() / (2 * sigma**2))
    return -0.001 * ((w * log_p).sum(1) / w.sum(1)).mean()


class Kuang2025(ScoreModel):
    """Position teaches position and orientation, stage by stage.

    The first stage sees the first stream, the second the others, the third all of them through a
    `ChannelGate`; the second and the third go on from the stages before. One linear layer scores
    the mean features of each stage; the prediction is the third's.

    Args:
        streams: two or more; one stream stands for all three stages, as in the authors' runs on
            UI-PRMD.
        channels: width of all stages.
        partition: of the graph the learnable ones start from.
        cbam: attention in the third and fifth block of each stage, as the authors have it on
            UI-PRMD.
        teacher_epochs: epochs that train the first stage alone; 500 of 3500 in the authors' code.
        distillation_epochs: epochs after them in which it teaches the third; the authors' 1500.

    Raises:
        ConfigError: too few channels for what the stages are fed, or a negative number of epochs.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position", "orientation"),
        channels: int = 64,
        partition: str = "spatial",
        cbam: bool = False,
        teacher_epochs: int = 5,
        distillation_epochs: int = 15,
    ) -> None:
        super().__init__(layout, streams)
        first = STREAM_CHANNELS[self.streams[0]]
        self.first = first
        later = self.in_channels - first or first
        if channels <= self.in_channels:
            raise ConfigError(
                f"channels={channels} is too few: each stage sets its {self.in_channels} input "
                "channels beside what it makes of them, and needs more than these"
            )
        if min(teacher_epochs, distillation_epochs) < 0:
            raise ConfigError(
                f"teacher_epochs={teacher_epochs} and distillation_epochs={distillation_epochs} "
                "must be 0 or more"
            )
        graph = build_graph(layout, partition)

        def entry(width: int) -> KuangBlock:
            return KuangBlock(width, channels - width, graph, residual=False)

        def stage(first: int, width: int) -> nn.ModuleList:
            """The blocks from the one numbered `first` on."""
            return nn.ModuleList(
                KuangBlock(
                    width if number == first else channels,
                    channels,
                    graph,
                    residual=number > 1,
                    cbam=cbam and number in _ATTENDED,
                )
                for number in range(first, _BLOCKS + 1)
            )

        self.norm = InputNorm(layout.num_joints, self.in_channels)
        self.gate = ChannelGate(self.in_channels)
        self.teacher = stage(1, first)
        self.second_entry = entry(later)
        self.second = stage(2, channels)
        self.student_entry = entry(self.in_channels)
        self.student = stage(2, channels)
        self.head = StagedHead.of(
            channels, teacher_epochs=teacher_epochs, distillation_epochs=distillation_epochs
        )

    def stages(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Features (N, T, V, C) of the three stages."""
        mask = batch.mask
        x = self.norm(self.stacked(batch))
        later = x if x.shape[-1] == self.first else x[..., self.first :]
        one = self._through(self.teacher, x[..., : self.first], mask)
        two = (one + self._beside(later, self.second_entry, mask)) / 2
        two = self._through(self.second, two, mask)
        gated = x * self.gate(x, mask)[:, None, None]
        three = (one + two + self._beside(gated, self.student_entry, mask)) / 3
        three = self._through(self.student, three, mask)
        return one, two, three

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the third stage (N, T, V, C) and the mask (N, T)."""
        return self.stages(batch)[2], batch.mask

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        if not isinstance(self.head, StagedHead):
            return super().forward(batch)
        teacher, _, student = self.stages(batch)
        pooled = [self.pool(stage, batch.mask) for stage in (student, teacher)]
        return self.head(torch.cat(pooled, dim=-1))

    @staticmethod
    def _through(blocks: nn.ModuleList, x: Tensor, mask: Tensor | None) -> Tensor:
        for block in blocks:
            x, _ = block(x, mask)
        return x

    @staticmethod
    def _beside(x: Tensor, entry: nn.Module, mask: Tensor | None) -> Tensor:
        """`x` (N, T, V, C_in) and what the entry makes of it, side by side: (N, T, V, C)."""
        made, _ = entry(x, mask)
        return torch.cat([x, made], dim=-1)

"""ReCon: recordings done well lie close together, all others lie elsewhere.

Karlov, Abedi, Khan, "Rehabilitation Exercise Quality Assessment through Supervised Contrastive
Learning with Hard and Soft Negatives", Medical & Biological Engineering & Computing 63 (2025),
arXiv 2403.02772.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import STREAM_CHANNELS, Batch, Prediction
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.nn.blocks import SpaceTimeBlock
from zoo.nn.heads import Head
from zoo.nn.masking import mean_pool, zero_padding
from zoo.nn.norm import BatchNorm
from zoo.nn.spatial import JointBiasConv
from zoo.nn.temporal import TemporalConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import SkeletonGraph, build_graph
from zoo.skeleton.layout import Layout

SCORINGS = ("regression", "reference")
_TAPS = 6
"""Frames that the blur of a view sees to either side."""


class BottleneckConv(nn.Module):
    r"""Convolution along time at half the width.

    .. math::
        y = \mathrm{BN}(W_2\,r(\mathrm{conv}_{9\times1}\,r(W_1\,r(x)))), \qquad
        r = \mathrm{ReLU} \circ \mathrm{BN}

    Shapes: x (N, T, V, C), mask (N, T) or None → (N, ceil(T / stride), V, C).
    """

    def __init__(self, channels: int, *, stride: int = 1) -> None:
        super().__init__()
        half = channels // 2
        self.norm = BatchNorm(channels, relu=True)
        self.enter = TemporalConv(channels, half, 1)
        self.along = TemporalConv(half, half, 9, stride)
        self.leave = TemporalConv(half, channels, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask, padded frames count as zero."""
        y = F.relu(self.enter(self.norm(x)), inplace=True)
        y = F.relu(self.along(y, mask), inplace=True)
        return self.leave(y)


class ReConBlock(SpaceTimeBlock):
    """A graph convolution (GCN), a `BottleneckConv` and a shortcut, the first block's too.

    Args:
        graph: symmetrically normalised, of one type.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: SkeletonGraph,
        *,
        stride: int = 1,
        residual: bool = True,
    ) -> None:
        super().__init__(
            JointBiasConv(in_channels, out_channels, graph),
            BottleneckConv(out_channels, stride=stride),
            in_channels,
            out_channels,
            stride=stride,
        )


def contrastive(embedding: Tensor, label: Tensor, temperature: float) -> Tensor:
    r"""Supervised contrastive loss with hard and soft negatives, a scalar.

    .. math::
        L = -\sum_{i:\,y_i \ge 0} \frac{1}{|P_i|} \log
        \frac{\sum_{p \in P_i} e^{z_i \cdot z_p / \tau}}{\sum_{a \ne i} e^{z_i \cdot z_a / \tau}}

    Anchors i are done well; P_i are the others of the same exercise done well. What draws away
    from them is everything else: of the same exercise (hard negatives) and of others (soft ones).

    Args:
        embedding: z (M, D), of length one.
        label: y (M,) long: the number of the exercise where it was done well, else −1 less it.
        temperature: τ.
    """
    similarity = (embedding @ embedding.T / temperature).fill_diagonal_(-torch.inf)
    alike = (label[:, None] == label).fill_diagonal_(False)
    anchors = (label >= 0) & alike.any(1)
    similarity, alike = similarity[anchors], alike[anchors]
    near = similarity.masked_fill(~alike, -torch.inf).logsumexp(1)
    return ((similarity.logsumexp(1) - near) / alike.sum(1)).sum()


class ContrastiveHead(Head):
    r"""A projection z of the features to the unit sphere, and a score.

    For `contrast_epochs` the network learns from `contrastive` over two views of each sequence of a
    batch, while the layers learn the score from features as they are; then all learn from the mean
    squared error of the score. With ``scoring="reference"`` no layers
    are trained: the score is a line through the cosine of z and the reference r, the normalised
    sum of z over the training sequences of the tested exercise that were done well. Slope and
    intercept are those of least squares over its training sequences.

    Args:
        layers: from features (N, C) to the score.
        embedding: D, of z.
        contrast_epochs: epochs of the contrast.
        scoring: ``regression`` or ``reference``.
        well: a sequence counts as done well from so many deviations above the mean score.
        temperature: τ of the loss.
    """

    epoch: Tensor
    bar: Tensor
    reference: Tensor
    line: Tensor

    def __init__(
        self,
        layers: nn.Sequential,
        *,
        embedding: int = 128,
        contrast_epochs: int = 30,
        scoring: str = "regression",
        well: float = 0.0,
        temperature: float = 0.1,
    ) -> None:
        super().__init__(layers)
        width = next(m.in_features for m in layers if isinstance(m, nn.Linear))
        self.width = width
        self.contrast_epochs = contrast_epochs
        self.scoring = scoring
        self.well = well
        self.temperature = temperature
        self.projector = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, embedding)
        )
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))
        self.register_buffer("bar", torch.zeros(()))
        self.register_buffer("reference", torch.zeros(embedding))
        self.register_buffer("line", torch.tensor([0.0, 1.0]))
        self._target = torch.zeros(0)

    @property
    def contrasting(self) -> bool:
        """Whether this epoch's loss is the contrastive one, which needs two views."""
        return self.scoring == "reference" or int(self.epoch) < self.contrast_epochs

    def embed(self, features: Tensor) -> Tensor:
        """Features (N, C) → z (N, D)."""
        return F.normalize(self.projector(features), dim=-1)

    def forward(self, features: Tensor) -> Prediction:
        """Scores (N,) of the first view, from the features of M views, (N, M·C)."""
        views = features.split(self.width, dim=1)
        embedded = [self.embed(view) for view in views]
        if self.scoring == "reference":
            score = self.line[0] + self.line[1] * (embedded[0] @ self.reference.to(views[0]))
        else:
            alone = self.training and self.contrasting
            score = self.layers(views[0].detach() if alone else views[0])[:, 0]
        output = torch.cat([score[:, None], *embedded], dim=1)
        return Prediction(score, features=views[0], output=output)

    def objective(
        self, output: Tensor, target: Tensor, total: Tensor, exercise: Tensor | None = None
    ) -> Tensor:
        """What training lowers, of outputs (N, 1 + M·D): the score and z of each view."""
        if not self.contrasting:
            return super().objective(output, target, total, exercise)
        exercise = torch.zeros_like(target, dtype=torch.long) if exercise is None else exercise
        label = torch.where(target > self.bar, exercise, -1 - exercise)
        views = output[:, 1:].split(len(self.reference), dim=1)
        contrast = contrastive(torch.cat(views), label.repeat(len(views)), self.temperature)
        if self.scoring == "reference":
            return contrast
        return contrast + super().objective(output, target, total, exercise)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean squared error of the score."""
        return F.mse_loss(output[:, 0], target)

    def prepare(self, target: Tensor) -> None:
        """Set the bar above which a sequence was done well."""
        self._target = target
        self.bar.copy_(target.mean() + self.well * target.std(correction=0))

    def refresh(self, output_of: Callable[[Tensor], Tensor]) -> None:
        """Count the epoch; find reference and line."""
        self.epoch += 1
        if self.scoring == "regression":
            return
        y = self._target
        z = output_of(torch.arange(len(y), device=y.device))[:, 1:]
        self.reference.copy_(F.normalize(z[y > self.bar].sum(0), dim=0))
        cosine = z @ self.reference
        apart = cosine - cosine.mean()
        slope = (apart @ y) / apart.square().sum().clamp(min=1e-8)
        self.line.copy_(torch.stack([y.mean() - slope * cosine.mean(), slope]))


class Views(nn.Module):
    """Another look at sequences: some frames, noise, a blur in time, turned.

    Of the frames of each sequence as many are kept, 70 to 100 %. The noise has a deviation of 0.01
    in the unit of the recordings; a blur of 0.1 to 0.4 frames is on half of the sequences; places
    are turned by up to 20° about each axis, around the middle of the sequence.

    Args:
        joints: V.
        streams: what lies side by side along the channels.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, joints: int, streams: Sequence[str]) -> None:
        super().__init__()
        self.streams = tuple(streams)
        channels = sum(STREAM_CHANNELS[name] for name in streams)
        self.register_buffer("mean", torch.zeros(joints, channels), persistent=False)
        self.register_buffer("deviation", torch.ones(joints, channels), persistent=False)

    def set_scale(self, scaler: StreamScaler) -> None:
        """Take the mean and deviation of what will come in; else it is taken as recorded."""
        if scaler.mean:
            self.mean.copy_(torch.cat([scaler.mean[name] for name in self.streams], -1))
            self.deviation.copy_(torch.cat([scaler.deviation[name] for name in self.streams], -1))

    def forward(self, x: Tensor, mask: Tensor | None, frames: int) -> tuple[Tensor, Tensor | None]:
        """One view of x (N, T, V, C) with `frames` of its frames, and its mask."""
        chosen = torch.rand(x.shape[:2], device=x.device).argsort(1)[:, :frames].sort(1).values
        rows = torch.arange(len(x), device=x.device)[:, None]
        x, mask = x[rows, chosen], mask if mask is None else mask[rows, chosen]
        x = x * self.deviation + self.mean
        x = self._turned(x + 0.01 * torch.randn_like(x), mask)
        x = (self._blurred(x, mask) - self.mean) / self.deviation
        return zero_padding(x, mask), mask

    def _turned(self, x: Tensor, mask: Tensor | None) -> Tensor:
        rotation = random_rotations(len(x), math.radians(20), x.device).to(x.dtype)
        parts = []
        for name, part in zip(
            self.streams, x.split([STREAM_CHANNELS[n] for n in self.streams], -1), strict=True
        ):
            if name in ("bone", "joint_motion", "bone_motion"):
                part = torch.einsum("nij,ntvj->ntvi", rotation, part)
            elif name == "position":
                middle = mean_pool(part, mask)[:, None, None]
                part = torch.einsum("nij,ntvj->ntvi", rotation, part - middle) + middle
            parts.append(part)
        return torch.cat(parts, -1)

    def _blurred(self, x: Tensor, mask: Tensor | None) -> Tensor:
        N, T, V, C = x.shape
        sigma = torch.empty(N, 1, device=x.device, dtype=x.dtype).uniform_(0.1, 0.4)
        sigma[torch.rand(N, device=x.device) < 0.5] = 0.01
        offset = torch.arange(-_TAPS, _TAPS + 1, device=x.device)
        kernel = torch.exp(-(offset**2) / (2 * sigma**2))[:, None]
        real = x.new_ones(N, T) if mask is None else mask.to(x.dtype)
        rows = zero_padding(x, mask).permute(2, 3, 0, 1).reshape(V * C, N, T)
        along = partial(F.conv1d, weight=kernel, padding=_TAPS, groups=N)
        y = along(rows) / along(real[None]).clamp(min=1e-6)
        return y.view(V, C, N, T).permute(2, 3, 0, 1)


def random_rotations(count: int, largest: float, device: torch.device) -> Tensor:
    """Matrices (N, 3, 3): turned about x, then y, then z by angles up to ±`largest` radians."""
    angle = largest * (2 * torch.rand(3, count, device=device) - 1)
    zero, one = torch.zeros(count, device=device), torch.ones(count, device=device)

    def about(axis: int) -> Tensor:
        c, s = angle[axis].cos(), angle[axis].sin()
        rows: Any = (
            ((one, zero, zero), (zero, c, -s), (zero, s, c)),
            ((c, zero, s), (zero, one, zero), (-s, zero, c)),
            ((c, -s, zero), (s, c, zero), (zero, zero, one)),
        )[axis]
        return torch.stack([torch.stack(row, -1) for row in rows], -2)

    return about(2) @ about(1) @ about(0)


class ReCon(BlockNetwork):
    """Graph and bottleneck convolutions, trained by contrast, then by the score.

    The contrast is between recordings of all exercises where ``trainer.exercises`` is ``all``.

    Args:
        embedding: width of what is contrasted.
        contrast_epochs: epochs of the contrast before those of the score.
        scoring: ``regression``, two layers on the mean features; ``reference``, how close a
            sequence is to those done well, for which all epochs are of the contrast.
        well: a recording counts as done well from so many deviations above the mean of its
            exercise's scores.
        temperature: of the contrast.

    Raises:
        ConfigError: unequal numbers of channels and strides, no such scoring, or a negative number
            of epochs.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        channels: Sequence[int] = (64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 2, 1, 1, 2, 1, 1),
        embedding: int = 128,
        contrast_epochs: int = 30,
        scoring: str = "regression",
        well: float = 0.0,
        temperature: float = 0.1,
    ) -> None:
        if scoring not in SCORINGS:
            raise ConfigError(f"scoring is {scoring!r}: choose one of {', '.join(SCORINGS)}")
        if contrast_epochs < 0:
            raise ConfigError(f"contrast_epochs is {contrast_epochs}, expected 0 or more")
        block = partial(ReConBlock, graph=build_graph(layout, "symmetric"))
        super().__init__(layout, block, streams, channels, strides)
        self.views = Views(layout.num_joints, self.streams)
        self.head = ContrastiveHead.of(
            channels[-1],
            [channels[-1]],
            embedding=embedding,
            contrast_epochs=contrast_epochs,
            scoring=scoring,
            well=well,
            temperature=temperature,
        )

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        if not isinstance(self.head, ContrastiveHead):
            return super().forward(batch)
        x, mask = self.stacked(batch), batch.mask
        if self.training and self.head.contrasting:
            frames = max(1, round(x.shape[1] * float(torch.empty(()).uniform_(0.7, 1.0))))
            twice = mask if mask is None else mask.repeat(2, 1)
            both = self.trunk(*self.views(x.repeat(2, 1, 1, 1), twice, frames))
            features = torch.cat(self.pool(*both).chunk(2), dim=1)
        else:
            features = self.pool(*self.trunk(x, mask))
        return self.head(features)

    def prepare(self, batch: Batch, scaler: StreamScaler) -> None:
        """Take the scale of the streams, to make views in their own units."""
        self.views.set_scale(scaler)

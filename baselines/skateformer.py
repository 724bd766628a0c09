"""SkateFormer: attention among near or far joints, at near or far times.

Do, Kim, "SkateFormer: Skeletal-Temporal Transformer for Human Action Recognition", ECCV 2024,
arXiv 2403.09508.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import resample_frames
from zoo.nn.temporal import TemporalConv
from zoo.nn.trunk import require_one_each
from zoo.skeleton.layout import Layout

TYPES = ((False, False), (False, True), (True, False), (True, True))
"""The four Skate-types as (far times, far joints)."""

SHARE = 2 * len(TYPES)
"""Each type has one of so many parts of the channels; the other half goes to convolutions."""


def body_parts(layout: Layout) -> Tensor:
    """Joints by part, (K, L) long; -1 where a part has fewer than L joints.

    Parts are the layout's, in its order; joints in none of them are one part more. A joint in
    several parts counts for the first.
    """
    parts, taken = [], set()
    for members in (*layout.parts.values(), range(layout.num_joints)):
        part = [joint for joint in members if joint not in taken]
        taken.update(part)
        if part:
            parts.append(torch.tensor(part))
    return nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=-1)


class SkateAttention(nn.Module):
    r"""Self-attention within the partitions of one Skate-type.

    .. math::
        \mathrm{softmax}\Bigl(\frac{Q K^\top}{\sqrt{H}} + B\Bigr) V

    A partition holds P frames, which follow each other or lie T/P apart, of the joints of one body
    part (near joints) or of one joint from every part (far joints). B depends on the distance in
    time, and among far joints on both body parts too. H, the number of heads, under the root is
    the authors' code.

    Args:
        heads: H of this type.
        parts: joints by part, (K, L), -1 for none.
        frames: P.
        far_times: frames lie T/P apart.
        far_joints: a partition has one joint of every part.
        dropout: of attention weights.

    Shapes: qkv (N, T, V, 3·C'), T a multiple of P → (N, T, V, C').
    """

    slots: Tensor
    places: Tensor
    absent: Tensor
    apart: Tensor

    def __init__(
        self,
        heads: int,
        parts: Tensor,
        frames: int,
        *,
        far_times: bool,
        far_joints: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.frames = frames
        self.far_times = far_times
        self.dropout = Dropout(dropout)
        self.grid = parts.t() if far_joints else parts  # (partitions, joints of one)
        joints = self.grid.shape[1]
        slots = self.grid.flatten()
        self.register_buffer("slots", slots.clamp(min=0), persistent=False)
        self.register_buffer("places", torch.argsort(slots)[(slots < 0).sum() :], persistent=False)
        absent = torch.zeros(self.grid.shape).masked_fill(self.grid < 0, float("-inf"))
        self.register_buffer("absent", absent.repeat(1, frames)[:, None, None], persistent=False)
        time = torch.arange(frames)
        self.register_buffer("apart", time[:, None] - time + frames - 1, persistent=False)
        pairs = (joints, joints) if far_joints else (1, 1)
        self.bias = nn.Parameter(torch.empty(2 * frames - 1, *pairs, heads))
        nn.init.trunc_normal_(self.bias, std=0.02)

    def position_bias(self) -> Tensor:
        """B and, for slots without a joint, minus infinity: (partitions, H, A, A), A = P·joints."""
        joints = self.grid.shape[1]
        bias = self.bias[self.apart].permute(4, 0, 2, 1, 3)  # (H, P, 1 or joints, P, 1 or joints)
        bias = bias.expand(-1, -1, joints, -1, joints)
        area = self.frames * joints
        return bias.reshape(self.heads, area, area) + self.absent

    def forward(self, qkv: Tensor) -> Tensor:
        """Let the joints of every partition look at each other."""
        N, T, _, _ = qkv.shape
        partitions, joints = self.grid.shape
        steps = T // self.frames
        x = qkv.index_select(2, self.slots).unflatten(2, (partitions, joints))
        x = x.unflatten(-1, (3, self.heads, -1))
        # (N, P, steps, ...) where times are far, (N, steps, P, ...) where they are near.
        split = (self.frames, steps) if self.far_times else (steps, self.frames)
        x = x.unflatten(1, split)
        x = x.transpose(1, 2) if self.far_times else x
        # (N, steps, P, partitions, joints, 3, H, d) → three of (N·steps, partitions·H, A, d)
        x = x.permute(5, 0, 1, 3, 6, 2, 4, 7).reshape(
            3, N * steps, partitions * self.heads, self.frames * joints, -1
        )
        query, key, value = x.unbind(0)
        logits = (query * self.heads**-0.5) @ key.transpose(-1, -2)
        weights = torch.softmax(logits + self.position_bias().flatten(0, 1), dim=-1)
        y = self.dropout(weights) @ value
        y = y.reshape(N, steps, partitions, self.heads, self.frames, joints, -1)
        y = y.permute(0, 1, 4, 2, 5, 3, 6)  # (N, steps, P, partitions, joints, H, d)
        y = y.transpose(1, 2) if self.far_times else y
        y = y.reshape(N, T, partitions * joints, -1)
        return y.index_select(2, self.places)


class DropPath(nn.Module):
    """Leaves a branch out for a whole sequence, with this probability, in training.

    Huang et al., ECCV 2016, "Deep networks with stochastic depth".
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """`x` (N, ...) with sequences set to zero and the others scaled up."""
        if not self.training or self.probability == 0.0:
            return x
        keep = 1 - self.probability
        kept = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) < keep
        return x * kept / keep


class SkateFormerBlock(nn.Module):
    r"""Convolution over the graph, along time and four attentions side by side.

    .. math::
        y = x + W\,[\mathrm{GConv}(h_1), \mathrm{TConv}(h_2), \mathrm{MSA}_1(h_3), \dots,
        \mathrm{MSA}_4(h_6)], \quad h = W_0 \mathrm{LN}(x), \qquad
        z = y + \mathrm{MLP}(\mathrm{LN}(y))

    Args:
        parts: joints by part, (K, L).
        frames: P of the partitions.
        heads: of all branches together.
        kernel_size: as ``mlp_ratio`` and ``attention_dropout`` of `SkateFormer`.
        drop_path: probability of leaving out a branch.

    Shapes: x (N, T, V, C) → the same.
    """

    def __init__(
        self,
        channels: int,
        num_joints: int,
        parts: Tensor,
        *,
        frames: int,
        heads: int,
        kernel_size: int,
        mlp_ratio: float,
        attention_dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        groups, quarter = heads // 4, channels // 4
        self.norm = nn.LayerNorm(channels)
        self.mapping = nn.Linear(channels, 2 * channels)
        self.graph = nn.Parameter(torch.empty(groups, num_joints, num_joints))
        self.temporal = nn.Conv2d(
            quarter, quarter, (kernel_size, 1), padding=(kernel_size // 2, 0), groups=groups
        )
        self.attention = nn.ModuleList(
            SkateAttention(
                heads // SHARE,
                parts,
                frames,
                far_times=far_times,
                far_joints=far_joints,
                dropout=attention_dropout,
            )
            for far_times, far_joints in TYPES
        )
        self.projection = nn.Linear(channels, channels)
        self.drop_path = DropPath(drop_path)
        hidden = int(mlp_ratio * channels)
        self.mlp = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, hidden),
            nn.GELU(),
            nn.Linear(hidden, channels),
        )
        self.widths = [quarter, quarter, *[3 * channels // SHARE] * len(TYPES)]
        nn.init.trunc_normal_(self.graph, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Features after the block."""
        near, along, *others = self.mapping(self.norm(x)).split(self.widths, dim=-1)
        grouped = near.unflatten(-1, (len(self.graph), -1))
        y = [
            torch.einsum("gwv,ntvgc->ntwgc", self.graph, grouped).flatten(-2),
            self.temporal(along.permute(0, 3, 1, 2)).permute(0, 2, 3, 1),
            *(attend(qkv) for attend, qkv in zip(self.attention, others, strict=True)),
        ]
        x = x + self.drop_path(self.projection(torch.cat(y, dim=-1)))
        return x + self.drop_path(self.mlp(x))


class SkateFormer(ScoreModel):
    """SkateFormer with a regression head (arXiv 2403.09508).

    Every sequence is seen at the same number of times, evenly spaced from its first to its last
    frame. The paper adds the answers of four networks, on position, bone, joint_motion and
    bone_motion.

    Args:
        layout: the skeleton, with its body parts.
        frames: times at which a sequence is seen.
        window: frames of a partition.
        channels: width of each stage; time is halved between stages.
        depths: blocks of each stage.
        heads: of each block, a multiple of 8.
        kernel_size: frames of the convolutions along time, odd.
        mlp_ratio: width of the MLPs, in channels.
        attention_dropout: of attention weights.
        drop_path: probability of leaving out a branch, in the last block; it grows to this from
            zero in the first.
        dropout: probability before the head.

    Raises:
        ConfigError: sizes that do not fit together.
    """

    time: Tensor

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        frames: int = 64,
        window: int = 8,
        channels: Sequence[int] = (96, 192, 192, 192),
        depths: Sequence[int] = (2, 2, 2, 2),
        heads: int = 32,
        kernel_size: int = 7,
        mlp_ratio: float = 4.0,
        attention_dropout: float = 0.5,
        drop_path: float = 0.2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(layout, streams)
        require_one_each("stage", channels=channels, depths=depths)
        shortest = window * 2 ** (len(channels) - 1)
        if frames % shortest:
            raise ConfigError(
                f"frames={frames} must be a multiple of {shortest}: after halving between "
                f"{len(channels)} stages whole windows of {window} must be left"
            )
        if heads % SHARE or any(width % heads for width in channels):
            raise ConfigError(
                f"heads={heads} must be a multiple of {SHARE} and divide channels={list(channels)}"
            )
        self.frames = frames
        block = partial(
            SkateFormerBlock,
            num_joints=layout.num_joints,
            parts=body_parts(layout),
            frames=window,
            heads=heads,
            kernel_size=kernel_size,
            mlp_ratio=mlp_ratio,
            attention_dropout=attention_dropout,
        )
        width, raw = channels[0], self.in_channels
        self.stem = nn.Sequential(
            nn.Linear(raw, 2 * raw),
            nn.GELU(),
            nn.Linear(2 * raw, 3 * raw),
            nn.GELU(),
            nn.Linear(3 * raw, width),
        )
        self.joint_embedding = nn.Parameter(torch.empty(layout.num_joints, width))
        nn.init.trunc_normal_(self.joint_embedding, std=0.02)
        self.register_buffer("time", time_encoding(frames, width), persistent=False)

        dropped = iter(torch.linspace(0, drop_path, sum(depths)).tolist())
        self.downs = nn.ModuleList()
        self.stages = nn.ModuleList()
        for out_channels, depth in zip(channels, depths, strict=True):
            if self.stages:
                self.downs.append(TemporalConv(width, out_channels, kernel_size, stride=2))
            self.stages.append(
                nn.Sequential(*(block(out_channels, drop_path=next(dropped)) for _ in range(depth)))
            )
            width = out_channels
        self.head = MSEHead.of(width, dropout=dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last stage (N, T', V, C), none of them padded."""
        x = resample_frames(self.stacked(batch), batch.mask, self.frames)
        # Skate-Embedding: a time times a joint, not their sum.
        x = self.stem(x) + self.time[:, None] * self.joint_embedding
        x = self.stages[0](x)
        for down, stage in zip(self.downs, self.stages[1:], strict=True):
            x = stage(down(x))
        return x, None


def time_encoding(frames: int, channels: int) -> Tensor:
    """Sines and cosines (Vaswani et al. 2017) of times from -1 to 1, (frames, channels)."""
    times = torch.linspace(-1, 1, frames).unsqueeze(1)
    rates = 10000.0 ** (-torch.arange(0, channels, 2) / channels)
    return torch.stack([(times * rates).sin(), (times * rates).cos()], dim=-1).flatten(1)

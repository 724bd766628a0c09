"""SGN: joints that know their name, frames that know their number.

Zhang, Lan, Zeng, Xing, Xue, Zheng, "Semantics-Guided Neural Networks for Efficient Skeleton-Based
Human Action Recognition", CVPR 2020, arXiv 1904.01189.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.norm import BatchNorm, InputNorm
from zoo.nn.sequence import SequenceConv, SequenceNorm, resample_frames
from zoo.skeleton.layout import Layout


class Embedding(nn.Sequential):
    """Two linear layers with ReLU: eq. 1 of the paper, and its embeddings of names and numbers.

    Shapes: (..., C_in) → (..., C_out).
    """

    def __init__(self, in_channels: int, hidden: int, out_channels: int) -> None:
        super().__init__(
            nn.Linear(in_channels, hidden), nn.ReLU(), nn.Linear(hidden, out_channels), nn.ReLU()
        )


class FrameGraph(nn.Module):
    r"""A graph of each frame's own, eq. 2.

    .. math:: G_{t,v,w} = \mathrm{softmax}_w(\theta(z_{t,v})^\top \phi(z_{t,w}))

    Shapes: z (N, T, V, C_in) → (N, T, V, V), rows sum to one.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.theta = nn.Linear(in_channels, channels)
        self.phi = nn.Linear(in_channels, channels)

    def forward(self, z: Tensor) -> Tensor:
        """The graph of each frame."""
        return torch.softmax(self.theta(z) @ self.phi(z).transpose(-2, -1), dim=-1)


class FrameGraphConv(nn.Module):
    r"""Graph convolution with residual weights, eq. 3, then batch normalisation and ReLU.

    .. math:: y_t = \mathrm{ReLU}(\mathrm{BN}(G_t z_t W + z_t W' + b))

    W starts at zero, as in the released code: at first every joint is by itself.

    Shapes: z (N, T, V, C_in), graph (N, T, V, V) → (N, T, V, C_out).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.neighbours = nn.Linear(in_channels, out_channels, bias=False)
        self.itself = nn.Linear(in_channels, out_channels)
        self.norm = BatchNorm(out_channels, relu=True)
        nn.init.zeros_(self.neighbours.weight)

    def forward(self, z: Tensor, graph: Tensor) -> Tensor:
        """Gather and add."""
        return self.norm(self.neighbours(graph @ z) + self.itself(z))


class SGN(ScoreModel):
    r"""Semantics-guided network.

    .. math::
        z_{t,v} = [\mathrm{E}(x_{t,v}) + \mathrm{E}(x_{t,v} - x_{t-1,v}),\ \mathrm{E}(v)]

    Joint level: three graph convolutions over z with one graph a frame. Frame level: the embedded
    number of the frame is added, the maximum over joints taken, two convolutions along time, the
    maximum over frames.

    Args:
        frames: T that a sequence is resampled to.
        channels: C of a joint's embedding.
        dropout: probability, of whole channels, between the convolutions along time.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        frames: int = 20,
        channels: int = 64,
        dropout: float = 0.2,
    ) -> None:
        super().__init__(layout, streams)
        self.frames = frames
        width, C = self.in_channels, channels
        self.position_norm = InputNorm(layout.num_joints, width)
        self.velocity_norm = InputNorm(layout.num_joints, width)
        self.position = Embedding(width, C, C)
        self.velocity = Embedding(width, C, C)
        self.joint_name = Embedding(layout.num_joints, C, C)
        self.frame_number = Embedding(frames, C, 4 * C)
        self.frame_graph = FrameGraph(2 * C, 4 * C)
        self.joint_level = nn.ModuleList(
            FrameGraphConv(before * C, after * C) for before, after in ((2, 2), (2, 4), (4, 4))
        )
        self.conv1 = SequenceConv(4 * C, 4 * C, 3)
        self.norm1 = SequenceNorm(4 * C)
        self.conv2 = SequenceConv(4 * C, 8 * C)
        self.norm2 = SequenceNorm(8 * C)
        self.dropout = nn.Dropout1d(dropout)
        self.head = MSEHead.of(8 * C)

    def represent(self, batch: Batch) -> Tensor:
        """Z of every joint and frame, (N, T, V, 2·C)."""
        x = resample_frames(self.stacked(batch), batch.mask, self.frames)
        velocity = F.pad(x[:, 1:] - x[:, :-1], (0, 0, 0, 0, 1, 0))
        dynamics = self.position(self.position_norm(x))
        dynamics = dynamics + self.velocity(self.velocity_norm(velocity))
        names = self.joint_name(torch.eye(self.num_joints, dtype=x.dtype, device=x.device))
        return torch.cat([dynamics, names.expand_as(dynamics)], dim=-1)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The maximum over frames of what the last convolution gives (N, C)."""
        z = self.represent(batch)
        graph = self.frame_graph(z)
        for layer in self.joint_level:
            z = layer(z, graph)
        numbers = self.frame_number(torch.eye(self.frames, dtype=z.dtype, device=z.device))
        y = (z + numbers.unsqueeze(1)).amax(2)
        y = F.relu(self.norm1(self.conv1(y)))
        y = self.dropout(y.transpose(1, 2)).transpose(1, 2)
        return F.relu(self.norm2(self.conv2(y))).amax(1), None

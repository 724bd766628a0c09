"""JRG: what joints have in common with their neighbours, and how they differ from them.

Pan, Gao, Zheng, "Action Assessment by Joint Relation Graphs", ICCV 2019, pages 6331-6340.

The paper's joint features come from video patches; here they come from the skeleton. What follows
from that is in configs/model/jrg.yaml.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.masking import zero_padding
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import SequenceConv
from zoo.nn.temporal import FrameConv
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


def segment_means(x: Tensor, mask: Tensor | None, length: int) -> tuple[Tensor, Tensor | None]:
    """Means over the real frames of each `length` frames.

    Args:
        x: (N, T, ...).
        mask: (N, T) bool, or None.
        length: L, frames of a segment; the last one may be shorter.

    Returns:
        (N, ceil(T / L), ...) and, where there is a mask, which segments have a real frame.
    """
    N, T = x.shape[:2]
    short = -T % length
    real = x.new_ones(N, T, dtype=torch.bool) if mask is None else mask
    x = F.pad(zero_padding(x, mask).flatten(2), (0, 0, 0, short)).unflatten(2, x.shape[2:])
    counts = F.pad(real, (0, short)).unflatten(1, (-1, length)).sum(2)
    total = x.unflatten(1, (-1, length)).sum(2)
    means = total / counts.clamp(min=1)[(..., *[None] * (total.dim() - 2))]
    return means, None if mask is None else counts > 0


class RelationGraph(nn.Module):
    """Learnable relations |R| ⊙ B between joints, B being bones and self loops.

    Args:
        bones: (V, V) bool, symmetric.

    Shapes: → (V, V) non-negative, [joint, neighbour].
    """

    bones: Tensor

    def __init__(self, bones: Tensor) -> None:
        super().__init__()
        self.relations = nn.Parameter(torch.rand(bones.shape))
        self.register_buffer("bones", bones, persistent=False)

    def forward(self) -> Tensor:
        """The graph as it is now."""
        return self.relations.abs() * self.bones


def joint_differences(x: Tensor, other: Tensor, graph: Tensor, weight: Tensor) -> Tensor:
    r"""How each joint differs from its neighbours, the paper's difference module.

    .. math:: D_{t,i} = \sum_j w_j A_{ij} (x_{t,i} - o_{t,j})

    Args:
        x: (N, S, V, M) features of joints.
        other: (N, S, V, M) features they are compared with.
        graph: A, (V, V).
        weight: w, (V,).

    Returns:
        (N, S, V, M).
    """
    weighted = graph * weight
    return x * weighted.sum(1).unsqueeze(1) - weighted @ other


class JRG(ScoreModel):
    r"""Joint relation graphs over segments of a movement.

    With F_t (V, M) the joints' features in segment t, q_t those of the whole body, A_s the spatial
    and A_p the temporal relation graph, and means over joints:

    .. math::
        h_t^0 = \overline{F_t}, \quad h_t^1 = \overline{A_s F_t}, \quad
        d_t^s = \overline{D(F_t, F_t; A_s)}, \quad d_t^p = \overline{D(F_t, F_{t-1}; A_p)}

    .. math::
        v_t = \sum_i \alpha_i\, \mathrm{ReLU}(W_i u_i + b_i) + \beta_i, \quad
        u_i \in \{q_t, h_t^0, h_t^1, d_t^s, d_t^p\}, \qquad
        s = \tfrac{1}{S} \sum_t w^\top \mathrm{ReLU}(W v_t + b) + c

    Args:
        channels: M.
        kernel_size: frames that a feature sees.
        segment: frames of a segment.
        encoded: width of the encoded features and of v.
        hidden: width of the regression's hidden layer.
        dropout: probability after each encoder.

    Raises:
        ConfigError: segments of no frame.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        channels: int = 128,
        kernel_size: int = 9,
        segment: int = 10,
        encoded: int = 256,
        hidden: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(layout, streams)
        if segment < 1:
            raise ConfigError(f"segment is {segment}: a segment needs at least one frame")
        self.segment = segment
        width = self.in_channels
        self.joint_features = FrameConv(width, channels, kernel_size)
        self.whole_features = SequenceConv(layout.num_joints * width, channels, kernel_size)
        bones = hop_distance(layout) <= 1
        self.spatial = RelationGraph(bones)
        self.temporal = RelationGraph(bones)
        self.spatial_weight = nn.Parameter(torch.ones(layout.num_joints))
        self.temporal_weight = nn.Parameter(torch.ones(layout.num_joints))
        self.encoders = nn.ModuleList(nn.Linear(channels, encoded) for _ in range(5))
        self.alpha = nn.Parameter(torch.full((5, 1), 0.2))
        self.beta = nn.Parameter(torch.zeros(encoded))
        self.hidden = nn.Linear(encoded, hidden)
        self.dropout = Dropout(dropout)
        self.head = MSEHead.of(hidden)

    def relate(self, x: Tensor) -> list[Tensor]:
        """The four features of joints x (N, S, V, M): each (N, S, M)."""
        graph = self.spatial()
        before = torch.cat([x[:, :1], x[:, :-1]], dim=1)
        spatial = joint_differences(x, x, graph, self.spatial_weight)
        temporal = joint_differences(x, before, self.temporal(), self.temporal_weight)
        return [y.mean(2) for y in (x, graph @ x, spatial, temporal)]

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What the regression's hidden layer says of each segment (N, S, C), and their mask."""
        x = self.stacked(batch)
        joints = F.relu(self.joint_features(x, batch.mask))
        whole = F.relu(self.whole_features(x.flatten(2), batch.mask))
        joints, mask = segment_means(joints, batch.mask, self.segment)
        whole, _ = segment_means(whole, batch.mask, self.segment)
        features = [whole, *self.relate(joints)]
        encoded = torch.stack(
            [
                self.dropout(F.relu(encode(u)))
                for encode, u in zip(self.encoders, features, strict=True)
            ],
            dim=-2,
        )
        pooled = (self.alpha * encoded).sum(-2) + self.beta
        return F.relu(self.hidden(pooled)), mask

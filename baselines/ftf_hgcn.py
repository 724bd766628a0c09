"""FTF-HGCN: joints gather from those nearby and from the ends of the limbs, anew at every frame.

Zhang et al., "Frame topology fusion-based hierarchical graph convolution for automatic assessment
of physical rehabilitation exercises", Scientific Reports 2025, doi 10.1038/s41598-025-12020-8.

Written from the abstract and the overview of the method, without its equations; what they leave
open is decided in configs/model/ftf-hgcn.yaml.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.stgcn_rehab import STGCNRehab
from zoo.nn.dropout import Dropout
from zoo.nn.hops import HopAttention
from zoo.nn.masking import frame_mean, zero_padding
from zoo.nn.temporal import FrameConv

ORDERS = (1, 2)
"""Bones between a joint and what counts as nearby, one graph each."""


def fused_topology(hops: Tensor, order: int) -> Tensor:
    """Which joint [row] may gather from which [column]: those nearby, and all ends of the limbs.

    Args:
        hops: (V, V) bones between joints.
        order: bones up to which a joint is nearby.

    Returns:
        (V, V) bool; an end is a joint with one bone.
    """
    ends = (hops == 1).sum(0) == 1
    return (hops <= order) | ends


class AttentionAggregation(nn.Module):
    r"""A weight for each joint and channel, from its mean over time.

    .. math:: y_{t,v} = z_{t,v} \odot \sigma(W_2\, \mathrm{ReLU}(W_1 \bar z_v + b_1) + b_2)

    Between W_1 and W_2 the width is half of the channels.

    Shapes: z (N, T, V, C), mask (N, T) or None → (N, T, V, C).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, max(channels // 2, 1))
        self.excite = nn.Linear(max(channels // 2, 1), channels)

    def forward(self, z: Tensor, mask: Tensor | None = None) -> Tensor:
        """Weigh `z`."""
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(frame_mean(z, mask)))))
        return z * gate[:, None]


class TopologyFusionBlock(nn.Module):
    r"""The frame topology fusion block, temporal convolutions side by side, their aggregation.

    .. math::
        k = [x,\ \mathrm{ReLU}(\mathrm{conv}(x))], \qquad
        g = [\mathrm{gather}_1(k),\ \mathrm{gather}_2(k)], \qquad
        z_i = \mathrm{ReLU}(\mathrm{conv}_{k_i}(g)), \qquad
        y = \mathrm{AAM}([z_1, \dots, z_n])

    gather is `HopAttention` over `fused_topology` of one and of two bones.

    Args: as `zoo.nn.hops.HopBlock`, whose temporal convolutions stand on one another.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, n·C_b).
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        branch_channels: int,
        kernel_size: int,
        kernel_sizes: Sequence[int],
        hops: Tensor,
        dropout: float,
    ) -> None:
        super().__init__()
        self.first = FrameConv(in_channels, channels, kernel_size)
        self.gather = nn.ModuleList(
            HopAttention(in_channels + channels, channels, fused_topology(hops, order))
            for order in ORDERS
        )
        self.branches = nn.ModuleList(
            FrameConv(len(ORDERS) * channels, branch_channels, size) for size in kernel_sizes
        )
        self.aggregation = AttentionAggregation(branch_channels * len(kernel_sizes))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features after the block, zero in padded frames."""
        k = torch.cat([x, F.relu(self.first(x, mask))], dim=-1)
        g = torch.cat([gather(k) for gather in self.gather], dim=-1)
        z = torch.cat([F.relu(conv(g, mask)) for conv in self.branches], dim=-1)
        return zero_padding(self.aggregation(self.dropout(z), mask), mask)


class FTFHGCN(STGCNRehab):
    """The frame topology fusion hierarchical graph convolution network.

    Blocks, each but the first with its input added, and LSTMs over the frames, as in
    `STGCNRehab`, whose arguments it takes.
    """

    block = TopologyFusionBlock

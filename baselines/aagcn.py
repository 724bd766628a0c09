"""AAGCN: adaptive graph convolution with attention (Shi, Zhang, Cheng, Lu, IEEE TIP 2020)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.adaptive import AdaptiveSkeletonConv
from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.masking import frame_counts, zero_padding
from zoo.nn.temporal import TemporalConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import SkeletonGraph, build_graph
from zoo.skeleton.layout import Layout


class STCAttention(nn.Module):
    r"""Attention to joints, then frames, then channels (arXiv 1912.06971, "Attention module").

    .. math::
        s = \sigma(g_s(\bar y_{T})),\ y' = y + s\,y; \quad
        a = \sigma(g_t(\bar y'_{V})),\ y'' = y' + a\,y'; \quad
        c = \sigma(W_2\,\mathrm{ReLU}(W_1\,\bar y''_{TV})),\ y''' = y'' + c\,y''

    The bar is the mean over the axes named; g_s is a convolution along the joints as wide as the
    skeleton, g_t one along nine frames; between W_1 and W_2 the width is C / 2.

    Shapes: y (N, T, V, C), mask (N, T) or None → (N, T, V, C).
    """

    def __init__(self, channels: int, num_joints: int) -> None:
        super().__init__()
        joint_kernel = num_joints if num_joints % 2 else num_joints - 1
        self.joints = nn.Conv1d(channels, 1, joint_kernel, padding=joint_kernel // 2)
        self.frames = nn.Conv1d(channels, 1, 9, padding=4)
        self.squeeze = nn.Linear(channels, channels // 2)
        self.excite = nn.Linear(channels // 2, channels)
        nn.init.xavier_normal_(self.joints.weight)
        nn.init.zeros_(self.frames.weight)
        nn.init.zeros_(self.excite.weight)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """Weigh `y`."""
        N, T, V, C = y.shape
        y = zero_padding(y, mask)
        count = T if mask is None else frame_counts(mask).reshape(N, 1, 1)
        # Each step only needs means of the weighted features: they follow from the weights and
        # the means before, so the features themselves are weighted once, at the end.
        joint_mean = y.sum(1) / count
        joints = 1 + torch.sigmoid(self.joints(joint_mean.transpose(1, 2)))  # (N, 1, V)
        frame_mean = (joints.unsqueeze(1) @ y).squeeze(2) / V  # (N, T, C)
        frames = 1 + torch.sigmoid(self.frames(frame_mean.transpose(1, 2)))  # (N, 1, T)
        mean = (frames @ frame_mean / count).squeeze(1)  # (N, C)
        channels = 1 + torch.sigmoid(self.excite(F.relu(self.squeeze(mean))))
        gate = frames.transpose(1, 2) * joints  # (N, T, V)
        return y * gate.unsqueeze(-1) * channels.reshape(N, 1, 1, C)


class AdaptiveUnit(GraphUnit):
    """Adaptive graph convolution from C_in to C_out channels; `graph` is where it starts."""

    def __init__(self, in_channels: int, out_channels: int, graph: SkeletonGraph) -> None:
        conv = AdaptiveSkeletonConv(in_channels, out_channels, graph)
        super().__init__(conv, in_channels, out_channels, closed=True)


class AttendedUnit(AdaptiveUnit):
    """`AdaptiveUnit` with `STCAttention` to what it gives."""

    def __init__(self, in_channels: int, out_channels: int, graph: SkeletonGraph) -> None:
        super().__init__(in_channels, out_channels, graph)
        self.attention = STCAttention(out_channels, graph.num_joints)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve `x` and weigh it."""
        return self.attention(super().forward(x, mask), mask)


class AAGCN(BlockNetwork):
    """AAGCN, one stream of MS-AAGCN, with a regression head (arXiv 1912.06971).

    Args:
        partition: of the edges the learnable adjacency starts from.
        kernel_size: frames a temporal convolution sees, odd.
        attention: with the attention modules.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        partition: str = "spatial",
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        kernel_size: int = 9,
        attention: bool = True,
        dropout: float = 0.0,
    ) -> None:
        graph = build_graph(layout, partition)

        def block(c_in: int, c_out: int, *, stride: int, residual: bool) -> SpaceTimeBlock:
            spatial = (AttendedUnit if attention else AdaptiveUnit)(c_in, c_out, graph)
            temporal = TemporalConv(c_out, c_out, kernel_size, stride)
            return SpaceTimeBlock(spatial, temporal, c_in, c_out, stride=stride, residual=residual)

        super().__init__(layout, block, streams, channels, strides, dropout)

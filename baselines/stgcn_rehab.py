"""STGCN-rehab: graph convolutions whose attention is recurrent, then LSTMs over the frames.

Deb, Islam, Rahman, Rahman, "Graph Convolutional Networks for Assessment of Physical Rehabilitation
Exercises", IEEE TNSRE 30, 2022, doi 10.1109/TNSRE.2022.3150392.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import RegressionHead
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import zero_padding
from zoo.nn.recurrent import RecurrentLayer, run_cell
from zoo.nn.temporal import FrameConv
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


class HopAttention(nn.Module):
    r"""Joints gather from those within k bones, by weights that an LSTM along time finds.

    .. math::
        u_{t,v} &= \mathrm{ReLU}(W x_{t,v} + b) \\
        e_{t,v} &= \mathrm{LSTM}(u_{1,v}, \dots, u_{t,v}) \in \mathbb{R}^V \\
        \alpha_{t,v,w} &= \mathrm{softmax}_{w:\ h_{vw} \le k}(\mathrm{LeakyReLU}(e_{t,v,w})) \\
        y_{t,v} &= \sum_w \alpha_{t,v,w}\, u_{t,w}

    The released code calls the LSTM a ConvLSTM with kernel 1×1 over joints: one cell with V
    hidden units, shared by all joints.

    Args:
        in_channels: C_in.
        channels: C of u and y.
        near: (V, V) bool, True where a joint [row] may gather from another [column].

    Shapes: x (N, T, V, C_in) → (N, T, V, C).
    """

    near: Tensor

    def __init__(self, in_channels: int, channels: int, near: Tensor) -> None:
        super().__init__()
        self.project = FrameConv(in_channels, channels)
        self.cell = nn.LSTM(channels, near.shape[0], batch_first=True)
        self.register_buffer("near", near, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Gather; a frame depends on those before it only."""
        u = F.relu(self.project(x))
        N, T, V, C = u.shape
        states = run_cell(self.cell, u.transpose(1, 2).reshape(N * V, T, C))
        logits = F.leaky_relu(states.view(N, V, T, V).transpose(1, 2), 0.2)
        weights = torch.softmax(logits.masked_fill(~self.near, float("-inf")), dim=-1)
        return weights.to(u.dtype) @ u


class SGCNBlock(nn.Module):
    r"""Convolution along time, attention over one and two hops, three stacked convolutions.

    .. math::
        k = [x,\ \mathrm{ReLU}(\mathrm{conv}_9(x))], \qquad
        g = [\mathrm{hop}_1(k),\ \mathrm{hop}_2(k)]

    .. math::
        z_1 = \mathrm{ReLU}(\mathrm{conv}_9(g)), \quad z_2 = \mathrm{ReLU}(\mathrm{conv}_{15}(z_1)),
        \quad z_3 = \mathrm{ReLU}(\mathrm{conv}_{20}(z_2)), \qquad y = [z_1, z_2, z_3]

    with dropout after each z.

    Args:
        in_channels: C_in.
        channels: of the first convolution and of each hop.
        branch_channels: C_b, of each z.
        kernel_size: of the first convolution.
        kernel_sizes: of the three.
        hops: (V, V) bones between joints.
        dropout: probability.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, 3·C_b).
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
        widened = in_channels + channels
        self.hops = nn.ModuleList(HopAttention(widened, channels, hops <= k) for k in (1, 2))
        widths = [2 * channels] + [branch_channels] * (len(kernel_sizes) - 1)
        self.branches = nn.ModuleList(
            FrameConv(width, branch_channels, size)
            for width, size in zip(widths, kernel_sizes, strict=True)
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features after the block, zero in padded frames."""
        k = torch.cat([x, F.relu(self.first(x, mask))], dim=-1)
        z = torch.cat([hop(k) for hop in self.hops], dim=-1)
        branches = []
        for conv in self.branches:
            z = self.dropout(F.relu(conv(z, mask)))
            branches.append(z)
        return zero_padding(torch.cat(branches, dim=-1), mask)


class STGCNRehab(nn.Module):
    """The graph-ConvLSTM network of Deb et al. 2022.

    Blocks of graph convolution, each but the first with its input added; then all joints of a
    frame are one vector for a stack of LSTMs, whose last state is scored.

    Args:
        layout: the skeleton.
        streams: what goes in, side by side along the channels.
        blocks: number of blocks.
        channels: of a block's first convolution and of each of its hops.
        branch_channels: of each of its last convolutions.
        kernel_size: frames the first convolution sees.
        kernel_sizes: frames each of the last ones sees, stacked on one another.
        recurrent: width of each LSTM.
        dropout: probability after the last convolutions and after each LSTM.

    Raises:
        ConfigError: no block, no last convolution, no LSTM, or an unknown stream.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        blocks: int = 3,
        channels: int = 64,
        branch_channels: int = 16,
        kernel_size: int = 9,
        kernel_sizes: Sequence[int] = (9, 15, 20),
        recurrent: Sequence[int] = (80, 40, 40, 80),
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        if blocks < 1 or not kernel_sizes or not recurrent:
            raise ConfigError(
                f"blocks={blocks}, kernel_sizes={list(kernel_sizes)}, recurrent={list(recurrent)}: "
                "the network needs at least one of each"
            )
        self.streams = stream_names(streams)
        self.num_joints = layout.num_joints
        hops = hop_distance(layout)
        width = branch_channels * len(kernel_sizes)
        self.blocks = nn.ModuleList(
            SGCNBlock(
                width if index else stream_channels(self.streams),
                channels,
                branch_channels,
                kernel_size,
                kernel_sizes,
                hops,
                dropout,
            )
            for index in range(blocks)
        )
        widths = [layout.num_joints * width, *recurrent]
        self.cells = nn.ModuleList(
            RecurrentLayer(nn.LSTM, c_in, c_out)
            for c_in, c_out in zip(widths, recurrent, strict=False)
        )
        self.dropout = Dropout(dropout)
        self.head = RegressionHead(recurrent[-1])

    def extract(self, batch: Batch) -> Tensor:
        """Features of the last block (N, T, V, C), zero in padded frames."""
        x = zero_padding(stack_streams(batch, self.streams, self.num_joints), batch.mask)
        for index, block in enumerate(self.blocks):
            y = block(x, batch.mask)
            x = y + x if index else y
        return x

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        x = self.extract(batch).flatten(2)
        for cell in self.cells:
            states, final = cell(x, batch.mask)
            x = self.dropout(states)
        features = self.dropout(final)
        return Prediction(score=self.head(features), features=features)

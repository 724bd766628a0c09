"""Graph convolution whose weights a recurrent cell finds anew at every frame."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.dropout import Dropout
from zoo.nn.masking import zero_padding
from zoo.nn.recurrent import run_cell
from zoo.nn.temporal import FrameConv


class HopAttention(nn.Module):
    r"""Joints gather from those within k bones, by weights that a recurrent cell finds.

    .. math::
        u_{t,v} &= \mathrm{ReLU}(W x_{t,v} + b) \\
        e_{t,v} &= \mathrm{cell}(u_{1,v}, \dots, u_{t,v}) \in \mathbb{R}^V \\
        \alpha_{t,v,w} &= \mathrm{softmax}_{w:\ h_{vw} \le k}(\mathrm{LeakyReLU}(e_{t,v,w})) \\
        y_{t,v} &= \sum_w \alpha_{t,v,w}\, u_{t,w}

    An LSTM in Deb et al. 2022 (doi 10.1109/TNSRE.2022.3150392), whose code has it as a ConvLSTM
    with kernel 1×1 over the joints: one cell with V hidden units, shared by all joints. A GRU in
    the same place makes it the ConvGRU of Mourchid and Slama 2023 (arXiv 2401.06150).

    Args:
        channels: C of u and y.
        near: (V, V) bool, True where a joint [row] may gather from another [column].
        cell: `torch.nn.LSTM` or `torch.nn.GRU`.

    Shapes: x (N, T, V, C_in) → (N, T, V, C).
    """

    near: Tensor

    def __init__(
        self,
        in_channels: int,
        channels: int,
        near: Tensor,
        cell: type[nn.LSTM] | type[nn.GRU] = nn.LSTM,
    ) -> None:
        super().__init__()
        self.project = FrameConv(in_channels, channels)
        self.cell = cell(channels, near.shape[0], batch_first=True)
        self.register_buffer("near", near, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Gather; a frame depends on those before it only."""
        u = F.relu(self.project(x))
        N, T, V, C = u.shape
        states = run_cell(self.cell, u.transpose(1, 2).reshape(N * V, T, C))
        logits = F.leaky_relu(states.view(N, V, T, V).transpose(1, 2), 0.2)
        weights = torch.softmax(logits.masked_fill(~self.near, float("-inf")), dim=-1)
        return weights.to(u.dtype) @ u


class HopBlock(nn.Module):
    r"""Convolution along time, attention over one and two hops, three stacked convolutions.

    The block of Deb et al. 2022.

    .. math::
        k = [x,\ \mathrm{ReLU}(\mathrm{conv}_9(x))], \qquad
        g = [\mathrm{hop}_1(k),\ \mathrm{hop}_2(k)]

    .. math::
        z_1 = \mathrm{ReLU}(\mathrm{conv}_9(g)), \quad z_2 = \mathrm{ReLU}(\mathrm{conv}_{15}(z_1)),
        \quad z_3 = \mathrm{ReLU}(\mathrm{conv}_{20}(z_2)), \qquad y = [z_1, z_2, z_3]

    with dropout after each z.

    Args:
        channels: of the first convolution and of each hop.
        branch_channels: C_b, of each z.
        kernel_size: frames the first convolution sees.
        kernel_sizes: frames each of the three sees, stacked on one another.
        hops: (V, V) bones between joints.
        dropout: probability.
        cell: of the attention, `torch.nn.LSTM` or `torch.nn.GRU`.

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
        cell: type[nn.LSTM] | type[nn.GRU] = nn.LSTM,
    ) -> None:
        super().__init__()
        self.first = FrameConv(in_channels, channels, kernel_size)
        widened = in_channels + channels
        self.hops = nn.ModuleList(HopAttention(widened, channels, hops <= k, cell) for k in (1, 2))
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

"""HD-GCN: the skeleton cut into a hierarchy of levels, each a graph of its own.

Lee, Lee, Lee, Lee, "Hierarchically Decomposed Graph Convolutional Networks for Skeleton-Based
Action Recognition", ICCV 2023, doi 10.48550/arXiv.2208.10741.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.blocks import SpaceTimeBlock, shortcut
from zoo.nn.grouped import grouped_graph_product, peak, weighted_layers
from zoo.nn.masking import frame_mean
from zoo.nn.multibranch import CTRGCN_BRANCHES, MultiBranchConv
from zoo.nn.norm import BatchNorm
from zoo.nn.temporal import TemporalConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.layout import Layout, tree_levels

SUBSETS = 3
"""Kinds of edges of a layer: self loops, outward, inward."""


def hierarchy(layout: Layout, center: str | None = None) -> list[list[int]]:
    """Joints by their distance from the centre of mass: the levels of the tree.

    Args:
        layout: with V joints.
        center: name of the joint to begin at; None for the layout's centre.

    Raises:
        ConfigError: fewer than two levels.
    """
    levels = tree_levels(layout.parents_from(layout.center if center is None else center))
    if len(levels) < 2:
        raise ConfigError(f"layout {layout.name!r} has one joint, a hierarchy needs two levels")
    return levels


def hierarchical_graphs(levels: Sequence[Sequence[int]]) -> Tensor:
    """One graph for every two neighbouring levels, all joints of one joined to all of the other.

    Edges go beyond bones: hands and feet of one level meet in a joint of the next.

    Returns:
        (L, 3, V, V) float, [layer, subset, source, target], where the subsets are self loops of
        both levels, edges to the outer level and edges to the inner level; the latter two are
        normalised over targets as the authors' code does.
    """
    joints = sum(map(len, levels))
    graphs = torch.zeros(len(levels) - 1, SUBSETS, joints, joints)
    for graph, inner, outer in zip(graphs, levels, levels[1:], strict=False):
        both = torch.tensor([*inner, *outer])
        graph[0, both, both] = 1.0
        for joint in inner:
            graph[1, joint, list(outer)] = 1 / len(outer)
        for joint in outer:
            graph[2, joint, list(inner)] = 1 / len(inner)
    return graphs


class EdgeConv(nn.Module):
    r"""Convolution over the nearest neighbours in feature space (Wang et al. 2019, DGCNN).

    .. math::
        y_i = \max_{j \in \mathrm{kNN}(i)}
        \mathrm{LeakyReLU}\bigl(\mathrm{BN}(W_a (x_j - x_i) + W_b x_i)\bigr)

    Args:
        groups: G, of independent convolutions side by side.
        channels: C, in and out.
        neighbours: k, a point itself among them; all points where there are fewer.

    Shapes: x (N, G, P, C) of P points → (N, G, P, C).
    """

    def __init__(self, groups: int, channels: int, neighbours: int) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.weight = nn.Parameter(torch.empty(groups, 2 * channels, channels))
        self.norm = BatchNorm(groups * channels)
        nn.init.normal_(self.weight, std=math.sqrt(2 / channels))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the points of each group."""
        _, G, _, C = x.shape
        index = self.nearest(x)  # (N, G, P, k)
        of_difference, of_point = self.weight.split(C, dim=1)
        # W_a (x_j − x_i) + W_b x_i: each point is projected once, not once a pair.
        projected = x @ torch.cat([of_difference, of_point - of_difference], dim=-1)
        there, here = projected.split(C, dim=-1)
        rows = index.flatten(2).unsqueeze(-1).expand(-1, -1, -1, C)
        pairs = there.gather(2, rows).unflatten(2, index.shape[2:]) + here.unsqueeze(3)
        pairs = self.norm(pairs.movedim(1, 3).flatten(3))  # (N, P, k, G·C)
        y = F.leaky_relu(pairs, 0.2).amax(2)
        return y.unflatten(-1, (G, C)).movedim(2, 1)

    @torch.no_grad()
    def nearest(self, x: Tensor) -> Tensor:
        """The k nearest points of each point, (N, G, P, k)."""
        square = x.square().sum(-1)
        distance = square.unsqueeze(-1) + square.unsqueeze(-2) - 2 * x @ x.transpose(-1, -2)
        k = min(self.neighbours, x.shape[2])
        return distance.topk(k, dim=-1, largest=False).indices


class HierarchyAttention(nn.Module):
    r"""A-HA, attention-guided hierarchy aggregation.

    .. math::
        s_l = \mathrm{mean}_{v \in H_l \cup H_{l+1}} W_1 \max_t x_{t,v,l}, \qquad
        y_{t,v} = \sum_l \sigma\bigl(W_2\,\mathrm{EdgeConv}(s)_l\bigr)\, x_{t,v,l}

    Args:
        levels: the hierarchy.

    Shapes: the greatest x of all frames (N, V, L, C) → the weights σ(·) (N, L, C).
    """

    members: Tensor

    def __init__(self, channels: int, levels: Sequence[Sequence[int]]) -> None:
        super().__init__()
        inner = max(1, channels // 4)
        members = torch.zeros(len(levels) - 1, sum(map(len, levels)))
        for row, first, second in zip(members, levels, levels[1:], strict=False):
            row[[*first, *second]] = 1 / (len(first) + len(second))
        self.register_buffer("members", members, persistent=False)
        self.reduce = TemporalConv(channels, inner, kernel_size=1)
        self.edge = EdgeConv(1, inner, neighbours=3)
        self.expand = nn.Linear(inner, channels)

    def forward(self, peaks: Tensor) -> Tensor:
        """What each layer of the hierarchy counts, channel by channel."""
        reduced = F.relu(self.reduce(peaks))  # (N, V, L, C')
        sampled = torch.einsum("lv,nvlc->nlc", self.members, reduced)
        return torch.sigmoid(self.expand(self.edge(sampled.unsqueeze(1)).squeeze(1)))


class HierarchicalConv(nn.Module):
    r"""HD-GC, graph convolution over the layers of the hierarchy.

    .. math::
        z_l = \mathrm{ReLU}(\mathrm{BN}(W_l x)), \qquad
        y_l = \bigl[\mathrm{BN}(W_{l,s}\, z_l A_{l,s})_{s=1,2,3},\
        \mathrm{EdgeConv}(\mathrm{mean}_t z_l)\bigr], \qquad
        y = \mathrm{ReLU}\bigl(\mathrm{BN}(\mathrm{aggregate}_l\, y_l) + \mathrm{down}(x)\bigr)

    The A are learned and start as `hierarchical_graphs`; z and the four parts of y have a quarter
    of the channels each. The sum over layers is weighed by `HierarchyAttention` or plain.

    Args:
        out_channels: C_out, a multiple of 4.
        levels: the hierarchy.
        attention: weigh the layers.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        levels: Sequence[Sequence[int]],
        *,
        attention: bool,
    ) -> None:
        super().__init__()
        self.layers = len(levels) - 1
        inner = out_channels // (SUBSETS + 1)
        self.reduce = TemporalConv(in_channels, self.layers * inner, kernel_size=1)
        self.A = nn.Parameter(hierarchical_graphs(levels))
        self.weight = nn.Parameter(torch.empty(self.layers, SUBSETS, inner, inner))
        self.bias = nn.Parameter(torch.zeros(self.layers, SUBSETS, inner))
        self.subset_norm = BatchNorm(self.layers * SUBSETS * inner)
        self.edge = EdgeConv(self.layers, inner, neighbours=5)
        self.attention = HierarchyAttention(out_channels, levels) if attention else None
        self.norm = BatchNorm(out_channels)
        self.down = shortcut(in_channels, out_channels)
        nn.init.normal_(self.weight, std=math.sqrt(2 / inner))
        # The graph's own path starts almost closed, as in the authors' code.
        nn.init.constant_(self.norm.weight, 1e-6)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out)."""
        N, T, V, _ = x.shape
        z = F.relu(self.reduce(x), inplace=True).unflatten(-1, (self.layers, -1))
        graphs, weight = self.A.transpose(0, 1), self.weight.transpose(0, 1)
        y = grouped_graph_product(z, graphs, weight).flatten(3)
        y = self.subset_norm(y + self.bias.flatten()).reshape(N, T, V, self.layers, -1)
        edge = self.edge(frame_mean(z, mask).transpose(1, 2)).transpose(1, 2)  # (N, V, L, C/4)
        if self.attention is None:
            y, edge = y.sum(3), edge.sum(2)
        else:
            weights = self.attention(torch.cat([peak(y, mask), edge], dim=-1))
            of_subsets, of_edge = weights.split([y.shape[-1], edge.shape[-1]], dim=-1)
            y = weighted_layers(y, of_subsets)
            edge = (edge * of_edge.unsqueeze(1)).sum(2)
        # What EdgeConv gives is the same at all times.
        y = torch.cat([y, edge.unsqueeze(1).expand(-1, T, -1, -1)], dim=-1)
        return F.relu(self.norm(y) + self.down(x), inplace=True)


class HDGCN(BlockNetwork):
    """HD-GCN, one of six networks of the ensemble, with a regression head (arXiv 2208.10741).

    Args:
        center: joint at which the hierarchy begins; None for the layout's centre. The paper adds
            the answers of networks for three centres, each on position and bone.
        channels: width of each block, multiples of 4.

    Raises:
        ConfigError: a width that is no multiple of 4.
        LayoutError: no joint is called `center`.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        center: str | None = None,
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        dropout: float = 0.0,
    ) -> None:
        if any(width % 4 for width in channels):
            raise ConfigError(f"channels={list(channels)} must be multiples of 4")
        levels = hierarchy(layout, center)

        def block(width: int, channels: int, *, stride: int, residual: bool) -> SpaceTimeBlock:
            # The first block has neither a shortcut nor attention.
            spatial = HierarchicalConv(width, channels, levels, attention=residual)
            temporal = MultiBranchConv(channels, channels, CTRGCN_BRANCHES, stride=stride)
            return SpaceTimeBlock(
                spatial, temporal, width, channels, stride=stride, residual=residual
            )

        super().__init__(layout, block, streams, channels, strides, dropout)

"""BlockGCN: joints know how many bones lie between them, and what shape a movement has.

Zhou, Yan, Cheng, Yan, Dai, Hua, "BlockGCN: Redefine Topology Awareness for Skeleton-Based Action
Recognition", CVPR 2024, arXiv 2305.11468.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.blocks import SpaceTimeBlock, shortcut
from zoo.nn.grouped import grouped_graph_product
from zoo.nn.heads import MSEHead
from zoo.nn.masking import frame_counts
from zoo.nn.model import ScoreModel
from zoo.nn.multibranch import CTRGCN_BRANCHES, MultiBranchConv
from zoo.nn.norm import BatchNorm
from zoo.nn.trunk import JointEmbedding, Trunk, require_one_each
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


class BlockConv(nn.Module):
    r"""BlockGC: channels in G groups, each with graphs and a block of weights of its own.

    .. math::
        y_w = \mathrm{ReLU}\Bigl(\mathrm{BN}\bigl(\sum_i b_i + \mathrm{concat}_g\,
        W_{i,g} \sum_v (\hat M_{i,g} + \hat E_{i,g})_{v,w}\, x_{v,g}\bigr) + \mathrm{down}(x_w)
        \Bigr), \qquad E_{i,g,v,w} = e_{i,g}[h_{v,w}]

    There are three subsets i. M is a learned graph that starts as the identity; e is the static
    topological encoding, one learned number for every count h of bones between two joints, which
    starts at zero. The hat divides a graph by the length of its columns.

    Args:
        in_channels: C_in, a multiple of G.
        out_channels: C_out, a multiple of G.
        hops: h (V, V) long.
        groups: G.

    Shapes: x (N, T, V, C_in) → (N, T, V, C_out); a mask is not needed, as no frame looks at
    another.
    """

    hops: Tensor

    def __init__(self, in_channels: int, out_channels: int, hops: Tensor, groups: int) -> None:
        super().__init__()
        subsets = 3
        self.groups = groups
        self.register_buffer("hops", hops, persistent=False)
        self.M = nn.Parameter(torch.eye(len(hops)).repeat(subsets, groups, 1, 1))
        self.encoding = nn.Parameter(torch.zeros(subsets, groups, int(hops.max()) + 1))
        self.weight = nn.Parameter(
            torch.empty(subsets, groups, out_channels // groups, in_channels // groups)
        )
        self.bias = nn.Parameter(torch.zeros(subsets, out_channels))
        self.norm = BatchNorm(out_channels)
        self.down = shortcut(in_channels, out_channels)
        nn.init.normal_(self.weight, std=math.sqrt(2 / out_channels))
        # The graph's own path starts almost closed, as in the authors' code.
        nn.init.constant_(self.norm.weight, 1e-6)

    def graphs(self) -> Tensor:
        """The graphs in use, (subsets, G, V, V) as [.., source, target]."""
        return _unit_columns(self.M) + _unit_columns(self.encoding[:, :, self.hops])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out)."""
        own = x.unflatten(-1, (self.groups, -1))
        y = grouped_graph_product(own, self.graphs(), self.weight.mT, total=True)
        y = y.flatten(-2) + self.bias.sum(0)
        return F.relu(self.norm(y) + self.down(x), inplace=True)


def _unit_columns(graphs: Tensor) -> Tensor:
    return graphs / (torch.linalg.vector_norm(graphs, dim=-2, keepdim=True) + 1e-4)


def barcode(x: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""When the pieces of a skeleton merge, if balls around its joints grow.

    Joints are :math:`d_{u,v} = \lVert \mathrm{mean}_t (x_{t,u} - x_{t,v}) \rVert` apart, as a
    share of the greatest distance. The 0-dimensional persistent homology of their Vietoris-Rips
    complex is born at zero and dies at the edges of the minimum spanning tree, which is what is
    computed here, by Prim's algorithm.

    Args:
        x: (N, T, V, C) coordinates, zero in padded frames.
        mask: (N, T) bool, True for real frames; None when all are.

    Returns:
        (N, V − 1) deaths between 0 and 1, in no order.
    """
    N, T, V, _ = x.shape
    count = T if mask is None else frame_counts(mask).reshape(N, 1, 1)
    mean = x.sum(1) / count
    distance = torch.linalg.vector_norm(mean.unsqueeze(2) - mean.unsqueeze(1), dim=-1)
    distance = distance / distance.amax((1, 2), keepdim=True).clamp(min=1e-12)
    to_tree = distance[:, 0]
    outside = (torch.arange(V, device=x.device) > 0).expand(N, V)
    deaths = []
    for _ in range(V - 1):
        death, joint = to_tree.masked_fill(~outside, float("inf")).min(1, keepdim=True)
        deaths.append(death)
        outside = outside & (torch.arange(V, device=x.device) != joint)
        row = distance.gather(1, joint.unsqueeze(-1).expand(-1, -1, V)).squeeze(1)
        to_tree = torch.minimum(to_tree, row)
    return torch.cat(deaths, dim=1)


class DynamicTopology(nn.Module):
    r"""From a barcode to a vector by learned structure elements (Hofer et al., NeurIPS 2017).

    .. math::
        f_m = \sum_i \exp\bigl(-(s_{m,0}\, c_{m,0})^2 - (s_{m,1} (d_i - c_{m,1}))^2\bigr)

    for the points (0, d_i) of the diagram, which are born at zero.

    Args:
        elements: M.

    Shapes: deaths (N, V − 1) → (N, M).
    """

    def __init__(self, elements: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.rand(elements, 2))
        self.sharpness = nn.Parameter(torch.full((elements, 2), 3.0))

    def forward(self, deaths: Tensor) -> Tensor:
        """Features of each diagram."""
        points = F.pad(deaths.unsqueeze(-1), (1, 0))  # (N, V − 1, 2) as (birth, death)
        scaled = self.sharpness * (points.unsqueeze(2) - self.centers)
        return torch.exp(-scaled.square().sum(-1)).sum(1)


class ShapeEncoding(nn.Module):
    """What a block is told about the shape of a movement: ReLU(BN(W f + b)).

    The vectors f of two movements differ little, which the normalisation magnifies, and with it
    what rounding did to them; the product is therefore taken in double precision.

    Shapes: f (N, M) → (N, C).
    """

    def __init__(self, elements: int, channels: int) -> None:
        super().__init__()
        self.map = nn.Linear(elements, channels)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, f: Tensor) -> Tensor:
        """Encode each sequence's vector."""
        y = F.linear(f.double(), self.map.weight.double(), self.map.bias.double())
        return F.relu(self.norm(y.to(f.dtype)))


class BlockGCN(ScoreModel):
    """BlockGCN with a regression head (arXiv 2305.11468).

    The paper adds the answers of four networks, on position, bone, joint_motion and bone_motion.

    Args:
        channels: width of each block, multiples of `groups`; the embedding has the first one.
        strides: temporal stride of each block.
        groups: of channels with a graph of their own.
        elements: of the barcode's vector; 0 for no dynamic topology.
        dropout: probability before the head.

    Raises:
        ConfigError: unequal numbers of channels and strides, or a width that is no multiple of
            `groups`.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        channels: Sequence[int] = (128, 128, 128, 128, 256, 256, 256, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        groups: int = 8,
        elements: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(layout, streams)
        require_one_each("block", channels=channels, strides=strides)
        if any(width % groups for width in channels):
            raise ConfigError(f"channels={list(channels)} must be multiples of groups={groups}")
        hops = hop_distance(layout)

        def block(c_in: int, c_out: int, *, stride: int, residual: bool) -> SpaceTimeBlock:
            if elements:
                self.shapes.append(ShapeEncoding(elements, c_in))
            spatial = BlockConv(c_in, c_out, hops, groups)
            temporal = MultiBranchConv(c_out, c_out, CTRGCN_BRANCHES, stride=stride)
            return SpaceTimeBlock(spatial, temporal, c_in, c_out, stride=stride)

        stem = JointEmbedding(layout.num_joints, self.in_channels, channels[0])
        self.topology = DynamicTopology(elements) if elements else None
        self.shapes = nn.ModuleList()
        self.trunk = Trunk(stem, block, channels[0], channels, strides)
        self.head = MSEHead.of(channels[-1], dropout=dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last block (N, T', V, C) and the mask at that length (N, T')."""
        x = self.stacked(batch)
        told: list[Tensor] = []
        if self.topology is not None:
            vector = self.topology(barcode(x, batch.mask))
            told = [shape(vector)[:, None, None] for shape in self.shapes]
        return self.trunk(x, batch.mask, told)

"""Three blocks of AAGCN whose graph keeps to the skeleton, all streams in one graph.

Holmberg et al., "Learning Developmental Age from 3D Infant Kinetics Using Adaptive Graph Neural
Networks", IEEE TNSRE 2025, arXiv 2402.14400.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from baselines.aagcn import STCAttention
from zoo.data.batch import Batch
from zoo.nn.adaptive import AdaptiveSkeletonConv
from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.norm import InputNorm
from zoo.nn.temporal import TemporalConv
from zoo.nn.trunk import Trunk
from zoo.skeleton.graph import SkeletonGraph, build_graph
from zoo.skeleton.layout import Layout


class MaskedSkeletonConv(AdaptiveSkeletonConv):
    r"""The adaptive graph convolution of AAGCN, on the skeleton's own edges only.

    .. math::
        y_{n,t,w} = \sum_k \frac{1}{d_{k,w}} \Bigl(b_k + W_k \sum_v M_{k,v,w}
        \bigl(A_{k,v,w} + \alpha\, S_{n,k,v,w}\bigr)\, x_{n,t,v}\Bigr)

    with A, α and S of `AdaptiveSkeletonConv`. M is one on the edges of the graph and zero
    elsewhere; d is one, or the number of edges of type k into joint w.

    Args:
        graph: where A starts, and what M allows.
        masked: with M; else every pair of joints is joined, as in AAGCN.
        average: with d. A then starts with the weight one on every edge. A joint without an edge
            of a type gets nothing from it, not even b_k.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    share: Tensor
    offset: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: SkeletonGraph,
        *,
        masked: bool = True,
        average: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, graph)
        edges = (graph.adjacency() > 0).to(self.A.dtype)
        allowed = edges if masked else torch.ones_like(edges)
        degree = edges.sum(1)  # (K, V) as [type, target]
        if masked:
            self._set_edges(edges)
        if average:
            self.A.data.copy_(edges)
        else:
            degree = torch.ones_like(degree)
        present = degree > 0
        inverse = present / degree.clamp(min=1)
        self.register_buffer("share", allowed * inverse.unsqueeze(1), persistent=False)
        self.register_buffer("offset", inverse.t().contiguous(), persistent=False)

    def sequence_adjacency(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """M (A + α·S) / d, (N, K, V, V) as [sequence, type, source, target]."""
        return self.share * super().sequence_adjacency(x, mask)

    def _joint_bias(self, graph: Tensor) -> Tensor:
        return self.offset @ self.bias


class MaskedUnit(GraphUnit):
    """`MaskedSkeletonConv`, attention to what it gives, and dropout.

    Args:
        graph: of the convolution.
        attention: with `STCAttention`.
        dropout: probability after it.
        **options: of the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: SkeletonGraph,
        *,
        attention: bool,
        dropout: float,
        **options: bool,
    ) -> None:
        conv = MaskedSkeletonConv(in_channels, out_channels, graph, **options)
        super().__init__(conv, in_channels, out_channels, closed=True)
        self.attention = STCAttention(out_channels, graph.num_joints) if attention else None
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve `x`, weigh it and drop some of it."""
        y = super().forward(x, mask)
        return self.dropout(y if self.attention is None else self.attention(y, mask))


class Holmberg2025(ScoreModel):
    """A few blocks of one width over all streams side by side, for little data.

    Batch normalisation of the raw coordinates, blocks of AAGCN with dropout between the graph
    convolution and the one along time, mean over frames and joints, two layers to the score.

    Args:
        partition: of the edges the learnable adjacency starts from.
        width: of all blocks.
        strides: temporal stride of each block.
        kernel_size: frames a temporal convolution sees, odd.
        masked: the adjacency keeps to the skeleton's edges, see `MaskedSkeletonConv`.
        average: messages of a type are averaged in place of summed, as there.
        attention: to joints, frames and channels, as in AAGCN.
        dropout: probability between graph and temporal convolution.
        head_hidden: width of the head's hidden layer.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position", "bone"),
        partition: str = "spatial",
        width: int = 256,
        strides: Sequence[int] = (1, 1, 1),
        kernel_size: int = 13,
        masked: bool = True,
        average: bool = False,
        attention: bool = True,
        dropout: float = 0.5,
        head_hidden: int = 64,
    ) -> None:
        super().__init__(layout, streams)
        graph = build_graph(layout, partition)

        def block(c_in: int, c_out: int, *, stride: int, residual: bool) -> SpaceTimeBlock:
            spatial = MaskedUnit(
                c_in,
                c_out,
                graph,
                attention=attention,
                dropout=dropout,
                masked=masked,
                average=average,
            )
            temporal = TemporalConv(c_out, c_out, kernel_size, stride)
            return SpaceTimeBlock(spatial, temporal, c_in, c_out, stride=stride, residual=residual)

        stem = InputNorm(layout.num_joints, self.in_channels)
        self.trunk = Trunk(stem, block, self.in_channels, [width] * len(strides), strides)
        self.head = MSEHead.of(width, [head_hidden])

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last block (N, T', V, C) and the mask at that length (N, T')."""
        return self.trunk(self.stacked(batch), batch.mask)

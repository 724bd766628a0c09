"""Message passing over the typed edges of one small skeleton graph."""

import math
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing

from zoo.errors import ConfigError
from zoo.skeleton.graph import SkeletonGraph

Order = Literal["auto", "project", "aggregate"]


class SkeletonConv(MessagePassing):
    r"""Graph convolution over K typed edge sets of one skeleton.

    "Implementing ST-GCN" in Yan et al. 2018 (arXiv 1801.07455):

    .. math::
        y_{n,t,w} = \sum_{k=1}^{K} \sum_{v=1}^{V}
        A_{k,v,w}\,\bigl(W_k\, x_{n,t,v} + b_k\bigr)

    Every sequence and every frame shares the same V joints and the same edges, so the graph is
    stored once. Two paths compute the formula. The edge path is PyG's `message` and `aggregate`
    along the typed edges; explain mode and message hooks use it. The fused path is
    `message_and_aggregate`, one batched matrix product with the V×V adjacency of all types, and
    is what runs otherwise. Setting `fuse = False` forces the edge path.

    The sums over k and v can be done in either order. Projecting first turns C_in into K·C_out
    channels and then aggregates those; aggregating first costs less where C_in < C_out.

    Edges are ordered by target, then type, then source: `edge_mask` of PyG's explainers (E,)
    refers to `edge_source`, `edge_type` and `edge_target` in this order.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        graph: the typed edges with their normalised weights.
        importance: multiply A with a learnable mask of the same shape that starts at one
            (edge importance weighting of ST-GCN). Only edges of the graph are affected.
        learnable: A itself is a parameter that starts as the graph (ST-GCN++, AAGCN). Then every
            pair of joints is an edge of every type.
        bias: add the b_k.
        order: ``project`` or ``aggregate`` first; ``auto`` takes the cheaper one.

    Shapes: x (N, T, V, C_in) → (N, T, V, C_out).

    Raises:
        ConfigError: both `importance` and `learnable`, or an unknown `order`.
    """

    SUPPORTS_FUSED_EDGE_INDEX: Final[bool] = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: SkeletonGraph,
        *,
        importance: bool = False,
        learnable: bool = False,
        bias: bool = True,
        order: Order = "auto",
    ) -> None:
        super().__init__(aggr="sum", node_dim=-2)
        if importance and learnable:
            raise ConfigError("choose importance or learnable for the graph, not both")
        if order not in ("auto", "project", "aggregate"):
            raise ConfigError(f"order is {order!r}, it must be auto, project or aggregate")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_joints = graph.num_joints
        self.num_types = graph.num_types
        self.aggregate_first = self._prefers_aggregation(order)

        adjacency = graph.adjacency().to(torch.get_default_dtype())
        self.importance: nn.Parameter | None = None
        if learnable:
            self.A = nn.Parameter(adjacency.clone())
        else:
            self.register_buffer("A", adjacency, persistent=False)
            if importance:
                self.importance = nn.Parameter(torch.ones_like(adjacency))
        self._set_edges(torch.ones_like(adjacency) if learnable else adjacency)

        self.weight = nn.Parameter(torch.empty(self.num_types, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(self.num_types, out_channels)) if bias else None
        self.reset_parameters()

    def _prefers_aggregation(self, order: Order) -> bool:
        return order == "aggregate" or (order == "auto" and self.in_channels < self.out_channels)

    def _set_edges(self, connected: Tensor) -> None:
        """Typed edges where `connected` (K, V, V) is not zero, as one bipartite edge index."""
        K, V = self.num_types, self.num_joints
        target, kind, source = connected.permute(2, 0, 1).nonzero().unbind(1)
        if self.aggregate_first:
            index, size = torch.stack([source, target * K + kind]), (V, V * K)
        else:
            index, size = torch.stack([source * K + kind, target]), (V * K, V)
        fusable = EdgeIndex(index, sparse_size=size, sort_order="col")
        self.register_buffer("edge_index", index, persistent=False)
        self.register_buffer("fused_edge_index", fusable, persistent=False)
        self.size = size
        self.register_buffer("edge_source", source, persistent=False)
        self.register_buffer("edge_type", kind, persistent=False)
        self.register_buffer("edge_target", target, persistent=False)

    def reset_parameters(self) -> None:
        """Uniform in ±1/√C_in, as a 1×1 convolution; the graph goes back to where it started."""
        super().reset_parameters()
        bound = 1 / math.sqrt(self.in_channels)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)
        if self.importance is not None:
            nn.init.ones_(self.importance)

    def adjacency(self) -> Tensor:
        """The adjacency in use, (K, V, V) as [type, source, target]."""
        return self.A if self.importance is None else self.A * self.importance

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out)."""
        return self._convolve(x, self.adjacency())

    def _convolve(self, x: Tensor, adjacency: Tensor) -> Tensor:
        """`x` with an adjacency for all sequences (K, V, V) or one for each (N, K, V, V)."""
        N, T, V, _ = x.shape
        K = self.num_types
        graph = adjacency.movedim(-1, -3)  # [target, type, source]: the order of the edges
        before, after = self._biases(graph)
        # PyG fuses for an EdgeIndex only; for going along the edges a plain index is safer, as
        # inference mode cannot slice an EdgeIndex.
        edges = self.fused_edge_index if self.fuse and not self.explain else self.edge_index
        if self.aggregate_first:
            weight = self.weight.transpose(0, 1).reshape(self.out_channels, K * self.in_channels)
            y = self.propagate(edges, size=self.size, x=(x, None), graph=graph)
            y = F.linear(y.reshape(N, T, V, K * self.in_channels), weight)
        else:
            weight = self.weight.flatten(0, 1)
            h = F.linear(x, weight, before).reshape(N, T, V * K, self.out_channels)
            y = self.propagate(edges, size=self.size, x=(h, None), graph=graph)
        return y if after is None else y + after

    def _biases(self, graph: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """What to add to the projection (K·C_out,), and what to the result (V, C_out)."""
        if self.bias is None:
            return None, None
        if self.aggregate_first:
            return None, graph.sum(-1) @ self.bias
        return self.bias.flatten(), None

    def message(self, x_j: Tensor, graph: Tensor) -> Tensor:
        """A_{k,v,w} times the feature at the source: (N, T, E, C)."""
        weight = graph[..., self.edge_target, self.edge_type, self.edge_source]
        return x_j * weight.unsqueeze(-2).unsqueeze(-1)

    def message_and_aggregate(
        self, edge_index: EdgeIndex, x: tuple[Tensor, Tensor | None], graph: Tensor
    ) -> Tensor:
        """All messages and their sums as one batched product with the adjacency."""
        N, T, S, C = x[0].shape
        if self.aggregate_first:
            matrix = graph.flatten(-3, -2)
        else:
            matrix = graph.transpose(-2, -1).flatten(-2)
        if matrix.dim() == 3:
            matrix = matrix.unsqueeze(1)
        R = matrix.shape[-2]
        # bmm with an expanded adjacency: torch.matmul would copy one of them in the backward pass.
        matrix = matrix.expand(N, T, R, S).reshape(N * T, R, S)
        return torch.bmm(matrix, x[0].reshape(N * T, S, C)).reshape(N, T, R, C)

    def extra_repr(self) -> str:
        """Sizes, for printing."""
        order = "aggregate" if self.aggregate_first else "project"
        return (
            f"{self.in_channels}, {self.out_channels}, joints={self.num_joints}, "
            f"types={self.num_types}, order={order}"
        )

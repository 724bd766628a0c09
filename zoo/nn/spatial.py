"""Message passing over the typed edges of one small skeleton graph."""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing

from zoo.errors import ConfigError
from zoo.nn.edges import SkeletonEdges, edge_graph_product
from zoo.nn.fused import typed_graph_product
from zoo.nn.pointwise import plain
from zoo.skeleton.graph import SkeletonGraph


class SkeletonConv(MessagePassing):
    r"""Graph convolution over K typed edge sets of one skeleton.

    "Implementing ST-GCN" in Yan et al. 2018 (arXiv 1801.07455):

    .. math::
        y_{n,t,w} = \sum_{k=1}^{K} \sum_{v=1}^{V}
        A_{k,v,w}\,\bigl(W_k\, x_{n,t,v} + b_k\bigr)

    Every sequence and every frame shares the same V joints and the same edges, so the graph is
    stored once. Two paths compute the formula. The edge path is PyG's `message` and `aggregate`
    along the typed edges; PyG's explain mode takes it, and so does a layer with `fuse = False`,
    which hooks on messages need. The fused path, which runs otherwise, is `message_and_aggregate`:
    batched matrix products with the V×V adjacency of all types. Where the graph is as sparse as a
    skeleton and stays so, it looks the joints up instead, on the CPU.

    The fused path sums over k and v in either order. Projecting first turns C_in into K·C_out
    channels and then aggregates those; aggregating first costs no more where C_in ≤ C_out, and is
    then what happens.

    Edges are sorted by target, then source, then type, as those of the graph: an `edge_mask` (E,)
    of PyG's explainers refers to `edge_index` and `edge_type`.

    Args:
        graph: the typed edges with their normalised weights.
        importance: multiply A with a learnable mask of the same shape that starts at one
            (edge importance weighting of ST-GCN). Only edges of the graph are affected.
        learnable: A itself is a parameter that starts as the graph (ST-GCN++, AAGCN). Then every
            pair of joints is an edge of every type.

    Shapes: x (N, T, V, C_in) → (N, T, V, C_out).

    Raises:
        ConfigError: both `importance` and `learnable`.
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
    ) -> None:
        super().__init__(aggr="sum", node_dim=-2)
        if importance and learnable:
            raise ConfigError("choose importance or learnable for the graph, not both")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_joints = graph.num_joints
        self.num_types = graph.num_types

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
        self.bias = nn.Parameter(torch.empty(self.num_types, out_channels))
        self.reset_parameters()

    def _set_edges(self, connected: Tensor) -> None:
        """Typed edges where `connected` (K, V, V) is not zero."""
        target, source, kind = connected.permute(2, 1, 0).nonzero().unbind(1)
        edge_index = torch.stack([source, target])
        fusable = EdgeIndex(
            edge_index.clone(), sparse_size=(self.num_joints, self.num_joints), sort_order="col"
        )
        # Where each edge comes to stand when they are sorted by type.
        by_type = torch.argsort(kind, stable=True)
        self.register_buffer("edge_index", edge_index, persistent=False)
        self.register_buffer("edge_type", kind, persistent=False)
        self.register_buffer("_fused_edge_index", fusable, persistent=False)
        self.register_buffer("_by_type", by_type, persistent=False)
        self.register_buffer("_from_type", torch.argsort(by_type), persistent=False)
        self._edges_of_type = torch.bincount(kind, minlength=self.num_types).tolist()
        self._looked_up: SkeletonEdges | None = None
        if SkeletonEdges.few(len(kind), self.num_joints, self.num_types):
            self._looked_up = SkeletonEdges(source, target, kind, self.num_joints, self.num_types)

    def _set_jittable_templates(self, raise_on_error: bool = False) -> None:
        """Compile `propagate` as PyG does, but keep the plain one for explain mode.

        PyG keeps what it finds on the class, which in a subclass is the parent's compiled form: it
        lets every message through and knows only the parent's `aggregate`.
        """
        super()._set_jittable_templates(raise_on_error)
        type(self)._orig_propagate = MessagePassing.propagate

    def reset_parameters(self) -> None:
        """Uniform in ±1/√C_in, as a 1×1 convolution; importance one. A learned A stays."""
        super().reset_parameters()
        bound = 1 / math.sqrt(self.in_channels)
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        if self.importance is not None:
            nn.init.ones_(self.importance)

    def adjacency(self) -> Tensor:
        """The adjacency in use, (K, V, V) as [type, source, target]."""
        return self.A if self.importance is None else self.A * self.importance

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out); no frame looks at another."""
        return self._convolve(x, self.adjacency())

    def _convolve(self, x: Tensor, adjacency: Tensor) -> Tensor:
        """`x` with an adjacency for all sequences (K, V, V) or one for each (N, K, V, V)."""
        # PyG fuses for an EdgeIndex only; for going along the edges a plain index is safer, as
        # inference mode cannot slice an EdgeIndex.
        edges = self._fused_edge_index if self.fuse and not self.explain else self.edge_index
        graph = adjacency.movedim(-1, -3)  # [target, type, source]
        return self.propagate(edges, x=x, graph=graph)

    def message(self, x_j: Tensor, graph: Tensor) -> Tensor:
        """A_{k,v,w} (W_k x_v + b_k) on every edge: (N, T, E, C_out)."""
        bias = self._edge_bias()
        by_type = x_j.index_select(-2, self._by_type).split(self._edges_of_type, dim=-2)
        projected = [
            F.linear(features, self.weight[k], None if bias is None else bias[k])
            for k, features in enumerate(by_type)
        ]
        features = torch.cat(projected, dim=-2).index_select(-2, self._from_type)
        source, target = self.edge_index.unbind()
        weight = graph[..., target, self.edge_type, source]
        return features * weight.unsqueeze(-2).unsqueeze(-1)

    def message_and_aggregate(self, edge_index: EdgeIndex, x: Tensor, graph: Tensor) -> Tensor:
        """All messages and their sums, without a tensor of messages."""
        offset = self._joint_bias(graph)
        one_for_all = graph.dim() == 3
        if self._looked_up is None or not one_for_all or plain(x):
            return typed_graph_product(x, self.weight, graph, offset)
        source, target = self.edge_index.unbind()
        strength = graph[target, self.edge_type, source]
        return edge_graph_product(x, self.weight, self._looked_up, strength, offset)

    def _edge_bias(self) -> Tensor | None:
        """b_k (K, C_out), what a message adds to its projected feature."""
        return self.bias

    def _joint_bias(self, graph: Tensor) -> Tensor:
        """Σ_k Σ_v A b_k (V, C_out), what all biases add to each joint."""
        return graph.sum(-1) @ self.bias


class JointBiasConv(SkeletonConv):
    r"""`SkeletonConv` whose biases are added to the joints, not to the messages.

    .. math::
        y_{n,t,w} = \sum_{k=1}^{K} \Bigl(b_k + \sum_{v=1}^{V}
        A_{k,v,w}\, W_k\, x_{n,t,v}\Bigr)

    With the one symmetrically normalised edge set it is GCN (Kipf and Welling 2017, arXiv
    1609.02907), `torch_geometric.nn.GCNConv` of one graph that all frames share.
    """

    def aggregate(self, inputs: Tensor, index: Tensor, dim_size: int) -> Tensor:
        """The sum of the messages at each joint, and the b_k."""
        return super().aggregate(inputs, index, dim_size=dim_size) + self._joint_bias(inputs)

    def _edge_bias(self) -> None:
        return None

    def _joint_bias(self, graph: Tensor) -> Tensor:
        return self.bias.sum(0)

r"""The typed graph convolution of a skeleton's few edges, a few frames at a time.

.. math::  y_{b,w,d} = o_{w,d} + \sum_k \sum_{v \to w} a_{k,v,w} \sum_c W_{k,d,c}\, x_{b,v,c}

This is `zoo.nn.fused.typed_graph_product` for a graph that stays as sparse as a skeleton is: of
1,875 products of a frame and channel 73 are not zero. A batched matrix product takes all of them;
here joints are looked up instead, a whole row of channels at a time. On the CPU only, and as there
in pieces that stay in the cache, with gradients written out.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zoo.nn.fused import piece_size, pieces
from zoo.nn.pointwise import pointwise, pointwise_weight_grad

SPARSE = 8
"""Looking up pays where there are fewer edges than one of so many pairs of joints."""


class Lookup:
    """Weighted sums over the edges that end in each row: h_r = Σ_e a_e x_{source(e)}.

    The first edges of all rows are looked up at once, then the second ones of those that have
    more, and so on; in a skeleton few rows have more than one.

    Args:
        row: (E,) long, where each edge ends.
        source: (E,) long, where it begins.
        rows: number of rows R.
    """

    def __init__(self, row: Tensor, source: Tensor, rows: int) -> None:
        self.edges = len(row)
        by_row: list[list[int]] = [[] for _ in range(rows)]
        for edge, end in enumerate(row.tolist()):
            by_row[end].append(edge)
        # A row without an edge has one of weight zero.
        first = torch.tensor([edges[0] if edges else len(row) for edges in by_row])
        self.first_edge = first
        self.first_source = torch.cat([source, source.new_zeros(1)])[first]
        self.others: list[tuple[Tensor, Tensor, Tensor]] = []
        for place in range(1, max(map(len, by_row))):
            ends = torch.tensor([r for r, edges in enumerate(by_row) if len(edges) > place])
            edges = torch.tensor([edges[place] for edges in by_row if len(edges) > place])
            self.others.append((ends, source[edges], edges))

    def find(self, x: Tensor, out: Tensor) -> Tensor:
        """The joint at the begin of each row's first edge, (B, R, C) of x (B, ·, C), in `out`."""
        torch.index_select(x, 1, self.first_source, out=out)
        return out

    def weigh(self, x: Tensor, weight: Tensor, found: Tensor) -> Tensor:
        """The sums h of x with the weights a (E,), from what `find` found and in its place."""
        padded = torch.cat([weight, weight.new_zeros(1)]).unsqueeze(1)
        found.mul_(padded[self.first_edge])
        for ends, sources, edges in self.others:
            found.index_add_(1, ends, x.index_select(1, sources).mul_(padded[edges]))
        return found

    def weight_grad(self, x: Tensor, dh: Tensor, found: Tensor, scratch: Tensor) -> Tensor:
        """The gradient of the weights (E,) for that of h; `scratch` is as large as it."""
        grad = dh.new_zeros(self.edges + 1)
        grad[self.first_edge] = torch.mul(dh, found, out=scratch).sum(0).sum(1)
        for ends, sources, edges in self.others:
            product = dh.index_select(1, ends).mul_(x.index_select(1, sources))
            grad[edges] = product.sum(0).sum(1)
        return grad[:-1]


class SkeletonEdges:
    """The edges of a graph with K types as `edge_graph_product` takes them.

    Args:
        source: (E,) long.
        target: (E,) long.
        kind: (E,) long, their types.
        joints: V.
        kinds: K.
    """

    def __init__(
        self, source: Tensor, target: Tensor, kind: Tensor, joints: int, kinds: int
    ) -> None:
        row = target * kinds + kind
        self.gather = Lookup(row, source, joints * kinds)
        self.scatter = Lookup(source, row, joints)

    @staticmethod
    def few(edges: int, joints: int, kinds: int) -> bool:
        """Whether looking them up is faster than the product of matrices."""
        return edges * SPARSE <= joints * joints * kinds


def edge_graph_product(
    x: Tensor, weight: Tensor, edges: SkeletonEdges, strength: Tensor, offset: Tensor
) -> Tensor:
    """The formula above.

    Args:
        x: features (N, T, V, C_in).
        weight: W (K, C_out, C_in).
        edges: of the graph.
        strength: a (E,), in the order of the edges.
        offset: o (V, C_out).

    Returns:
        (N, T, V, C_out).
    """
    y: Tensor = _EdgeGraphProduct.apply(x, weight, edges, strength, offset)
    return y


class _EdgeGraphProduct(torch.autograd.Function):
    """`edge_graph_product` in pieces."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, edges: SkeletonEdges, strength: Tensor, offset: Tensor
    ) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x, weight, strength)
        ctx.edges = edges
        N, T, V, C_in = x.shape
        K, C_out, _ = weight.shape
        y = x.new_empty(N, T, V, C_out)
        frames, out = x.view(N * T, V, C_in), y.view(N * T, V, C_out)
        flat = weight.transpose(0, 1).reshape(C_out, K * C_in)
        most = piece_size(V * K * C_in, N * T)
        h = x.new_empty(most, V * K, C_in)
        for rows in pieces(N * T, most):
            size = rows.stop - rows.start
            edges.gather.find(frames[rows], h[:size])
            edges.gather.weigh(frames[rows], strength, h[:size])
            torch.add(pointwise(h[:size].view(size, V, K * C_in), flat), offset, out=out[rows])
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, strength = ctx.saved_tensors
        edges: SkeletonEdges = ctx.edges
        needs_x, needs_weight, _, needs_strength, needs_offset = ctx.needs_input_grad
        dy = dy.contiguous()
        N, T, V, C_in = x.shape
        K, C_out, _ = weight.shape
        frames, upstream = x.view(N * T, V, C_in), dy.view(N * T, V, C_out)
        flat = weight.transpose(1, 2).reshape(K * C_in, C_out)
        dx = torch.empty_like(frames) if needs_x else None
        dflat = x.new_zeros(C_out, K * C_in)
        dstrength = torch.zeros_like(strength)
        most = piece_size(V * K * C_in, N * T)
        scratch = x.new_empty(2 if needs_strength else 1, most, V * K, C_in)
        for rows in pieces(N * T, most):
            size = rows.stop - rows.start
            seen, h = frames[rows], scratch[0, :size]
            edges.gather.find(seen, h)
            if dx is not None or needs_strength:
                g = pointwise(upstream[rows], flat).view(size, V * K, C_in)
                if dx is not None:
                    edges.scatter.find(g, dx[rows])
                    edges.scatter.weigh(g, strength, dx[rows])
                if needs_strength:
                    dstrength += edges.gather.weight_grad(seen, g, h, scratch[1, :size])
            if needs_weight:
                edges.gather.weigh(seen, strength, h)
                dflat += pointwise_weight_grad(h.view(size, V, K * C_in), upstream[rows])
        return (
            None if dx is None else dx.view_as(x),
            dflat.view(C_out, K, C_in).transpose(0, 1) if needs_weight else None,
            None,
            dstrength if needs_strength else None,
            dy.sum((0, 1)) if needs_offset else None,
        )

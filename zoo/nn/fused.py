r"""The typed graph convolution as batched matrix products, a few frames at a time.

With frames b, joints v and w, edge types k and channels c and d, everything here is about

.. math::  y_{b,w,d} = o_{w,d} + \sum_k \sum_v A_{w,k,v} \sum_c W_{k,d,c}\, x_{b,v,c}

Either sum can be done first; between them stands a tensor K times as large as the features. Held
for a whole batch it is tens of megabytes, which the allocator maps anew at every call, and the page
faults cost as much as the arithmetic. On the CPU the work therefore goes through the batch in
pieces that stay in the cache, and the gradients are written out so that nothing of that size is
kept for them either.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

SCRATCH = 1 << 19
"""Elements of the tensor between the two sums that are worked on at a time."""


def typed_graph_product(
    x: Tensor, weight: Tensor, graph: Tensor, offset: Tensor | None, aggregate_first: bool
) -> Tensor:
    """The formula above.

    Args:
        x: features (N, T, V, C_in).
        weight: W (K, C_out, C_in).
        graph: A, indexed [target, type, source], (V, K, V), or one for each sequence
            (N, V, K, V).
        offset: o (V, C_out) or (C_out,), or None.
        aggregate_first: whether to sum over v before c.

    Returns:
        (N, T, V, C_out).
    """
    eager = not torch.compiler.is_compiling()
    if eager and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
        return _in_pieces(x, weight, graph, offset, aggregate_first)
    N, T, V, C_in = x.shape
    K, C_out, _ = weight.shape
    per_sequence = graph.dim() == 4
    graph = graph.unsqueeze(1) if per_sequence else graph.expand(1, 1, V, K, V)
    if aggregate_first:
        matrix = graph.flatten(2, 3).expand(N, T, V * K, V).reshape(N * T, V * K, V)
        h = torch.bmm(matrix, x.reshape(N * T, V, C_in)).reshape(N, T, V, K * C_in)
        y = F.linear(h, weight.transpose(0, 1).reshape(C_out, K * C_in))
    else:
        h = F.linear(x, weight.flatten(0, 1)).reshape(N * T, V * K, C_out)
        matrix = graph.transpose(-1, -2).flatten(-2).expand(N, T, V, V * K)
        # An expanded batch, not torch.matmul: its backward pass would copy the adjacency.
        y = torch.bmm(matrix.reshape(N * T, V, V * K), h).reshape(N, T, V, C_out)
    return y if offset is None else y + offset.to(y.dtype)


def _in_pieces(
    x: Tensor, weight: Tensor, graph: Tensor, offset: Tensor | None, aggregate_first: bool
) -> Tensor:
    if offset is not None:
        offset = offset.expand(x.shape[2], weight.shape[1])
    if graph.dim() == 3:
        graph = graph.unsqueeze(0)
    y: Tensor = _TypedGraphProduct.apply(x, weight, graph, offset, aggregate_first)
    return y


class _TypedGraphProduct(torch.autograd.Function):
    """`typed_graph_product` in pieces; graph (1 or N, V, K, V), offset (V, C_out) or None."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        graph: Tensor,
        offset: Tensor | None,
        aggregate_first: bool,
    ) -> Tensor:
        x, graph = x.contiguous(), graph.contiguous()
        ctx.save_for_backward(x, weight, graph)
        ctx.aggregate_first = aggregate_first
        N, T, V, C_in = x.shape
        K, C_out, _ = weight.shape
        y = x.new_empty(N, T, V, C_out)
        frames, out = x.view(N * T, V, C_in), y.view(N * T, V, C_out)
        if aggregate_first:
            flat = weight.transpose(0, 1).reshape(C_out, K * C_in).t()
            size = _piece(V * K * C_in)
            scratch = x.new_empty(min(size, N * T), V * K, C_in)
            for rows, matrix in _pieces(graph.view(-1, V * K, V), N, T, size):
                h = scratch[: rows.stop - rows.start]
                torch.bmm(matrix, frames[rows], out=h)
                piece = out[rows]
                h, piece = h.view(-1, K * C_in), piece.view(-1, C_out)
                if offset is None:
                    torch.mm(h, flat, out=piece)
                else:
                    out[rows] = offset
                    piece.addmm_(h, flat)
            return y
        flat = weight.reshape(K * C_out, C_in).t()
        size = _piece(V * K * C_out)
        scratch = x.new_empty(min(size, N * T) * V, K * C_out)
        for rows, matrix in _pieces(graph.transpose(2, 3).reshape(-1, V, V * K), N, T, size):
            h = scratch[: (rows.stop - rows.start) * V]
            torch.mm(frames[rows].view(-1, C_in), flat, out=h)
            h = h.view(-1, V * K, C_out)
            if offset is None:
                torch.bmm(matrix, h, out=out[rows])
            else:
                torch.baddbmm(offset, matrix, h, out=out[rows])
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, graph = ctx.saved_tensors
        needs_x, needs_weight, needs_graph, needs_offset, _ = ctx.needs_input_grad
        dy = dy.contiguous()
        doffset = dy.sum((0, 1)) if needs_offset else None
        if ctx.aggregate_first or needs_graph:
            grads = _backward_aggregating(x, weight, graph, dy, needs_x, needs_weight, needs_graph)
        else:
            grads = _backward_projecting(x, weight, graph, dy, needs_x, needs_weight)
        return *grads, doffset, None


def _backward_aggregating(
    x: Tensor,
    weight: Tensor,
    graph: Tensor,
    dy: Tensor,
    needs_x: bool,
    needs_weight: bool,
    needs_graph: bool,
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients by way of g = dy·W, (frames, V·K, C_in), and h = A·x of the same shape."""
    N, T, V, C_in = x.shape
    K, C_out, _ = weight.shape
    frames, upstream = x.view(N * T, V, C_in), dy.view(N * T, V, C_out)
    flat = weight.transpose(0, 1).reshape(C_out, K * C_in)
    dx = torch.empty_like(x) if needs_x else None
    dflat = torch.zeros_like(flat) if needs_weight else None
    dgraph = torch.zeros_like(graph).view(-1, V * K, V) if needs_graph else None
    size = _piece(V * K * C_in)
    scratch = x.new_empty(min(size, N * T), V * K, C_in)
    products = x.new_empty(min(size, N * T), V * K, V) if needs_graph else None
    for rows, matrix in _pieces(graph.view(-1, V * K, V), N, T, size):
        count = rows.stop - rows.start
        h, d = scratch[:count], upstream[rows].view(-1, C_out)
        if dx is not None or dgraph is not None:
            torch.mm(d, flat, out=h.view(-1, K * C_in))
        if dx is not None:
            torch.bmm(matrix.transpose(1, 2), h, out=dx.view(N * T, V, C_in)[rows])
        if dgraph is not None and products is not None:
            torch.bmm(h, frames[rows].transpose(1, 2), out=products[:count])
            dgraph[rows.start // T if len(dgraph) > 1 else 0] += products[:count].sum(0)
        if dflat is not None:
            torch.bmm(matrix, frames[rows], out=h)
            dflat.addmm_(d.t(), h.view(-1, K * C_in))
    return (
        dx,
        None if dflat is None else dflat.view(C_out, K, C_in).transpose(0, 1),
        None if dgraph is None else dgraph.view_as(graph),
    )


def _backward_projecting(
    x: Tensor, weight: Tensor, graph: Tensor, dy: Tensor, needs_x: bool, needs_weight: bool
) -> tuple[Tensor | None, Tensor | None, None]:
    """Gradients by way of dh = Aᵀ·dy, (frames, V·K, C_out); cheaper where A needs none."""
    N, T, V, C_in = x.shape
    K, C_out, _ = weight.shape
    frames, upstream = x.view(N * T, V, C_in), dy.view(N * T, V, C_out)
    flat = weight.reshape(K * C_out, C_in)
    dx = torch.empty_like(x) if needs_x else None
    dflat = torch.zeros_like(flat) if needs_weight else None
    size = _piece(V * K * C_out)
    scratch = x.new_empty(min(size, N * T), V * K, C_out)
    for rows, matrix in _pieces(graph.permute(0, 3, 2, 1).reshape(-1, V * K, V), N, T, size):
        dh = scratch[: rows.stop - rows.start]
        torch.bmm(matrix, upstream[rows], out=dh)
        dh = dh.view(-1, K * C_out)
        if dx is not None:
            torch.mm(dh, flat, out=dx.view(N * T, V, C_in)[rows].view(-1, C_in))
        if dflat is not None:
            dflat.addmm_(dh.t(), frames[rows].view(-1, C_in))
    return dx, None if dflat is None else dflat.view(K, C_out, C_in), None


def _piece(elements: int) -> int:
    """Frames whose tensors of so many elements each fill the scratch space."""
    return max(1, SCRATCH // elements)


def _pieces(matrices: Tensor, N: int, T: int, size: int) -> Iterator[tuple[slice, Tensor]]:
    """Slices of at most `size` of the N·T frames, each with its expanded matrix.

    With one matrix for all sequences a piece may span several; else it ends with its sequence.
    """
    shared = len(matrices) == 1
    length = N * T if shared else T
    for start in range(0, N * T, length):
        matrix = matrices[0 if shared else start // T]
        for first in range(start, start + length, size):
            rows = slice(first, min(first + size, start + length))
            yield rows, matrix.expand(rows.stop - rows.start, -1, -1)

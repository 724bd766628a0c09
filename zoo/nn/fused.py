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

from zoo.nn.pointwise import plain, pointwise, pointwise_weight_grad

SCRATCH = 1 << 21
"""Elements of the tensor between the two sums that one thread works on at a time."""

SHARED_SCRATCH = 7 << 20
"""The same for several threads. They wait for each other after every step, so there should be few;
and above 32 MiB the allocator would map the scratch space anew each time."""


def typed_graph_product(x: Tensor, weight: Tensor, graph: Tensor, offset: Tensor | None) -> Tensor:
    """The formula above; where C_in ≤ C_out, v is summed over before c, which costs no more.

    Args:
        x: features (N, T, V, C_in).
        weight: W (K, C_out, C_in).
        graph: A, indexed [target, type, source], (V, K, V), or one for each sequence
            (N, V, K, V).
        offset: o (V, C_out) or (C_out,), or None.

    Returns:
        (N, T, V, C_out).
    """
    if not plain(x):
        return _TypedGraphProduct.apply(
            x,
            weight,
            graph if graph.dim() == 4 else graph.unsqueeze(0),
            None if offset is None else offset.expand(x.shape[2], weight.shape[1]),
        )
    N, T, V, C_in = x.shape
    K, C_out, _ = weight.shape
    graph = graph.unsqueeze(1) if graph.dim() == 4 else graph.expand(1, 1, V, K, V)
    if C_in <= C_out:
        matrix = graph.flatten(2, 3).expand(N, T, V * K, V).reshape(N * T, V * K, V)
        h = torch.bmm(matrix, x.reshape(N * T, V, C_in)).reshape(N, T, V, K * C_in)
        y = F.linear(h, weight.transpose(0, 1).reshape(C_out, K * C_in))
    else:
        h = F.linear(x, weight.flatten(0, 1)).reshape(N * T, V * K, C_out)
        matrix = graph.transpose(-1, -2).flatten(-2).expand(N, T, V, V * K)
        # An expanded batch, not torch.matmul: its backward pass would copy the adjacency.
        y = torch.bmm(matrix.reshape(N * T, V, V * K), h).reshape(N, T, V, C_out)
    return y if offset is None else y + offset.to(y.dtype)


class _TypedGraphProduct(torch.autograd.Function):
    """`typed_graph_product` in pieces; graph (1 or N, V, K, V), offset (V, C_out) or None."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, graph: Tensor, offset: Tensor | None
    ) -> Tensor:
        x, graph = x.contiguous(), graph.contiguous()
        ctx.save_for_backward(x, weight, graph)
        N, T, V, C_in = x.shape
        K, C_out, _ = weight.shape
        y = x.new_empty(N, T, V, C_out)
        frames, out = x.view(N * T, V, C_in), y.view(N * T, V, C_out)
        if C_in <= C_out:
            matrices = graph.view(-1, V * K, V)
            flat = weight.transpose(0, 1).reshape(C_out, K * C_in)
            most = _piece(V * K * C_in, N, T, len(matrices))
            h = x.new_empty(most, V * K, C_in)
            for rows in pieces(N * T, most):
                size = rows.stop - rows.start
                _multiply(matrices, rows, T, frames[rows], out=h[:size])
                piece = pointwise(h[:size].view(size, V, K * C_in), flat)
                if offset is None:
                    out[rows] = piece
                else:
                    torch.add(piece, offset, out=out[rows])
        else:
            matrices = _row_matrices(graph)
            flat = weight.reshape(K * C_out, C_in)
            for rows in pieces(N * T, _piece(V * K * C_out, N, T, len(matrices))):
                piece = pointwise(frames[rows], flat).view(-1, V * K, C_out)
                _multiply(matrices, rows, T, piece, out=out[rows])
                if offset is not None:
                    out[rows] += offset
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, graph = ctx.saved_tensors
        needs_x, needs_weight, needs_graph, needs_offset = ctx.needs_input_grad
        dy = dy.contiguous()
        doffset = dy.sum((0, 1)) if needs_offset else None
        _, C_out, C_in = weight.shape
        if needs_graph or C_in < C_out:
            grads = _backward_aggregating(x, weight, graph, dy, needs_x, needs_weight, needs_graph)
        else:
            grads = _backward_projecting(x, weight, graph, dy, needs_x, needs_weight)
        return *grads, doffset


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
    flat = weight.transpose(1, 2).reshape(K * C_in, C_out)
    dx = torch.empty_like(frames) if needs_x else None
    dflat = x.new_zeros(C_out, K * C_in) if needs_weight else None
    dgraph = x.new_zeros(graph.shape).view(-1, V * K, V) if needs_graph else None
    matrices = graph.view(-1, V * K, V)
    most = _piece(V * K * C_in, N, T, len(matrices))
    h = x.new_empty(most, V * K, C_in)
    for rows in pieces(N * T, most):
        size = rows.stop - rows.start
        if dx is not None or dgraph is not None:
            g = pointwise(upstream[rows], flat).view(size, V * K, C_in)
            if dx is not None:
                _multiply(matrices.transpose(1, 2), rows, T, g, out=dx[rows])
            if dgraph is not None:
                products = torch.bmm(g, frames[rows].transpose(1, 2))
                if len(dgraph) == 1:
                    dgraph += products.sum(0)
                else:
                    sequences = slice(rows.start // T, rows.stop // T)
                    dgraph[sequences] = products.view(-1, T, V * K, V).sum(1)
        if dflat is not None:
            _multiply(matrices, rows, T, frames[rows], out=h[:size])
            dflat += pointwise_weight_grad(h[:size].view(size, V, K * C_in), upstream[rows])
    return (
        None if dx is None else dx.view_as(x),
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
    flat = weight.permute(2, 0, 1).reshape(C_in, K * C_out)
    dx = torch.empty_like(frames) if needs_x else None
    dflat = x.new_zeros(K * C_out, C_in) if needs_weight else None
    matrices = _row_matrices(graph).transpose(1, 2)
    most = _piece(V * K * C_out, N, T, len(matrices))
    dh = x.new_empty(most, V * K, C_out)
    for rows in pieces(N * T, most):
        size = rows.stop - rows.start
        _multiply(matrices, rows, T, upstream[rows], out=dh[:size])
        piece = dh[:size].view(size, V, K * C_out)
        if dx is not None:
            dx[rows] = pointwise(piece, flat)
        if dflat is not None:
            dflat += pointwise_weight_grad(frames[rows], piece)
    return (
        None if dx is None else dx.view_as(x),
        None if dflat is None else dflat.view(K, C_out, C_in),
        None,
    )


def _row_matrices(graph: Tensor) -> Tensor:
    """The adjacencies (…, V, K, V) as (…, V, V·K), sources and types in one axis."""
    return graph.transpose(2, 3).flatten(2)


def _piece(elements: int, N: int, T: int, matrices: int) -> int:
    """Frames to work on at a time: whole sequences, where each has a matrix of its own."""
    frames = piece_size(elements, N * T)
    return frames if matrices == 1 else max(1, frames // T) * T


def piece_size(elements: int, frames: int) -> int:
    """Of so many frames those to work on at a time, where each takes `elements` of scratch space.

    Never fewer than 16, if there are as many.
    """
    scratch = SCRATCH if torch.get_num_threads() == 1 else SHARED_SCRATCH
    return min(max(16, scratch // elements), frames)


def pieces(frames: int, most: int) -> Iterator[slice]:
    """Consecutive slices of at most `most` of the frames."""
    for start in range(0, frames, most):
        yield slice(start, min(start + most, frames))


def _multiply(matrices: Tensor, rows: slice, T: int, x: Tensor, out: Tensor) -> None:
    """Each frame of the piece `rows` times the one matrix, or that of its sequence."""
    if len(matrices) == 1:
        torch.bmm(matrices.expand(len(x), -1, -1), x, out=out)
        return
    # Not all at once: there would have to be a copy of its matrix for every frame.
    for n, matrix in enumerate(matrices[rows.start // T : rows.stop // T]):
        own = slice(n * T, (n + 1) * T)
        torch.bmm(matrix.expand(T, -1, -1), x[own], out=out[own])

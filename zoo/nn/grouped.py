r"""Graph products in groups of channels, each group with graphs and weights of its own.

.. math::  z_{b,w,g,s} = W_{s,g}^\top \sum_v G_{s,g,v,w}\, x_{b,v,g}

for frames b, joints v and w, groups g and subsets s. With the joints in front, all frames of a
group are one long product; between the two sums stands a tensor as large as the features. On the
CPU the work goes through the batch a few frames at a time, which turns around only what is in the
cache, and the gradients are written out, so that nothing but x is kept for them.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zoo.nn.fused import pieces
from zoo.nn.pointwise import plain

SCRATCH = 1 << 18
"""Elements of one group-wise tensor that is worked on at a time."""


def grouped_graph_product(
    x: Tensor, graphs: Tensor, weight: Tensor, *, total: bool = False
) -> Tensor:
    """The formula above, for every subset or, as a `total`, summed over them.

    Args:
        x: features (N, T, V, G, C).
        graphs: (S, G, V, V) as [.., source, target].
        weight: W (S, G, C, D).
        total: sum over the subsets.

    Returns:
        (N, T, V, G, S, D), as a total (N, T, V, G, D).
    """
    if plain(x):
        h = torch.einsum("sgvw,ntvgc->ntwgsc", graphs, x)
        equation = "ntwgsc,sgcd->ntwgd" if total else "ntwgsc,sgcd->ntwgsd"
        return torch.einsum(equation, h, weight)
    y: Tensor = _GroupedGraphProduct.apply(x, graphs, weight, total)
    return y


class _GroupedGraphProduct(torch.autograd.Function):
    """`grouped_graph_product` in pieces."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, graphs: Tensor, weight: Tensor, total: bool) -> Tensor:
        ctx.save_for_backward(x, graphs, weight)
        ctx.total = total
        N, T, V, G, C = x.shape
        S, _, _, D = weight.shape
        frames = x.reshape(N * T, V, G, C)
        y = x.new_empty(N * T, V, G, D) if total else x.new_empty(N * T, V, G, S, D)
        for rows in pieces(N * T, _piece(x)):
            own = _joints_first(frames[rows])
            product: Tensor | None = None
            for s in range(S):
                h = torch.bmm(graphs[s].mT, own.flatten(2)).view(G, -1, C)
                if product is None or not total:
                    product = torch.bmm(h, weight[s])
                else:
                    product.baddbmm_(h, weight[s])
                if not total:
                    y[rows][..., s, :] = _frames_first(product, V)
            if total and product is not None:
                y[rows] = _frames_first(product, V)
        return y.view(N, T, *y.shape[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, graphs, weight = ctx.saved_tensors
        N, T, V, G, C = x.shape
        S, _, _, D = weight.shape
        frames, upstream = x.reshape(N * T, V, G, C), dy.reshape(N * T, *dy.shape[2:])
        dx = torch.empty_like(frames)
        dgraphs, dweight = torch.zeros_like(graphs), torch.zeros_like(weight)
        for rows in pieces(N * T, _piece(x)):
            own = _joints_first(frames[rows]).flatten(2)
            down = own.new_zeros(own.shape)
            dproduct = _joints_first(upstream[rows]) if ctx.total else None
            for s in range(S):
                if not ctx.total:
                    dproduct = _joints_first(upstream[rows][..., s, :])
                assert dproduct is not None
                flat = dproduct.view(G, -1, D)
                h = torch.bmm(graphs[s].mT, own).view(G, -1, C)
                dweight[s].baddbmm_(h.mT, flat)
                dh = torch.bmm(flat, weight[s].mT).view(G, V, -1)
                dgraphs[s].baddbmm_(own, dh.mT)
                down.baddbmm_(graphs[s], dh)
            dx[rows] = _frames_first(down.view(G, -1, C), V)
        return dx.view_as(x), dgraphs, dweight, None


def weighted_layers(x: Tensor, weight: Tensor) -> Tensor:
    r"""The weighted sum :math:`y_{n,t,v} = \sum_g w_{n,g} \odot x_{n,t,v,g}`.

    Args:
        x: features (N, T, V, G, C).
        weight: (N, G, C).

    Returns:
        (N, T, V, C).
    """
    if plain(x):
        return (x * weight[:, None, None]).sum(3)
    y: Tensor = _WeightedLayers.apply(x, weight)
    return y


class _WeightedLayers(torch.autograd.Function):
    """`weighted_layers`, sequence by sequence."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        N, T, V, _, C = x.shape
        y, scratch = x.new_empty(N, T, V, C), x.new_empty(x.shape[1:])
        for own, w, out in zip(x, weight, y, strict=True):
            torch.sum(torch.mul(own, w, out=scratch), 2, out=out)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        dx, dweight = x.new_empty(x.shape), torch.empty_like(weight)
        scratch = x.new_empty(x.shape[1:])
        for n, upstream in enumerate(dy.unsqueeze(3)):
            torch.mul(upstream, weight[n], out=dx[n])
            dweight[n] = torch.mul(upstream, x[n], out=scratch).flatten(0, 1).sum(0)
        return dx, dweight


def peak(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """The greatest of all real frames, x (N, T, V, G, C) → (N, V, G, C).

    Where several frames are the greatest, they share the gradient, as those of `torch.amax`.
    """
    if mask is not None:
        x = x.masked_fill(~mask[:, :, None, None, None], float("-inf"))
    if plain(x):
        return x.amax(1)
    y: Tensor = _Peak.apply(x)
    return y


class _Peak(torch.autograd.Function):
    """`peak`, whose gradient is found sequence by sequence."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.amax(1)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        dx, there = x.new_empty(x.shape), x.new_empty(x.shape[1:])
        for n, upstream in enumerate(dy):
            torch.eq(x[n], y[n], out=there)
            torch.mul(there, upstream / there.sum(0), out=dx[n])
        return dx


def _piece(x: Tensor) -> int:
    """Frames of x (N, T, V, G, C) to work on at a time."""
    N, T, V, G, C = x.shape
    return min(N * T, max(16, SCRATCH // (V * G * C)))


def _joints_first(x: Tensor) -> Tensor:
    """Frames (B, V, G, C) as (G, V, B, C), contiguous."""
    return x.permute(2, 1, 0, 3).contiguous()


def _frames_first(x: Tensor, V: int) -> Tensor:
    """Products (G, V·B, C) as (B, V, G, C), a view."""
    return x.unflatten(1, (V, -1)).permute(2, 1, 0, 3)

r"""Graph products with an adjacency for every channel, on planes of frames by joints.

.. math::  y_{n,t,w,c} = \sum_v G_{n,c,v,w}\, h_{n,t,v,c}

In (N, T, V, C) no matrix product does this, as every channel has another matrix; in planes
(N, C, T, V) it is one for each sequence and channel. On the CPU the features are turned into planes
and back one sequence at a time, in the cache, and gradients are written out, so that no more is
kept for them than they need.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from zoo.nn.pointwise import plain


def channel_graph_product(h: Tensor, graphs: Tensor) -> Tensor:
    """The formula above: h (N, T, V, C), G (N, C, V, V) → (N, T, V, C)."""
    if plain(h):
        return torch.matmul(h.permute(0, 3, 1, 2), graphs).permute(0, 2, 3, 1)
    return _ChannelGraphProduct.apply(h, graphs)


def refined_graph_product(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    relations: Tensor,
    relation_weight: Tensor,
    shared: Tensor,
) -> Tensor:
    r"""The same, summed over K subsets, for h = W x + b and graphs that follow from relations.

    .. math::
        y = \sum_k \sum_v G_{k,v} \odot (W_k x_v + b_k), \qquad
        G_{k,c} = B_{k,c} + \sum_r R_{k,c,r} S_{k,r}

    Args:
        x: features (N, T, V, C_in).
        weight: W (K, C, C_in).
        bias: b (K, C).
        relations: S (N, K, r, V, V).
        relation_weight: R (K, C, r).
        shared: B (K, C, V, V), what the graphs of all sequences have in common.

    Returns:
        (N, T, V, C).
    """
    if plain(x):
        h = torch.einsum("ntvi,kci->nkctv", x, weight) + bias[:, :, None, None]
        graphs = shared + torch.einsum("nkrvw,kcr->nkcvw", relations, relation_weight)
        return torch.matmul(h, graphs).sum(1).permute(0, 2, 3, 1)
    return _RefinedGraphProduct.apply(
        torch.is_grad_enabled(), x, weight, bias, relations, relation_weight, shared
    )


class _ChannelGraphProduct(torch.autograd.Function):
    """`channel_graph_product`, sequence by sequence."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, graphs: Tensor) -> Tensor:
        h, graphs = h.contiguous(), graphs.contiguous()
        ctx.save_for_backward(h, graphs)
        y = torch.empty_like(h)
        planes, product = _space(h), _space(h)
        for features, graph, out in zip(h, graphs, y, strict=True):
            torch.bmm(_fill(planes, features), graph, out=product)
            out.copy_(_rows(product))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        h, graphs = ctx.saved_tensors
        dh, dgraphs = torch.empty_like(h), torch.empty_like(graphs)
        planes, upstream, product = _space(h), _space(h), _space(h)
        for n, graph in enumerate(graphs):
            _fill(upstream, dy[n])
            torch.bmm(_fill(planes, h[n]).mT, upstream, out=dgraphs[n])
            torch.bmm(upstream, graph.mT, out=product)
            dh[n].copy_(_rows(product))
        return dh, dgraphs


class _RefinedGraphProduct(torch.autograd.Function):
    """`refined_graph_product`, sequence by sequence.

    The planes W x + b are kept for the gradients, where there will be any; the graphs, of which
    there are as many numbers in the last layers, are made a second time.
    """

    @staticmethod
    def forward(
        ctx: Any,
        keep: bool,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        relations: Tensor,
        relation_weight: Tensor,
        shared: Tensor,
    ) -> Tensor:
        x, relations, relation_weight = (z.contiguous() for z in (x, relations, relation_weight))
        N, T, V, C_in = x.shape
        K, C, _ = weight.shape
        planes = x.new_empty(N if keep else 1, K, C, T, V)
        ctx.save_for_backward(x, weight, relations, relation_weight, shared, planes)
        y = x.new_empty(N, T, V, C)
        graphs, total = torch.empty_like(shared), _space(y)
        flat_weight, flat_bias = weight.reshape(K * C, C_in), bias.reshape(K * C, 1)
        for n in range(N):
            own = planes[n if keep else 0]
            frames = x[n].view(T * V, C_in)
            torch.addmm(flat_bias, flat_weight, frames.t(), out=own.view(K * C, T * V))
            _fill_graphs(graphs, shared, relation_weight, relations[n])
            torch.bmm(own[0], graphs[0], out=total)
            for k in range(1, K):
                torch.baddbmm(total, own[k], graphs[k], out=total)
            y[n].copy_(_rows(total))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, relations, relation_weight, shared, planes = ctx.saved_tensors
        N, T, V, C_in = x.shape
        K, C, _ = weight.shape
        flat_weight = weight.reshape(K * C, C_in)
        dx, drelations = torch.empty_like(x), torch.empty_like(relations)
        dweight, dbias = x.new_zeros(K * C, C_in), x.new_zeros(K * C)
        drelation_weight = torch.zeros_like(relation_weight)
        dshared = torch.zeros_like(shared)
        graphs, upstream = torch.empty_like(shared), _space(dy)
        dplanes, dgraphs = x.new_empty(K, C, T, V), torch.empty_like(shared)
        flat_planes, flat_graphs = dplanes.view(K * C, T * V), dgraphs.flatten(2)
        for n in range(N):
            _fill_graphs(graphs, shared, relation_weight, relations[n])
            _fill(upstream, dy[n])
            for k in range(K):
                torch.bmm(upstream, graphs[k].mT, out=dplanes[k])
                torch.bmm(planes[n, k].mT, upstream, out=dgraphs[k])
            torch.mm(flat_planes.t(), flat_weight, out=dx[n].view(T * V, C_in))
            dweight.addmm_(flat_planes, x[n].view(T * V, C_in))
            dbias += flat_planes.sum(1)
            torch.bmm(relation_weight.mT, flat_graphs, out=drelations[n].flatten(2))
            drelation_weight.baddbmm_(flat_graphs, relations[n].flatten(2).mT)
            dshared += dgraphs
        return (
            None,
            dx,
            dweight.view_as(weight),
            dbias.view(K, C),
            drelations,
            drelation_weight,
            dshared,
        )


def _fill_graphs(graphs: Tensor, shared: Tensor, weight: Tensor, relations: Tensor) -> None:
    """Make `graphs` B + R·S (K, C, V, V) of one sequence from its S (K, r, V, V)."""
    torch.baddbmm(shared.flatten(2), weight, relations.flatten(2), out=graphs.flatten(2))


def _space(x: Tensor) -> Tensor:
    """Room for one sequence of x (N, T, V, C) as planes (C, T, V)."""
    _, T, V, C = x.shape
    return x.new_empty(C, T, V)


def _fill(planes: Tensor, features: Tensor) -> Tensor:
    """`planes` (C, T, V) with the features (T, V, C) in them."""
    # As matrices, which PyTorch transposes in blocks.
    planes.view(len(planes), -1).copy_(features.flatten(0, 1).t())
    return planes


def _rows(planes: Tensor) -> Tensor:
    """Planes (C, T, V) as (T, V, C), a view."""
    return planes.permute(1, 2, 0)

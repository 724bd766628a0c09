r"""Graph products with an adjacency for every channel, on planes of frames by joints.

.. math::  y_{n,t,w,c} = \sum_v G_{n,c,v,w}\, h_{n,t,v,c}

In (N, T, V, C) no matrix product does this, as every channel has another matrix; in planes
(N, C, T, V) it is one for each sequence and channel. On the CPU the features are turned into planes
and back a few sequences at a time, in the cache, and gradients are written out, so that nothing as
large as the features is kept for them but the features themselves.
"""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

PIECE = 1 << 21
"""Elements of one tensor of planes that are worked on at a time."""


def channel_graph_product(h: Tensor, graphs: Tensor) -> Tensor:
    """The formula above: h (N, T, V, C), G (N, C, V, V) → (N, T, V, C)."""
    if _plain(h):
        return torch.matmul(h.permute(0, 3, 1, 2), graphs).permute(0, 2, 3, 1)
    y: Tensor = _ChannelGraphProduct.apply(h, graphs)
    return y


def refined_graph_product(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    relations: Tensor,
    relation_weight: Tensor,
    relation_bias: Tensor,
    adjacency: Tensor,
) -> Tensor:
    r"""The same, summed over K subsets, for h = W x + b and graphs that follow from relations.

    .. math::
        y = \sum_k \sum_v G_k\, (W_k x_v + b_k), \qquad
        G_{k,c} = A_k + \sum_r R_{k,c,r} S_{k,r} + o_{k,c}

    Args:
        x: features (N, T, V, C_in).
        weight: W (K, C, C_in).
        bias: b (K, C).
        relations: S (N, K, r, V, V).
        relation_weight: R (K, C, r).
        relation_bias: o (K, C).
        adjacency: A (K, V, V).

    Returns:
        (N, T, V, C).
    """
    if _plain(x):
        h = torch.einsum("ntvi,kci->nkctv", x, weight) + bias[:, :, None, None]
        graphs = torch.einsum("nkrvw,kcr->nkcvw", relations, relation_weight)
        graphs = graphs + relation_bias[:, :, None, None] + adjacency.unsqueeze(1)
        return torch.matmul(h, graphs).sum(1).permute(0, 2, 3, 1)
    y: Tensor = _RefinedGraphProduct.apply(
        x, weight, bias, relations, relation_weight, relation_bias, adjacency
    )
    return y


class _ChannelGraphProduct(torch.autograd.Function):
    """`channel_graph_product` in pieces."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, graphs: Tensor) -> Tensor:
        h, graphs = h.contiguous(), graphs.contiguous()
        ctx.save_for_backward(h, graphs)
        y = torch.empty_like(h)
        for some in _pieces(h):
            y[some] = _rows(_planes(h[some]) @ graphs[some])
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        h, graphs = ctx.saved_tensors
        dh, dgraphs = torch.empty_like(h), torch.empty_like(graphs)
        for some in _pieces(h):
            upstream = _planes(dy[some])
            dh[some] = _rows(upstream @ graphs[some].mT)
            torch.matmul(_planes(h[some]).mT, upstream, out=dgraphs[some])
        return dh, dgraphs


class _RefinedGraphProduct(torch.autograd.Function):
    """`refined_graph_product` in pieces; planes and graphs are made again for the gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        relations: Tensor,
        relation_weight: Tensor,
        relation_bias: Tensor,
        adjacency: Tensor,
    ) -> Tensor:
        x, relations = x.contiguous(), relations.contiguous()
        inputs = (x, weight, bias, relations, relation_weight, relation_bias, adjacency)
        ctx.save_for_backward(*inputs)
        y = x.new_empty(*x.shape[:3], weight.shape[1])
        for some in _pieces(y):
            products = (
                _subset_planes(inputs, some, k) @ _subset_graphs(inputs, some, k)
                for k in range(len(weight))
            )
            y[some] = _rows(reduce(Tensor.add_, products))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        x, weight, bias, relations, relation_weight, relation_bias, adjacency = inputs
        dx = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        dweight, dbias = torch.zeros_like(weight), torch.zeros_like(bias)
        drelations = torch.empty_like(relations)
        drelation_weight = torch.zeros_like(relation_weight)
        drelation_bias = torch.zeros_like(relation_bias)
        dadjacency = torch.zeros_like(adjacency)
        for some in _pieces(dy):
            upstream = _planes(dy[some])
            frames = x[some].flatten(1, 2)  # (n, T·V, C_in)
            for k in range(len(weight)):
                planes = _subset_planes(inputs, some, k)
                graphs = _subset_graphs(inputs, some, k)
                dgraphs = (planes.mT @ upstream).flatten(2)  # (n, C, V·V)
                dplanes = (upstream @ graphs.mT).flatten(2)  # (n, C, T·V)
                own = weight[k].expand(len(frames), -1, -1)
                if dx is not None:
                    dx[some].flatten(1, 2).baddbmm_(dplanes.mT, own)
                dweight[k] += torch.bmm(dplanes, frames).sum(0)
                dbias[k] += dplanes.sum((0, 2))
                own = relation_weight[k].expand(len(frames), -1, -1)
                drelations[some, k] = torch.bmm(own.mT, dgraphs).view_as(relations[some, k])
                relation = relations[some, k].flatten(2)
                drelation_weight[k] += torch.bmm(dgraphs, relation.mT).sum(0)
                drelation_bias[k] += dgraphs.sum((0, 2))
                dadjacency[k] += dgraphs.sum((0, 1)).view_as(adjacency[k])
        return (
            dx,
            dweight,
            dbias,
            drelations,
            drelation_weight,
            drelation_bias,
            dadjacency,
        )


def _subset_planes(inputs: tuple[Tensor, ...], some: slice, k: int) -> Tensor:
    """W_k x + b_k of some sequences as planes (n, C, T, V)."""
    x, weight, bias, *_ = inputs
    frames = x[some]
    n, T, V, _ = frames.shape
    planes = torch.bmm(weight[k].expand(n, -1, -1), frames.flatten(1, 2).mT)
    return planes.add_(bias[k].unsqueeze(-1)).view(n, -1, T, V)


def _subset_graphs(inputs: tuple[Tensor, ...], some: slice, k: int) -> Tensor:
    """G_k of some sequences (n, C, V, V)."""
    *_, relations, relation_weight, relation_bias, adjacency = inputs
    relation = relations[some, k]
    n, _, V, _ = relation.shape
    graphs = torch.bmm(relation_weight[k].expand(n, -1, -1), relation.flatten(2)).view(n, -1, V, V)
    return graphs.add_(adjacency[k] + relation_bias[k, :, None, None])


def _plain(x: Tensor) -> bool:
    """Whether to leave the product to autograd."""
    compiling = torch.compiler.is_compiling()
    return compiling or x.device.type != "cpu" or torch.is_autocast_enabled("cpu")


def _pieces(y: Tensor) -> Iterator[slice]:
    """Slices of a few sequences each of y (N, T, V, C)."""
    most = max(1, PIECE // max(1, y[0].numel()))
    for start in range(0, len(y), most):
        yield slice(start, min(start + most, len(y)))


def _planes(x: Tensor) -> Tensor:
    """(n, T, V, C) as planes (n, C, T, V)."""
    n, T, V, C = x.shape
    planes = x.new_empty(n, C, T, V)
    for target, source in zip(planes, x, strict=True):
        target.view(C, T * V).copy_(source.reshape(T * V, C).t())
    return planes


def _rows(planes: Tensor) -> Tensor:
    """Planes (n, C, T, V) as (n, T, V, C), a view."""
    return planes.permute(0, 2, 3, 1)

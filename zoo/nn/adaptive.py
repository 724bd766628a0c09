"""Graph convolutions whose adjacency depends on the sequence, in two of them on the channel too."""

import math

import torch
from torch import Tensor, nn

from zoo.nn.masking import frame_counts, frame_mean, zero_padding
from zoo.nn.norm import BatchNorm
from zoo.nn.planes import channel_graph_product, refined_graph_product
from zoo.nn.pointwise import PointConv, pointwise
from zoo.nn.spatial import JointBiasConv
from zoo.skeleton.graph import SkeletonGraph


class AdaptiveSkeletonConv(JointBiasConv):
    r"""Adaptive graph convolutional layer of AAGCN (Shi et al. 2020, arXiv 1912.06971).

    .. math::
        y_{n,t,w} = \sum_k \Bigl(b_k + W_k \sum_v \bigl(A_{k,v,w} + \alpha\, S_{n,k,v,w}\bigr)\,
        x_{n,t,v}\Bigr), \qquad
        S_{n,k,v,w} = \tanh\Bigl(\frac{1}{C'T} \sum_{t} \theta_k(x_{n,t,v})^\top
        \phi_k(x_{n,t,w})\Bigr)

    A is a parameter that starts as the skeleton's graph, α one scalar that starts at zero, θ and φ
    are linear maps to C' = C_out / 4 channels. Padded frames take no part in S, and T counts real
    frames.

    In its forerunner, 2s-AGCN (Shi et al. 2019, arXiv 1805.07694), S is a softmax over the sources
    v in place of tanh, and counts in full: α = 1. Its A is the fixed graph plus a parameter that
    starts at 1e-6; their sum is the parameter here.

    As every sequence has its own adjacency between all pairs of joints, going edge by edge is
    many times slower than the fused path; it serves explain mode and tests.

    Args:
        graph: where A starts.
        softmax: S as in 2s-AGCN.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(
        self, in_channels: int, out_channels: int, graph: SkeletonGraph, *, softmax: bool = False
    ) -> None:
        super().__init__(in_channels, out_channels, graph, learnable=True)
        width = max(1, out_channels // 4)
        self.alpha = None if softmax else nn.Parameter(torch.zeros(1))
        if softmax:
            self.A.data += 1e-6
        embedding = torch.empty(2, self.num_types, width, in_channels)
        bound = 1 / math.sqrt(in_channels)
        self.embedding_weight = nn.Parameter(nn.init.uniform_(embedding, -bound, bound))
        self.embedding_bias = nn.Parameter(torch.zeros(2, self.num_types, width))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out)."""
        return self._convolve(x, self.sequence_adjacency(x, mask))

    def similarity(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """S of each sequence, (N, K, V, V) as [sequence, type, source, target]."""
        N, T, V, _ = x.shape
        _, K, C, _ = self.embedding_weight.shape
        embedded = pointwise(x, self.embedding_weight.flatten(0, 2), self.embedding_bias.flatten())
        embedded = zero_padding(embedded, mask)
        # (2, N, K, V, T, C'): one matrix product for each sequence and type.
        theta, phi = embedded.reshape(N, T, V, 2, K, C).permute(3, 0, 4, 2, 1, 5).unbind(0)
        product = torch.bmm(
            theta.reshape(N * K, V, T * C), phi.reshape(N * K, V, T * C).transpose(1, 2)
        ).reshape(N, K, V, V)
        frames = T if mask is None else frame_counts(mask).reshape(N, 1, 1, 1)
        product = product / (C * frames)
        return product.softmax(-2) if self.alpha is None else torch.tanh(product)

    def sequence_adjacency(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """A + α·S, (N, K, V, V) as [sequence, type, source, target]."""
        similarity = self.similarity(x, mask)
        return self.A + (similarity if self.alpha is None else self.alpha * similarity)


class RefinedSkeletonConv(nn.Module):
    r"""Channel-wise topology refinement graph convolution (CTR-GC).

    Equations 4 to 8 of CTR-GCN (Chen et al. 2021, arXiv 2107.12213), summed over K subsets:

    .. math::
        y_{n,t,w,c} = \sum_k \sum_v \Bigl(A_{k,v,w} + \alpha \bigl(\xi_k\, \tanh(\theta_k
        \bar x_{n,v} - \phi_k \bar x_{n,w})\bigr)_c\Bigr)\, (W_k x_{n,t,v} + b_k)_c

    A is a parameter that starts as the skeleton's graph, α one scalar that starts at zero; θ and φ
    are affine maps of the mean frame x̄ to r channels, ξ is one from these to C_out. Padded frames
    take no part in x̄.

    Args:
        graph: where A starts.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(self, in_channels: int, out_channels: int, graph: SkeletonGraph) -> None:
        super().__init__()
        adjacency = graph.adjacency().to(torch.get_default_dtype())
        K = graph.num_types
        r = 8 if in_channels <= 16 else in_channels // 8
        self.A = nn.Parameter(adjacency)
        self.alpha = nn.Parameter(torch.zeros(1))
        self.weight = nn.Parameter(torch.empty(K, out_channels, in_channels))
        self.bias = nn.Parameter(torch.zeros(K, out_channels))
        self.embedding_weight = nn.Parameter(torch.empty(2, K, r, in_channels))
        self.embedding_bias = nn.Parameter(torch.zeros(2, K, r))
        self.relation_weight = nn.Parameter(torch.empty(K, out_channels, r))
        self.relation_bias = nn.Parameter(torch.zeros(K, out_channels))
        # As the authors: Kaiming's normal, by the width that comes out.
        for weight in (self.weight, self.embedding_weight, self.relation_weight):
            nn.init.normal_(weight, std=math.sqrt(2 / weight.shape[-2]))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve `x`."""
        return refined_graph_product(
            x,
            self.weight,
            self.bias,
            self.relations(x, mask),
            self.alpha * self.relation_weight,
            self.A.unsqueeze(1) + (self.alpha * self.relation_bias)[:, :, None, None],
        )

    def relations(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """tanh(θ x̄_v − φ x̄_w), (N, K, r, V, V) as [sequence, subset, channel, source, target]."""
        mean = frame_mean(x, mask)
        embedded = torch.einsum("nvi,ekri->enkrv", mean, self.embedding_weight)
        theta, phi = embedded + self.embedding_bias.unsqueeze(1).unsqueeze(-1)
        return torch.tanh(theta.unsqueeze(-1) - phi.unsqueeze(-2))


class DynamicSkeletonConv(nn.Module):
    r"""Dynamic group graph convolution (DG-GCN).

    "DG-GCN" in Duan et al. 2022 (arXiv 2210.05895). The channels are cut into K groups k; with
    h = ReLU(BN(pre x)) and the mean frame x̄,

    .. math::
        y_{n,t,w} = \mathrm{post}\Bigl(\sum_v G_{n,v,w} \odot h_{n,t,v}\Bigr), \qquad
        G_{n,v,w,c} = A_{k,v,w} + \alpha \tanh(\theta_{n,v,c} - \phi_{n,w,c})
        + \beta\, \mathrm{softmax}_v\Bigl(\sum_{c' \in k} \theta_{n,v,c'} \phi_{n,w,c'}\Bigr)

    for channels c of group k; θ and φ are affine maps of x̄. A is a parameter that knows nothing
    of the skeleton: it starts as random numbers. α and β start at zero.

    Args:
        groups: K.
        ratio: channels of one group, as a part of C_out.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_joints: int,
        groups: int,
        ratio: float,
    ) -> None:
        super().__init__()
        width = max(1, int(ratio * out_channels)) * groups
        self.groups = groups
        self.A = nn.Parameter(0.04 + 0.02 * torch.randn(groups, num_joints, num_joints))
        self.alpha = nn.Parameter(torch.zeros(1))
        self.beta = nn.Parameter(torch.zeros(1))
        self.pre = PointConv(in_channels, width)
        self.pre_norm = BatchNorm(width, relu=True)
        self.theta = nn.Linear(in_channels, width)
        self.phi = nn.Linear(in_channels, width)
        self.post = PointConv(width, out_channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve `x`."""
        h = self.pre_norm(self.pre(x))
        return self.post(channel_graph_product(h, self.sequence_graphs(x, mask)))

    def sequence_graphs(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """G, (N, C, V, V) as [sequence, channel, source, target]."""
        mean = frame_mean(x, mask)
        theta, phi = (
            embed(mean).transpose(1, 2).unflatten(1, (self.groups, -1))
            for embed in (self.theta, self.phi)
        )  # (N, K, C/K, V)
        difference = torch.tanh(theta.unsqueeze(-1) - phi.unsqueeze(-2))
        correlation = torch.softmax(theta.transpose(-1, -2) @ phi, dim=-2)
        shared = self.A + self.beta * correlation  # (N, K, V, V)
        return torch.addcmul(shared.unsqueeze(2), self.alpha, difference).flatten(1, 2)

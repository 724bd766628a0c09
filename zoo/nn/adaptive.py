"""Graph convolution whose adjacency also depends on the sequence."""

import math

import torch
from torch import Tensor, nn

from zoo.nn.masking import frame_counts, zero_padding
from zoo.nn.pointwise import pointwise
from zoo.nn.spatial import SkeletonConv
from zoo.skeleton.graph import SkeletonGraph


class AdaptiveSkeletonConv(SkeletonConv):
    r"""Adaptive graph convolutional layer of AAGCN (Shi et al. 2020, arXiv 1912.06971).

    .. math::
        y_{n,t,w} = \sum_k \Bigl(b_k + W_k \sum_v \bigl(A_{k,v,w} + \alpha\, S_{n,k,v,w}\bigr)\,
        x_{n,t,v}\Bigr), \qquad
        S_{n,k,v,w} = \tanh\Bigl(\frac{1}{C'T} \sum_{t} \theta_k(x_{n,t,v})^\top
        \phi_k(x_{n,t,w})\Bigr)

    A is a parameter that starts as the skeleton's graph, α one scalar that starts at zero, θ and φ
    are linear maps to C' = C_out / 4 channels. Padded frames take no part in S, and T counts real
    frames.

    As every sequence has its own adjacency between all pairs of joints, going edge by edge is
    many times slower than the fused path; it serves explain mode and tests.

    Args:
        graph: where A starts.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(self, in_channels: int, out_channels: int, graph: SkeletonGraph) -> None:
        super().__init__(in_channels, out_channels, graph, learnable=True)
        width = max(1, out_channels // 4)
        self.alpha = nn.Parameter(torch.zeros(1))
        embedding = torch.empty(2, self.num_types, width, in_channels)
        bound = 1 / math.sqrt(in_channels)
        self.embedding_weight = nn.Parameter(nn.init.uniform_(embedding, -bound, bound))
        self.embedding_bias = nn.Parameter(torch.zeros(2, self.num_types, width))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out)."""
        return self._convolve(x, self.sequence_adjacency(x, mask))

    def aggregate(self, inputs: Tensor, index: Tensor, dim_size: int) -> Tensor:
        """The sum of the messages at each joint, and the b_k."""
        return super().aggregate(inputs, index, dim_size=dim_size) + self._joint_bias(inputs)

    def _edge_bias(self) -> None:
        return None

    def _joint_bias(self, graph: Tensor) -> Tensor:
        return self.bias.sum(0)

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
        if mask is None:
            return torch.tanh(product / (C * T))
        return torch.tanh(product / (C * frame_counts(mask)).reshape(N, 1, 1, 1))

    def sequence_adjacency(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """A + α·S, (N, K, V, V) as [sequence, type, source, target]."""
        return self.A + self.alpha * self.similarity(x, mask)

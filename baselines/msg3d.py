"""MS-G3D: a graph for every distance, and windows in which joints meet across time.

Liu, Zhang, Chen, Wang, Ouyang, "Disentangling and Unifying Graph Convolutions for Skeleton-Based
Action Recognition", CVPR 2020, doi 10.1109/CVPR42600.2020.00022.
"""

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.blocks import shortcut
from zoo.nn.dropout import Dropout
from zoo.nn.fused import typed_graph_product
from zoo.nn.masking import stride_mask, zero_padding
from zoo.nn.multibranch import MultiBranchConv
from zoo.nn.norm import BatchNorm
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


def disentangled_adjacency(hops: Tensor, scales: int) -> Tensor:
    r"""The paper's k-adjacencies, each column-normalised by itself.

    .. math::
        [\tilde A_{(k)}]_{v,w} = 1 \text{ where } h_{v,w} = k \text{ or } v = w, \text{ else } 0

    Joints k bones apart are neighbours at scale k and at no other, so that a far scale is not
    drowned by the near ones, as it is in powers of the adjacency.

    Args:
        hops: h (V, V), bones between any two nodes.
        scales: K, from k = 0 (self loops) on.

    Returns:
        (K, V, V) float, [scale, source, target].
    """
    scale = torch.arange(scales).reshape(-1, 1, 1)
    edges = ((hops == scale) | (hops == 0)).double()
    return (edges / edges.sum(1, keepdim=True)).float()


def window_hops(hops: Tensor, frames: int) -> Tensor:
    """Hops in the spatial-temporal graph of a window, `frames` copies of the skeleton.

    Every joint is joined to its neighbours in all frames of the window and to itself in the
    others. (V, V) → (frames·V, frames·V), frame-major.
    """
    tiled = hops.tile(frames, frames).clamp(min=1)
    return tiled.fill_diagonal_(0)


class MultiScaleConv(nn.Module):
    r"""Disentangled multi-scale graph convolution (MS-GCN, with its learned residual mask).

    .. math::
        y_{n,t,w} = \mathrm{ReLU}\Bigl(\mathrm{BN}\bigl(b + \sum_k \sum_v
        (\hat A_{(k)} + B_k)_{v,w}\, W_k\, x_{n,t,v}\bigr)\Bigr)

    B starts within ±1e-6. As it joins every pair of nodes at every scale, the sums are matrix
    products.

    Args:
        hops: bones between any two of the V nodes, (V, V).
        scales: K.

    Shapes: x (N, T, V, C_in) → (N, T, V, C_out).
    """

    A: Tensor

    def __init__(self, in_channels: int, out_channels: int, hops: Tensor, scales: int) -> None:
        super().__init__()
        self.register_buffer("A", disentangled_adjacency(hops, scales), persistent=False)
        self.B = nn.Parameter(torch.empty(self.A.shape).uniform_(-1e-6, 1e-6))
        bound = 1 / math.sqrt(in_channels * scales)
        self.weight = nn.Parameter(
            torch.empty(scales, out_channels, in_channels).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound))
        self.norm = BatchNorm(out_channels, relu=True)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out)."""
        graph = (self.A + self.B).movedim(-1, -3)  # [target, scale, source]
        return self.norm(typed_graph_product(x, self.weight, graph, self.bias))


class WindowConv(nn.Module):
    """G3D: the multi-scale convolution over windows of frames.

    A window of several frames is one graph, in which information goes directly from a joint at
    one time to its neighbours at another. A learned weighting of the window's frames then
    collapses it into one frame. Windows reach beyond both ends into zeros.

    Args:
        inner_channels: of the features within a window.
        hops: bones between any two joints (V, V).
        scales: K.
        frames: of a window, odd.
        stride: frames from one window to the next.

    Shapes: x (N, T, V, C_in) → (N, ceil(T / stride), V, C_out).
    """

    def __init__(
        self,
        in_channels: int,
        inner_channels: int,
        out_channels: int,
        hops: Tensor,
        scales: int,
        frames: int,
        stride: int,
    ) -> None:
        super().__init__()
        self.frames = frames
        self.stride = stride
        self.spatial = MultiScaleConv(
            in_channels, inner_channels, window_hops(hops, frames), scales
        )
        self.collapse = nn.Conv2d(inner_channels, out_channels, (frames, 1))
        self.norm = BatchNorm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x, in which padded frames are zero."""
        N, _, V, C = x.shape
        half = self.frames // 2
        padded = F.pad(x, (0, 0, 0, 0, half, half))
        windows = padded.unfold(1, self.frames, self.stride)  # (N, T', V, C, frames)
        windows = windows.permute(0, 1, 4, 2, 3).reshape(N, -1, self.frames * V, C)
        y = self.spatial(windows)
        y = y.reshape(-1, self.frames, V, y.shape[-1]).permute(0, 3, 1, 2)
        y = self.collapse(y).permute(0, 2, 3, 1)  # (N·T', 1, V, C_out)
        return self.norm(y.reshape(N, -1, V, y.shape[-1]))


class MultiScaleTemporal(nn.Module):
    """MS-TCN: six branches along time and a way around them.

    Args:
        stride: of the branches.
        relu: end with a ReLU.
        dropout: probability after it.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / stride), V, C_out).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        relu: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.branches = MultiBranchConv(in_channels, out_channels, stride=stride, remainder="last")
        self.residual = shortcut(in_channels, out_channels, stride)
        self.relu = relu
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; padded frames of the result hold no information."""
        y = self.branches(x, mask) + self.residual(x)
        return self.dropout(F.relu(y, inplace=True) if self.relu else y)


class MSG3DBlock(nn.Module):
    """STGC block: windows and a factorised path side by side, then time once more.

    Args:
        hops: bones between any two joints (V, V).
        stride: of the block along time.
        scales: as ``window_scales`` and ``windows`` of `MSG3D`.
        residual: as in `zoo.nn.trunk.Trunk`, false for the first block alone, which goes to C_out
            in the graph convolutions; the others do at the first step along time.
        dropout: at the end of the block.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / stride), V, C_out) and the mask
    at that length.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hops: Tensor,
        *,
        stride: int,
        scales: int,
        window_scales: int,
        windows: Sequence[int],
        residual: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        inner = in_channels if residual else out_channels
        self.windows = nn.ModuleList(
            WindowConv(in_channels, inner, out_channels, hops, window_scales, frames, stride)
            for frames in windows
        )
        self.spatial = MultiScaleConv(in_channels, inner, hops, scales)
        self.temporal = nn.ModuleList(
            [
                MultiScaleTemporal(inner, out_channels, stride=stride),
                MultiScaleTemporal(out_channels, out_channels, relu=False),
            ]
        )
        self.last = MultiScaleTemporal(out_channels, out_channels, dropout=dropout)
        self.stride = stride

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features and mask after the block; padded frames of the result hold no information."""
        x = zero_padding(x, mask)
        strided = stride_mask(mask, self.stride)
        first, second = self.temporal
        y = second(first(self.spatial(x), mask), strided)
        for window in self.windows:
            y = y + window(x)
        return self.last(F.relu(y), strided), strided


class MSG3D(BlockNetwork):
    """MS-G3D, one stream of two, with a regression head (arXiv 2003.14111).

    The paper trains two networks, on position and bone, and adds their answers.

    Args:
        scales: distances of joints in the factorised path, from 0.
        window_scales: distances of joints within windows, from 0.
        windows: frames of each kind of window, odd.
        dropout: at the end of each block.

    Raises:
        ConfigError: an even window.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        channels: Sequence[int] = (96, 192, 384),
        strides: Sequence[int] = (1, 2, 2),
        scales: int = 13,
        window_scales: int = 6,
        windows: Sequence[int] = (3, 5),
        dropout: float = 0.0,
    ) -> None:
        if any(frames < 1 or frames % 2 == 0 for frames in windows):
            raise ConfigError(f"windows={list(windows)} must be odd, so that each has a middle")
        block = partial(
            MSG3DBlock,
            hops=hop_distance(layout),
            scales=scales,
            window_scales=window_scales,
            windows=windows,
            dropout=dropout,
        )
        super().__init__(layout, block, streams, channels, strides)

"""Spatial-temporal blocks: a graph convolution within frames, a convolution along time."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.masking import stride_mask, zero_padding
from zoo.nn.norm import BatchNorm, InputNorm
from zoo.nn.spatial import SkeletonConv
from zoo.nn.temporal import TemporalConv
from zoo.skeleton.graph import SkeletonGraph


def shortcut(in_channels: int, out_channels: int, stride: int = 1) -> nn.Module:
    """The way around a block: the identity where the shape stays, else a strided 1×1 convolution.

    The convolution is followed by batch normalisation. (N, T, V, C_in) → (N, T', V, C_out).
    """
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return TemporalConv(in_channels, out_channels, kernel_size=1, stride=stride)


class STGCNBlock(nn.Module):
    r"""The unit of ST-GCN (Yan et al. 2018, arXiv 1801.07455, "Network architecture").

    .. math::
        y = \mathrm{ReLU}\bigl(\mathrm{dropout}(\mathrm{TCN}(\mathrm{ReLU}(\mathrm{BN}(
        \mathrm{GCN}(x))))) + \mathrm{residual}(x)\bigr)

    Args:
        in_channels: C_in.
        out_channels: C_out.
        graph: the typed edges.
        stride: of the temporal convolution.
        kernel_size: frames the temporal convolution sees, odd.
        residual: with a shortcut; see `shortcut`.
        dropout: probability after the temporal convolution.
        importance: learnable edge importance of `SkeletonConv`.
        learnable: learnable adjacency of `SkeletonConv`.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / stride), V, C_out) and the mask
    at that length.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: SkeletonGraph,
        *,
        stride: int = 1,
        kernel_size: int = 9,
        residual: bool = True,
        dropout: float = 0.0,
        importance: bool = False,
        learnable: bool = False,
    ) -> None:
        super().__init__()
        self.spatial = SkeletonConv(
            in_channels, out_channels, graph, importance=importance, learnable=learnable
        )
        self.norm = BatchNorm(out_channels, relu=True)
        self.temporal = TemporalConv(out_channels, out_channels, kernel_size, stride)
        self.residual = shortcut(in_channels, out_channels, stride) if residual else None
        self.dropout = Dropout(dropout)
        self.stride = stride

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features and mask after the block; padded frames of the result hold no information."""
        y = self.norm(self.spatial(x))
        y = self.dropout(self.temporal(y, mask))
        y = F.relu(y) if self.residual is None else F.relu(y + self.residual(x), inplace=True)
        return y, stride_mask(mask, self.stride)


class STGCNTrunk(nn.Module):
    """ST-GCN without its head, for models that are built around one or several.

    Args:
        in_channels: C_in.
        graph: the typed edges.
        channels: width of each block.
        strides: temporal stride of each block.
        kernel_size: frames a temporal convolution sees, odd.
        dropout: probability after each temporal convolution.
        importance: learn a weight for every edge.
        norm: begin with batch normalisation of the raw coordinates.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T', V, channels[-1]) and the mask at that
    length; padded frames of x may hold anything.

    Raises:
        ConfigError: unequal numbers of channels and strides.
    """

    def __init__(
        self,
        in_channels: int,
        graph: SkeletonGraph,
        channels: Sequence[int],
        strides: Sequence[int],
        *,
        kernel_size: int = 9,
        dropout: float = 0.0,
        importance: bool = False,
        norm: bool = True,
    ) -> None:
        super().__init__()
        if len(channels) != len(strides) or not channels:
            raise ConfigError(
                f"{len(channels)} channels and {len(strides)} strides: each block needs one of both"
            )
        self.norm = InputNorm(graph.num_joints, in_channels) if norm else nn.Identity()
        widths = [in_channels, *channels]
        self.blocks = nn.ModuleList(
            STGCNBlock(
                widths[index],
                widths[index + 1],
                graph,
                stride=stride,
                kernel_size=kernel_size,
                residual=index > 0,
                dropout=dropout,
                importance=importance,
            )
            for index, stride in enumerate(strides)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features of the last block and their mask."""
        x = self.norm(zero_padding(x, mask))
        for block in self.blocks:
            x, mask = block(x, mask)
        return x, mask

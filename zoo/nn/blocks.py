"""Spatial-temporal blocks: a graph convolution within frames, a convolution along time."""

from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.dropout import Dropout
from zoo.nn.masking import stride_mask
from zoo.nn.norm import BatchNorm
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


class GraphUnit(nn.Module):
    r"""A graph convolution with what normalises it and, mostly, a way around it.

    .. math:: y = \mathrm{ReLU}(\mathrm{BN}(\mathrm{conv}(x)) + \mathrm{down}(x))

    Args:
        conv: any layer (N, T, V, C_in), mask → (N, T, V, C_out).
        down: with the way around, see `shortcut`.
        closed: the convolution's own path starts almost closed, as in the code of AAGCN's authors
            and their successors.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, T, V, C_out).
    """

    def __init__(
        self,
        conv: nn.Module,
        in_channels: int,
        out_channels: int,
        *,
        down: bool = True,
        closed: bool = False,
    ) -> None:
        super().__init__()
        self.conv = conv
        self.norm = BatchNorm(out_channels, relu=not down)
        self.down = shortcut(in_channels, out_channels) if down else None
        if closed:
            nn.init.constant_(self.norm.weight, 1e-6)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve within frames; padded frames of the result hold no information."""
        y: Tensor = self.norm(self.conv(x, mask))
        return y if self.down is None else F.relu(y + self.down(x), inplace=True)


class SpaceTimeBlock(nn.Module):
    r"""A spatial layer within frames, a temporal one along each joint, and a way around both.

    .. math::
        y = \mathrm{ReLU}\bigl(\mathrm{dropout}(\mathrm{temporal}(\mathrm{spatial}(x)))
        + \mathrm{residual}(x)\bigr)

    Args:
        spatial: any layer (N, T, V, C_in), mask → (N, T, V, C_out), such as a `GraphUnit`.
        temporal: any layer (N, T, V, C_out), mask → (N, ceil(T / stride), V, C_out).
        stride: of the temporal layer.
        residual: with a shortcut; see `shortcut`.
        relu: another ReLU after the temporal layer, as InfoGCN and CTR-GCN have it.
        dropout: probability after it.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / stride), V, C_out) and the mask
    at that length.
    """

    def __init__(
        self,
        spatial: nn.Module,
        temporal: nn.Module,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        residual: bool = True,
        relu: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.spatial = spatial
        self.temporal = temporal
        self.residual = shortcut(in_channels, out_channels, stride) if residual else None
        self.dropout = Dropout(dropout)
        self.stride = stride
        self.relu = relu

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features and mask after the block; padded frames of the result hold no information."""
        y = self.temporal(self.spatial(x, mask), mask)
        y = self.dropout(F.relu(y) if self.relu else y)
        y = F.relu(y) if self.residual is None else F.relu(y + self.residual(x), inplace=True)
        return y, stride_mask(mask, self.stride)


class STGCNBlock(SpaceTimeBlock):
    r"""The unit of ST-GCN (Yan et al. 2018, arXiv 1801.07455, "Network architecture").

    .. math::
        y = \mathrm{ReLU}\bigl(\mathrm{dropout}(\mathrm{TCN}(\mathrm{ReLU}(\mathrm{BN}(
        \mathrm{GCN}(x))))) + \mathrm{residual}(x)\bigr)

    Args:
        graph: the typed edges.
        stride: of the temporal convolution.
        kernel_size: frames the temporal convolution sees, odd.
        residual: with a shortcut; see `shortcut`.
        dropout: probability after the temporal convolution.
        importance: learnable edge importance of `SkeletonConv`.
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
    ) -> None:
        conv = SkeletonConv(in_channels, out_channels, graph, importance=importance)
        super().__init__(
            GraphUnit(conv, in_channels, out_channels, down=False),
            TemporalConv(out_channels, out_channels, kernel_size, stride),
            in_channels,
            out_channels,
            stride=stride,
            residual=residual,
            dropout=dropout,
        )

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

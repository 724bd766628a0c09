"""The block of CTR-GCN's successors: a graph, then branches along time."""

from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.blocks import shortcut
from zoo.nn.masking import stride_mask
from zoo.nn.multibranch import Branch, MultiBranchConv

BRANCHES: tuple[Branch, ...] = ((5, 1), (5, 2), "max", "1x1")
"""The four branches of CTR-GCN."""


class SpaceTimeBlock(nn.Module):
    r"""A spatial layer within frames, four temporal branches, and a way around both.

    .. math::
        y = \mathrm{ReLU}\bigl(\mathrm{TCN}(\mathrm{spatial}(x)) + \mathrm{residual}(x)\bigr)

    Args:
        spatial: any layer (N, T, V, C_in), mask → (N, T, V, C_out).
        in_channels: C_in.
        out_channels: C_out.
        stride: of the temporal branches.
        residual: with a shortcut; see `zoo.nn.blocks.shortcut`.
        relu: another ReLU after the branches, as InfoGCN and CTR-GCN have it.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / stride), V, C_out) and the mask
    at that length.
    """

    def __init__(
        self,
        spatial: nn.Module,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        residual: bool = True,
        relu: bool = False,
    ) -> None:
        super().__init__()
        self.spatial = spatial
        self.temporal = MultiBranchConv(out_channels, out_channels, BRANCHES, stride=stride)
        self.residual = shortcut(in_channels, out_channels, stride) if residual else None
        self.stride = stride
        self.relu = relu

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features and mask after the block; padded frames of the result hold no information."""
        y = self.temporal(self.spatial(x, mask), mask)
        y = F.relu(y) if self.relu else y
        y = F.relu(y) if self.residual is None else F.relu(y + self.residual(x), inplace=True)
        return y, stride_mask(mask, self.stride)

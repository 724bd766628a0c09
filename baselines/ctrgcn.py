"""CTR-GCN: channel-wise topology refinement (Chen, Zhang, Yuan, Li, Deng, Hu, ICCV 2021)."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.blocks import shortcut
from zoo.nn.channelwise import RefinedSkeletonConv
from zoo.nn.masking import stride_mask
from zoo.nn.multibranch import MultiBranchConv
from zoo.nn.network import BlockNetwork
from zoo.nn.norm import BatchNorm
from zoo.skeleton.graph import SkeletonGraph, build_graph
from zoo.skeleton.layout import Layout

BRANCHES = ((5, 1), (5, 2), "max", "1x1")


class CTRGCNBlock(nn.Module):
    r"""The unit of CTR-GCN (arXiv 2107.12213, "Model architecture").

    .. math::
        z = \mathrm{ReLU}(\mathrm{BN}(\mathrm{CTR\text{-}GC}(x)) + \mathrm{res}(x)), \qquad
        y = \mathrm{ReLU}(\mathrm{ReLU}(\mathrm{MS\text{-}TCN}(z)) + \mathrm{res}'(x))

    Args:
        in_channels: C_in.
        out_channels: C_out.
        graph: where the learnable adjacency starts.
        branches: of the temporal unit, see `MultiBranchConv`.
        stride: of the temporal unit.
        residual: with res', a shortcut around the whole block.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / stride), V, C_out) and the mask
    at that length.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: SkeletonGraph,
        branches: Sequence[Any] = BRANCHES,
        *,
        stride: int = 1,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.spatial = RefinedSkeletonConv(in_channels, out_channels, graph)
        self.norm = BatchNorm(out_channels)
        self.down = shortcut(in_channels, out_channels)
        self.temporal = MultiBranchConv(
            out_channels, out_channels, branches, stride=stride, remainder="last"
        )
        self.residual = shortcut(in_channels, out_channels, stride) if residual else None
        self.stride = stride
        # The skeleton's own path starts almost closed, as in the authors' code.
        nn.init.constant_(self.norm.weight, 1e-6)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features and mask after the block; padded frames of the result hold no information."""
        y = F.relu(self.norm(self.spatial(x, mask)) + self.down(x), inplace=True)
        y = F.relu(self.temporal(y, mask))
        if self.residual is not None:
            y = F.relu(y + self.residual(x), inplace=True)
        return y, stride_mask(mask, self.stride)


class CTRGCN(BlockNetwork):
    """CTR-GCN with a regression head (arXiv 2107.12213).

    Args:
        layout: the skeleton.
        streams: what goes in, side by side along the channels. The paper trains four networks, on
            position, bone, joint_motion and bone_motion, and adds their answers.
        partition: of the edges the learnable adjacency starts from.
        channels: width of each block.
        strides: temporal stride of each block.
        branches: of the temporal units, see `MultiBranchConv`.
        dropout: probability before the head.

    Raises:
        ConfigError: unequal numbers of channels and strides, an unknown stream or branch.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        partition: str = "spatial",
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        branches: Sequence[Any] = BRANCHES,
        dropout: float = 0.0,
    ) -> None:
        graph = build_graph(layout, partition)

        def block(width: int, out_channels: int, stride: int, residual: bool) -> CTRGCNBlock:
            return CTRGCNBlock(
                width, out_channels, graph, branches, stride=stride, residual=residual
            )

        super().__init__(
            layout, block, streams=streams, channels=channels, strides=strides, dropout=dropout
        )

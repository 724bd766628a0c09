"""CTR-GCN: channel-wise topology refinement (Chen, Zhang, Yuan, Li, Deng, Hu, ICCV 2021)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.channelwise import RefinedSkeletonConv
from zoo.nn.multibranch import CTRGCN_BRANCHES, MultiBranchConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import SkeletonGraph, build_graph
from zoo.skeleton.layout import Layout


class CTRGCNBlock(SpaceTimeBlock):
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
        branches: Sequence[Any] = CTRGCN_BRANCHES,
        *,
        stride: int = 1,
        residual: bool = True,
    ) -> None:
        conv = RefinedSkeletonConv(in_channels, out_channels, graph)
        super().__init__(
            GraphUnit(conv, in_channels, out_channels, closed=True),
            MultiBranchConv(out_channels, out_channels, branches, stride=stride, remainder="last"),
            in_channels,
            out_channels,
            stride=stride,
            residual=residual,
            relu=True,
        )


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
        branches: Sequence[Any] = CTRGCN_BRANCHES,
        dropout: float = 0.0,
    ) -> None:
        block = partial(CTRGCNBlock, graph=build_graph(layout, partition), branches=branches)
        super().__init__(
            layout, block, streams=streams, channels=channels, strides=strides, dropout=dropout
        )

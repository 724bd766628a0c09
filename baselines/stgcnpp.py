"""ST-GCN++ (Duan, Wang, Chen, Lin: PYSKL, ACM Multimedia 2022)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.multibranch import PYSKL_BRANCHES, MultiBranchConv
from zoo.nn.spatial import SkeletonConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import SkeletonGraph, build_graph
from zoo.skeleton.layout import Layout


class STGCNPPBlock(SpaceTimeBlock):
    r"""The unit of ST-GCN++ (arXiv 2205.09443, "ST-GCN++").

    .. math::
        z = \mathrm{ReLU}(\mathrm{BN}(\mathrm{GCN}(x)) + \mathrm{res}(x)), \qquad
        y = \mathrm{ReLU}(\mathrm{MS\text{-}TCN}(z) + \mathrm{res}'(x))

    GCN is ST-GCN's with an adjacency that is itself a parameter, MS-TCN has six branches.

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
        branches: Sequence[Any] = PYSKL_BRANCHES,
        *,
        stride: int = 1,
        residual: bool = True,
    ) -> None:
        conv = SkeletonConv(in_channels, out_channels, graph, learnable=True)
        super().__init__(
            GraphUnit(conv, in_channels, out_channels),
            MultiBranchConv(out_channels, out_channels, branches, stride=stride, mix=True),
            in_channels,
            out_channels,
            stride=stride,
            residual=residual,
        )


class STGCNPP(BlockNetwork):
    """ST-GCN++ with a regression head (arXiv 2205.09443).

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
        branches: Sequence[Any] = PYSKL_BRANCHES,
        dropout: float = 0.0,
    ) -> None:
        block = partial(STGCNPPBlock, graph=build_graph(layout, partition), branches=branches)
        super().__init__(
            layout, block, streams=streams, channels=channels, strides=strides, dropout=dropout
        )

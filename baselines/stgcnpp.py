"""ST-GCN++ (Duan, Wang, Chen, Lin: PYSKL, ACM Multimedia 2022)."""

from collections.abc import Sequence

from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.multibranch import MultiBranchConv
from zoo.nn.spatial import SkeletonConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout


class STGCNPP(BlockNetwork):
    r"""ST-GCN++ with a regression head (arXiv 2205.09443).

    Its unit, "ST-GCN++" in the paper:

    .. math::
        z = \mathrm{ReLU}(\mathrm{BN}(\mathrm{GCN}(x)) + \mathrm{res}(x)), \qquad
        y = \mathrm{ReLU}(\mathrm{MS\text{-}TCN}(z) + \mathrm{res}'(x))

    GCN is ST-GCN's with an adjacency that is itself a parameter, MS-TCN has six branches.

    Args:
        partition: of the edges the learnable adjacency starts from.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        partition: str = "spatial",
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        dropout: float = 0.0,
    ) -> None:
        graph = build_graph(layout, partition)

        def block(c_in: int, c_out: int, *, stride: int, residual: bool) -> SpaceTimeBlock:
            conv = SkeletonConv(c_in, c_out, graph, learnable=True)
            spatial = GraphUnit(conv, c_in, c_out)
            temporal = MultiBranchConv(c_out, c_out, stride=stride, mix=True)
            return SpaceTimeBlock(spatial, temporal, c_in, c_out, stride=stride, residual=residual)

        super().__init__(layout, block, streams, channels, strides, dropout)

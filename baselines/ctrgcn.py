"""CTR-GCN: channel-wise topology refinement (Chen, Zhang, Yuan, Li, Deng, Hu, ICCV 2021)."""

from collections.abc import Sequence

from zoo.nn.adaptive import RefinedSkeletonConv
from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.multibranch import CTRGCN_BRANCHES, MultiBranchConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout


class CTRGCN(BlockNetwork):
    r"""CTR-GCN with a regression head (arXiv 2107.12213).

    Its unit, "Model architecture" in the paper:

    .. math::
        z = \mathrm{ReLU}(\mathrm{BN}(\mathrm{CTR\text{-}GC}(x)) + \mathrm{res}(x)), \qquad
        y = \mathrm{ReLU}(\mathrm{ReLU}(\mathrm{MS\text{-}TCN}(z)) + \mathrm{res}'(x))

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
            conv = RefinedSkeletonConv(c_in, c_out, graph)
            spatial = GraphUnit(conv, c_in, c_out, closed=True)
            temporal = MultiBranchConv(
                c_out, c_out, CTRGCN_BRANCHES, stride=stride, remainder="last"
            )
            return SpaceTimeBlock(
                spatial, temporal, c_in, c_out, stride=stride, residual=residual, relu=True
            )

        super().__init__(layout, block, streams, channels, strides, dropout)

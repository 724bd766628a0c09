"""DG-STGCN: dynamic groups in space and time (Duan, Wang, Chen, Lin, arXiv 2210.05895, 2022)."""

from collections.abc import Sequence

from zoo.nn.adaptive import DynamicSkeletonConv
from zoo.nn.blocks import GraphUnit, SpaceTimeBlock
from zoo.nn.multibranch import MultiBranchConv
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.layout import Layout


class DGSTGCN(BlockNetwork):
    r"""DG-STGCN with a regression head (arXiv 2210.05895).

    Its unit, "DG-STGCN" in the paper:

    .. math::
        z = \mathrm{ReLU}(\mathrm{BN}(\mathrm{DG\text{-}GCN}(x)) + \mathrm{res}(x)), \qquad
        y = \mathrm{ReLU}(\mathrm{DG\text{-}TCN}(z) + \mathrm{res}'(x))

    DG-TCN is the temporal unit of six branches with the mean of all joints as one more joint. Of
    the skeleton only the number of joints is used.

    Args:
        groups: of channels with a learnable graph each.
        ratio: channels of one group, as a part of a block's width.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        groups: int = 8,
        ratio: float = 0.125,
        dropout: float = 0.0,
    ) -> None:
        joints = layout.num_joints

        def block(c_in: int, c_out: int, *, stride: int, residual: bool) -> SpaceTimeBlock:
            conv = DynamicSkeletonConv(c_in, c_out, joints, groups, ratio)
            spatial = GraphUnit(conv, c_in, c_out)
            temporal = MultiBranchConv(c_out, c_out, stride=stride, mix=True, joint_mean=joints)
            return SpaceTimeBlock(spatial, temporal, c_in, c_out, stride=stride, residual=residual)

        super().__init__(layout, block, streams, channels, strides, dropout)

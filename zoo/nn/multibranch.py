"""Convolution along time in several branches, each with its own reach."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.masking import zero_padding
from zoo.nn.norm import BatchNorm
from zoo.nn.pointwise import PointConv
from zoo.nn.temporal import AlongTime, led

CTRGCN_BRANCHES = ((5, 1), (5, 2))
"""(kernel, dilation) of CTR-GCN, InfoGCN, HD-GCN and BlockGCN: four branches in all."""

PYSKL_BRANCHES = ((3, 1), (3, 2), (3, 3), (3, 4))
"""(kernel, dilation) of MS-G3D, ST-GCN++ and DG-STGCN: six branches in all."""


class MultiBranchConv(nn.Module):
    r"""Branches along time side by side, and what normalises and mixes them.

    The multi-scale unit of MS-G3D (Liu et al. 2020, arXiv 2003.14111) and CTR-GCN (Chen et al.
    2021, arXiv 2107.12213); with `mix` that of ST-GCN++ (Duan et al. 2022, arXiv 2205.09443), with
    `joint_mean` as well that of DG-STGCN (Duan et al. 2022, arXiv 2210.05895). With h = ReLU(BN(W
    x)), each branch b has some channels of

    .. math::
        u_b = \begin{cases}
            \mathrm{conv}_{k \times 1,\,\text{dilation } d}(h_b) & \text{for each } (k, d) \\
            \max(h_{b,t-1}, h_{b,t}, h_{b,t+1}) & \text{in the last but one} \\
            W_b\, x & \text{in the last} \end{cases}
        \qquad y = \mathrm{BN}(u) \quad\text{or, mixed,}\quad
        y = \mathrm{BN}(W' \mathrm{ReLU}(\mathrm{BN}(u)))

    A normalisation of every branch, as the papers draw it, is one of all branches' channels side by
    side. With `joint_mean`, the mean of x over the joints goes through the branches as one more
    joint, and joint v gets γ_v times what comes out of it.

    Args:
        branches: (k, d) of the convolutions, kernels odd; two more branches are always there.
        stride: s, of all branches.
        remainder: which branch gets the channels left over by an even division, ``first`` or
            ``last``.
        mix: follow with ReLU, W' and another normalisation.
        joint_mean: number of joints V for which to learn a γ; 0 for no joint mean.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / s), V, C_out); padded frames of
    the result hold no information.

    Raises:
        ConfigError: fewer channels than branches.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        branches: Sequence[tuple[int, int]] = PYSKL_BRANCHES,
        *,
        stride: int = 1,
        remainder: Literal["first", "last"] = "first",
        mix: bool = False,
        joint_mean: int = 0,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.widths = branch_widths(out_channels, len(branches) + 2, remainder)
        direct = self.widths[-1]
        self.entry = PointConv(in_channels, out_channels - direct)
        self.entry_norm = BatchNorm(out_channels - direct, relu=True)
        self.convs = nn.ModuleList(
            AlongTime(
                width,
                width,
                (kernel, 1),
                stride=(stride, 1),
                padding=((kernel - 1) * dilation // 2, 0),
                dilation=(dilation, 1),
            )
            for (kernel, dilation), width in zip(branches, self.widths, strict=False)
        )
        self.peak = Peak(stride)
        self.direct = PointConv(in_channels, direct, stride)
        self.joint_weight = nn.Parameter(torch.zeros(joint_mean)) if joint_mean else None
        self.norm = BatchNorm(out_channels, relu=mix)
        self.mix = PointConv(out_channels, out_channels) if mix else None
        self.mix_norm = BatchNorm(out_channels) if mix else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask, padded frames count as zero."""
        if self.joint_weight is not None:
            x = torch.cat([x, x.sum(2, keepdim=True) / x.shape[2]], dim=2)
        y = self._parallel(x, mask)
        if self.joint_weight is not None:
            joints, mean = y.split([y.shape[2] - 1, 1], dim=2)
            y = torch.addcmul(joints, self.joint_weight[:, None], mean)
        y = self.norm(y)
        if self.mix is not None and self.mix_norm is not None:
            y = self.mix_norm(self.mix(y))
        return y

    def _parallel(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """All branches side by side: u (N, ceil(T / s), V, C_out)."""
        h = zero_padding(self.entry_norm(self.entry(x)), mask)
        # In the order of `nn.Conv2d`, without a copy.
        *parts, last = h.permute(0, 3, 1, 2).split(self.widths[:-1], dim=1)
        outs = [conv(part) for conv, part in zip(self.convs, parts, strict=True)]
        outs.append(self.peak(last))
        return torch.cat([*(y.permute(0, 2, 3, 1) for y in outs), self.direct(x)], dim=-1)


class Peak(nn.Module):
    """The greatest of three frames of activations, (N, C, T, V) → (N, C, ceil(T / s), V).

    Zeros beyond the ends are below no activation, so they do not show in a maximum.
    """

    lead = 0

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def look_back(self) -> None:
        """From now on of a frame and the two before it."""
        self.lead = 1

    def forward(self, image: Tensor) -> Tensor:
        """The maximum."""
        return led(self.pool, image, self.lead, self.stride)

    def pool(self, image: Tensor) -> Tensor:
        """Of a frame and its neighbours."""
        return F.max_pool2d(image, (3, 1), (self.stride, 1), (1, 0))


def branch_widths(
    channels: int, branches: int, remainder: Literal["first", "last"] = "first"
) -> list[int]:
    """`channels` in equal parts, and the rest to the first or the last of them.

    Raises:
        ConfigError: fewer channels than branches.
    """
    if channels < branches:
        raise ConfigError(f"{channels} channels are too few for {branches} branches")
    even = channels // branches
    widths = [even] * branches
    widths[0 if remainder == "first" else -1] += channels - even * branches
    return widths

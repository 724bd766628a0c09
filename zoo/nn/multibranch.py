"""Convolution along time in several branches, each with its own reach."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.masking import zero_padding
from zoo.nn.norm import BatchNorm

Branch = tuple[int, int] | Literal["max", "1x1"]
"""(kernel, dilation), ``max`` or ``1x1``."""

CTRGCN_BRANCHES: tuple[Branch, ...] = ((5, 1), (5, 2), "max", "1x1")
"""The four branches of CTR-GCN, InfoGCN, HD-GCN and BlockGCN."""

PYSKL_BRANCHES: tuple[Branch, ...] = ((3, 1), (3, 2), (3, 3), (3, 4), "max", "1x1")
"""The six branches of MS-G3D, ST-GCN++ and DG-STGCN."""


class MultiBranchConv(nn.Module):
    r"""Branches along time side by side, and what normalises and mixes them.

    The multi-scale unit of MS-G3D (Liu et al. 2020, arXiv 2003.14111) and CTR-GCN (Chen et al.
    2021, arXiv 2107.12213); with `mix` that of ST-GCN++ (Duan et al. 2022, arXiv 2205.09443), with
    `joint_mean` as well that of DG-STGCN (Duan et al. 2022, arXiv 2210.05895). With h = ReLU(BN(W
    x)), each branch b has some channels of

    .. math::
        u_b = \begin{cases}
            \mathrm{conv}_{k \times 1,\,\text{dilation } d}(h_b) & b = (k, d) \\
            \max(h_{b,t-1}, h_{b,t}, h_{b,t+1}) & b = \text{max} \\
            W_b\, x & b = \text{1x1} \end{cases}
        \qquad y = \mathrm{BN}(u) \quad\text{or, mixed,}\quad
        y = \mathrm{BN}(W' \mathrm{ReLU}(\mathrm{BN}(u)))

    A normalisation of every branch, as the papers draw it, is one of all branches' channels side by
    side. With `joint_mean`, the mean of x over the joints goes through the branches as one more
    joint, and joint v gets γ_v times what comes out of it.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        branches: convolutions first, then ``max``, then ``1x1``; in this order they lie along
            the channels. Kernels are odd.
        stride: s, of all branches.
        remainder: which branch gets the channels left over by an even division, ``first`` or
            ``last``.
        mix: follow with ReLU, W' and another normalisation.
        joint_mean: number of joints V for which to learn a γ; 0 for no joint mean.

    Shapes: x (N, T, V, C_in), mask (N, T) or None → (N, ceil(T / s), V, C_out); padded frames of
    the result hold no information.

    Raises:
        ConfigError: a branch of another kind or out of order, or fewer channels than branches.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        branches: Sequence[Any] = PYSKL_BRANCHES,
        *,
        stride: int = 1,
        remainder: Literal["first", "last"] = "first",
        mix: bool = False,
        joint_mean: int = 0,
    ) -> None:
        super().__init__()
        self.branches = check_branches(branches)
        self.stride = stride
        self.widths = branch_widths(out_channels, len(self.branches), remainder)
        direct = self.widths[-1] if self.branches[-1] == "1x1" else 0
        indirect = out_channels - direct
        self.entry = nn.Conv2d(in_channels, indirect, 1) if indirect else None
        self.entry_norm = BatchNorm(indirect, relu=True) if indirect else None
        self.convs = nn.ModuleList()
        for branch, width in zip(self.branches, self.widths, strict=True):
            if not isinstance(branch, str):
                kernel, dilation = branch
                self.convs.append(
                    nn.Conv2d(
                        width,
                        width,
                        (kernel, 1),
                        stride=(stride, 1),
                        padding=((kernel - 1) * dilation // 2, 0),
                        dilation=(dilation, 1),
                    )
                )
        self.direct = nn.Conv2d(in_channels, direct, 1, stride=(stride, 1)) if direct else None
        self.joint_weight = nn.Parameter(torch.zeros(joint_mean)) if joint_mean else None
        self.norm = BatchNorm(out_channels, relu=mix)
        self.mix = nn.Conv2d(out_channels, out_channels, 1) if mix else None
        self.mix_norm = BatchNorm(out_channels) if mix else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; with a mask, padded frames count as zero."""
        if self.joint_weight is not None:
            x = torch.cat([x, x.sum(2, keepdim=True) / x.shape[2]], dim=2)
        y = self.parallel(x, mask)
        if self.joint_weight is not None:
            joints, mean = y.split([y.shape[2] - 1, 1], dim=2)
            y = torch.addcmul(joints, self.joint_weight[:, None], mean)
        y = self.norm(y)
        if self.mix is not None and self.mix_norm is not None:
            y = self.mix_norm(self.mix(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return y

    def parallel(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """u, all branches side by side: (N, ceil(T / s), V, C_out)."""
        image = x.permute(0, 3, 1, 2)  # in the order of `nn.Conv2d`, without a copy
        outs = []
        if self.entry is not None and self.entry_norm is not None:
            h = self.entry_norm(self.entry(image).permute(0, 2, 3, 1))
            parts = zero_padding(h, mask).permute(0, 3, 1, 2).split(self._indirect(), dim=1)
            outs = [conv(part) for conv, part in zip(self.convs, parts, strict=False)]
            # Zeros beyond the ends are below no activation, so they do not show in a maximum.
            outs += [
                F.max_pool2d(part, (3, 1), (self.stride, 1), (1, 0))
                for part in parts[len(self.convs) :]
            ]
        if self.direct is not None:
            outs.append(self.direct(image))
        return torch.cat(outs, dim=1).permute(0, 2, 3, 1)

    def _indirect(self) -> list[int]:
        """Widths of the branches that start with `entry`."""
        return self.widths if self.direct is None else self.widths[:-1]


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


def check_branches(branches: Sequence[Any]) -> tuple[Branch, ...]:
    """`branches` as `MultiBranchConv` takes them; lists of a configuration become tuples.

    Raises:
        ConfigError: none at all, one of an unknown kind, or an order other than convolutions,
            ``max``, ``1x1``.
    """
    checked: list[Branch] = []
    for branch in branches:
        if branch in ("max", "1x1"):
            checked.append(branch)
        elif (
            not isinstance(branch, str)
            and len(branch) == 2
            and all(isinstance(number, int) and number > 0 for number in branch)
            and branch[0] % 2
        ):
            checked.append((branch[0], branch[1]))
        else:
            raise ConfigError(
                f"a branch is {branch!r}: it must be [kernel, dilation] with an odd kernel, max or "
                "1x1"
            )
    kinds = [["max", "1x1"].index(b) + 1 if isinstance(b, str) else 0 for b in checked]
    if not checked or kinds != sorted(kinds) or kinds.count(1) > 1 or kinds.count(2) > 1:
        raise ConfigError(
            f"the branches are {list(branches)!r}: there must be convolutions, then at most one "
            "max and one 1x1"
        )
    return tuple(checked)

"""InceptionTime (Ismail Fawaz et al., Data Mining and Knowledge Discovery 2020).

doi 10.1007/s10618-020-00710-y, arXiv 1909.04939
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.heads import MSEHead
from zoo.nn.masking import zero_padding
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import SequenceConv, SequenceNorm
from zoo.skeleton.layout import Layout


def max_of_three(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """The largest of each real frame and its two real neighbours, (N, T, C) → (N, T, C)."""
    if mask is not None:
        x = x.masked_fill(~mask.unsqueeze(2), -torch.inf)
    y = F.max_pool1d(x.transpose(1, 2), 3, stride=1, padding=1).transpose(1, 2)
    return zero_padding(y, mask)


class InceptionModule(nn.Module):
    r"""Convolutions of three lengths behind a bottleneck, beside a maximum (Figure 2).

    .. math::
        y = \mathrm{ReLU}(\mathrm{BN}([W_{k} * Bx,\; W_{k/2} * Bx,\; W_{k/4} * Bx,\;
        M \max\nolimits_3(x)]))

    Args:
        filters: F, of each of the four branches.
        kernel_size: k, frames the longest convolution sees.
        bottleneck: width of Bx.

    Shapes: x (N, T, C_in), mask (N, T) or None → (N, T, 4·F).
    """

    def __init__(self, in_channels: int, filters: int, kernel_size: int, bottleneck: int) -> None:
        super().__init__()
        self.bottleneck = nn.Linear(in_channels, bottleneck, bias=False)
        self.convs = nn.ModuleList(
            SequenceConv(bottleneck, filters, kernel_size // 2**i, bias=False) for i in range(3)
        )
        self.pooled = nn.Linear(in_channels, filters, bias=False)
        self.norm = SequenceNorm(4 * filters)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features after the module; its padded frames hold nothing of use."""
        narrow = self.bottleneck(x)
        branches = [conv(narrow, mask) for conv in self.convs]
        branches.append(self.pooled(max_of_three(x, mask)))
        return F.relu(self.norm(torch.cat(branches, dim=2), mask))


class InceptionTime(ScoreModel):
    r"""One Inception network of InceptionTime, with a regression head.

    Six modules; around every third one a shortcut, y ← ReLU(y + BN(S x)) with x from three modules
    before; the score is linear in the mean over time.

    Args:
        depth: number of modules.
        filters: of each of a module's four branches.
        kernel_size: k, frames the longest convolution sees.
        bottleneck: width before a module's convolutions.
        dropout: probability before the head.

    Raises:
        ConfigError: no module.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        depth: int = 6,
        filters: int = 32,
        kernel_size: int = 40,
        bottleneck: int = 32,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(layout, streams)
        if depth < 1:
            raise ConfigError(f"depth is {depth}: InceptionTime needs at least one module")
        width = before = layout.num_joints * self.in_channels
        self.blocks = nn.ModuleList()
        self.shortcuts = nn.ModuleList()
        self.shortcut_norms = nn.ModuleList()
        for index in range(depth):
            self.blocks.append(InceptionModule(width, filters, kernel_size, bottleneck))
            width = 4 * filters
            if index % 3 == 2:
                self.shortcuts.append(nn.Linear(before, width, bias=False))
                self.shortcut_norms.append(SequenceNorm(width))
                before = width
        self.head = MSEHead.of(width, dropout=dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last module (N, T, C) and the mask."""
        mask = batch.mask
        x = before = self.stacked(batch).flatten(2)
        for index, block in enumerate(self.blocks):
            x = block(x, mask)
            if index % 3 == 2:
                shortcut = self.shortcuts[index // 3](before)
                x = before = F.relu(x + self.shortcut_norms[index // 3](shortcut, mask))
        return x, mask

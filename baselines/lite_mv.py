"""LITEMV: light Inception with boosting techniques, for multivariate series.

Ismail-Fawaz, Devanne, Berretti, Weber, Forestier, "Look into the LITE in deep learning for time
series classification", International Journal of Data Science and Analytics 2025,
arXiv 2409.02869.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import SeparableConv, SequenceNorm
from zoo.skeleton.layout import Layout

CUSTOM_SIZES = (2, 4, 8, 16, 32, 64)


def increase_filter(size: int) -> Tensor:
    """(size,): -1, 1, -1, 1, ..., which answers where a series increases."""
    return torch.tensor([-1.0, 1.0]).repeat(size // 2)


def decrease_filter(size: int) -> Tensor:
    """(size,): 1, -1, 1, -1, ..., which answers where a series decreases."""
    return -increase_filter(size)


def peak_filter(size: int) -> Tensor:
    """(size + size / 2,): a parabola twice as high between two negative ones: answers at peaks."""
    rise = torch.linspace(0, 1, size // 4 + 1)[1:].square()
    bump = torch.cat([rise, rise.flip(0)])
    return torch.cat([-bump, 2 * bump, -bump])


class CustomFilters(nn.Module):
    r"""Seventeen hand-made filters over each channel by itself, then ReLU; nothing is learned.

    Filters for increases and decreases of 2, 4, ..., 64 frames and for peaks of 6, 12, ..., 96.

    Shapes: x (N, T, C) → (N, T, 17·C), the channels of one filter side by side.
    """

    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        bank = [
            *map(increase_filter, CUSTOM_SIZES),
            *map(decrease_filter, CUSTOM_SIZES),
            *map(peak_filter, CUSTOM_SIZES[1:]),
        ]
        longest = max(len(f) for f in bank)
        self.past = (longest - 1) // 2
        self.future = longest // 2
        # One bank for all: zeros around a filter, so that each is centred as if it stood alone.
        rows = []
        for f in bank:
            before = self.past - (len(f) - 1) // 2
            rows.append(F.pad(f, (before, longest - before - len(f))))
        self.register_buffer("weight", torch.stack(rows).unsqueeze(1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Filter; frames beyond either end count as zero."""
        N, T, C = x.shape
        series = F.pad(x.transpose(1, 2).reshape(N * C, 1, T), (self.past, self.future))
        y = F.relu(F.conv1d(series, self.weight))  # (N·C, 17, T)
        return y.view(N, C, -1, T).permute(0, 3, 2, 1).flatten(2)


class LITEMV(ScoreModel):
    r"""LITEMV with a regression head.

    .. math::
        a &= \mathrm{ReLU}(\mathrm{BN}([\mathrm{DWSC}_{k}(x), \mathrm{DWSC}_{k/2}(x),
             \mathrm{DWSC}_{k/4}(x), \mathrm{custom}(x)])) \\
        b &= \mathrm{ReLU}(\mathrm{BN}(\mathrm{DWSC}_{k/2,\,d=2}(a))) \\
        c &= \mathrm{ReLU}(\mathrm{BN}(\mathrm{DWSC}_{k/4,\,d=4}(b)))

    DWSC is a depthwise separable convolution (`SeparableConv`), d its dilation; the score is
    linear in the mean of c over time.

    Args:
        filters: of each learned convolution.
        kernel_size: k, frames the longest convolution of the first layer sees.
        dropout: probability before the head.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        filters: int = 32,
        kernel_size: int = 40,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(layout, streams)
        width = layout.num_joints * self.in_channels
        self.multiplexed = nn.ModuleList(
            SeparableConv(width, filters, kernel_size // 2**i) for i in range(3)
        )
        self.custom = CustomFilters()
        width = 3 * filters + self.custom.weight.shape[0] * width
        self.norm = SequenceNorm(width)
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        for i in (1, 2):
            self.convs.append(SeparableConv(width, filters, kernel_size // 2**i, dilation=2**i))
            self.norms.append(SequenceNorm(filters))
            width = filters
        self.head = MSEHead.of(width, dropout=dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """C, the features of the last layer (N, T, C), and the mask."""
        x, mask = self.stacked(batch).flatten(2), batch.mask
        x = torch.cat([*(conv(x, mask) for conv in self.multiplexed), self.custom(x)], dim=2)
        x = F.relu(self.norm(x, mask))
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x, mask), mask))
        return x, mask

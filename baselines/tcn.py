"""TCN: temporal convolutional network (Bai, Kolter, Koltun 2018, arXiv 1803.01271)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import SequenceConv, check_pooling, pool_frames
from zoo.skeleton.layout import Layout


class TCNBlock(nn.Module):
    r"""The residual block of TCN (Section 3.3, Figure 1b).

    .. math::
        o = \mathrm{ReLU}(x + \mathcal F(x)), \qquad
        \mathcal F = (\mathrm{dropout} \circ \mathrm{ReLU} \circ \mathrm{conv}_d)^2

    Both convolutions are causal, dilated by d and weight-normalised. Where the width changes, x
    goes through a 1×1 convolution.

    Args:
        kernel_size: k.
        dilation: d.
        dropout: probability after each convolution.
        groups: of channels, which do not see each other.

    Shapes: x (N, T, C_in), mask (N, T) or None → (N, T, C_out).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        dilation: int,
        dropout: float,
        groups: int = 1,
    ) -> None:
        super().__init__()
        convs = [
            SequenceConv(
                channels, out_channels, kernel_size, dilation=dilation, groups=groups, causal=True
            )
            for channels in (in_channels, out_channels)
        ]
        for conv in convs:
            weight_norm(conv.conv)
        self.convs = nn.ModuleList(convs)
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Linear(in_channels, out_channels)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features after the block."""
        y = x
        for conv in self.convs:
            y = self.dropout(F.relu(conv(y, mask)))
        return F.relu(y + self.shortcut(x))


class TCN(ScoreModel):
    """Temporal convolutional network with a regression head.

    Block i is dilated by 2^i, so the last frame sees 1 + 2 (k - 1) (2^L - 1) frames with L blocks.

    Args:
        channels: width of each block.
        kernel_size: k.
        pooling: what the head sees of the last block: its ``last`` frame or the ``mean`` of all.
        dropout: probability after each convolution.

    Raises:
        ConfigError: no block, or an unknown pooling.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        channels: Sequence[int] = (32, 32, 32, 32),
        kernel_size: int = 7,
        pooling: str = "last",
        dropout: float = 0.2,
    ) -> None:
        super().__init__(layout, streams)
        if not channels:
            raise ConfigError("channels is empty: a TCN needs at least one block")
        self.pooling = check_pooling(pooling)
        width = layout.num_joints * self.in_channels
        self.blocks = nn.ModuleList()
        for index, out_channels in enumerate(channels):
            self.blocks.append(TCNBlock(width, out_channels, kernel_size, 2**index, dropout))
            width = out_channels
        self.receptive_field = 1 + 2 * (kernel_size - 1) * (2 ** len(channels) - 1)
        self.head = MSEHead.of(width)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last block (N, T, C), where frame t sees nothing after it; mask."""
        x = self.stacked(batch).flatten(2)
        for block in self.blocks:
            x = block(x, batch.mask)
        return x, batch.mask

    def pool(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """The last frame, or the mean of all."""
        return pool_frames(features, mask, self.pooling)

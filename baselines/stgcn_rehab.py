"""STGCN-rehab: graph convolutions whose attention is recurrent, then LSTMs over the frames.

Deb, Islam, Rahman, Rahman, "Graph Convolutional Networks for Assessment of Physical Rehabilitation
Exercises", IEEE TNSRE 30, 2022, doi 10.1109/TNSRE.2022.3150392.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.hops import HopBlock
from zoo.nn.model import ScoreModel
from zoo.nn.recurrent import RecurrentLayer
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


class STGCNRehab(ScoreModel):
    """The graph-ConvLSTM network of Deb et al. 2022.

    Blocks of graph convolution, each but the first with its input added; then all joints of a
    frame are one vector for a stack of LSTMs, whose last state is scored.

    Args:
        blocks: number of blocks.
        channels: as ``branch_channels``, ``kernel_size`` and ``kernel_sizes`` of `HopBlock`.
        recurrent: width of each LSTM.
        dropout: probability after the last convolutions and after each LSTM.

    Raises:
        ConfigError: no block, no last convolution, or no LSTM.
    """

    block: ClassVar[Callable[..., nn.Module]] = HopBlock

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        blocks: int = 3,
        channels: int = 64,
        branch_channels: int = 16,
        kernel_size: int = 9,
        kernel_sizes: Sequence[int] = (9, 15, 20),
        recurrent: Sequence[int] = (80, 40, 40, 80),
        dropout: float = 0.25,
    ) -> None:
        super().__init__(layout, streams)
        if blocks < 1 or not kernel_sizes or not recurrent:
            raise ConfigError(
                f"blocks={blocks}, kernel_sizes={list(kernel_sizes)}, recurrent={list(recurrent)}: "
                "the network needs at least one of each"
            )
        shared = channels, branch_channels, kernel_size, kernel_sizes, hop_distance(layout), dropout
        width = branch_channels * len(kernel_sizes)
        self.blocks = nn.ModuleList(
            type(self).block(width if index else self.in_channels, *shared)
            for index in range(blocks)
        )
        widths = [layout.num_joints * width, *recurrent]
        self.cells = nn.ModuleList(
            RecurrentLayer(nn.LSTM, c_in, c_out)
            for c_in, c_out in zip(widths, recurrent, strict=False)
        )
        self.dropout = Dropout(dropout)
        self.head = MSEHead.of(recurrent[-1])

    def blocks_of(self, batch: Batch) -> Tensor:
        """Features of the last block (N, T, V, C), zero in padded frames."""
        x = self.stacked(batch)
        for index, block in enumerate(self.blocks):
            y = block(x, batch.mask)
            x = y + x if index else y
        return x

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The last state of the last LSTM (N, C)."""
        x = self.blocks_of(batch).flatten(2)
        for cell in self.cells:
            states, final = cell(x, batch.mask)
            x = self.dropout(states)
        return self.dropout(final), None

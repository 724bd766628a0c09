"""STGCN-rehab: graph convolutions whose attention is recurrent, then LSTMs over the frames.

Deb, Islam, Rahman, Rahman, "Graph Convolutional Networks for Assessment of Physical Rehabilitation
Exercises", IEEE TNSRE 30, 2022, doi 10.1109/TNSRE.2022.3150392.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import RegressionHead
from zoo.nn.hops import HopBlock
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import zero_padding
from zoo.nn.recurrent import RecurrentLayer
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


class STGCNRehab(nn.Module):
    """The graph-ConvLSTM network of Deb et al. 2022.

    Blocks of graph convolution, each but the first with its input added; then all joints of a
    frame are one vector for a stack of LSTMs, whose last state is scored.

    Args:
        layout: the skeleton.
        streams: what goes in, side by side along the channels.
        blocks: number of blocks.
        channels: of a block's first convolution and of each of its hops.
        branch_channels: of each of its last convolutions.
        kernel_size: frames the first convolution sees.
        kernel_sizes: frames each of the last ones sees, stacked on one another.
        recurrent: width of each LSTM.
        dropout: probability after the last convolutions and after each LSTM.

    Raises:
        ConfigError: no block, no last convolution, no LSTM, or an unknown stream.
    """

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
        super().__init__()
        if blocks < 1 or not kernel_sizes or not recurrent:
            raise ConfigError(
                f"blocks={blocks}, kernel_sizes={list(kernel_sizes)}, recurrent={list(recurrent)}: "
                "the network needs at least one of each"
            )
        self.streams = stream_names(streams)
        self.num_joints = layout.num_joints
        hops = hop_distance(layout)
        width = branch_channels * len(kernel_sizes)
        self.blocks = nn.ModuleList(
            HopBlock(
                width if index else stream_channels(self.streams),
                channels,
                branch_channels,
                kernel_size,
                kernel_sizes,
                hops,
                dropout,
            )
            for index in range(blocks)
        )
        widths = [layout.num_joints * width, *recurrent]
        self.cells = nn.ModuleList(
            RecurrentLayer(nn.LSTM, c_in, c_out)
            for c_in, c_out in zip(widths, recurrent, strict=False)
        )
        self.dropout = Dropout(dropout)
        self.head = RegressionHead(recurrent[-1])

    def extract(self, batch: Batch) -> Tensor:
        """Features of the last block (N, T, V, C), zero in padded frames."""
        x = zero_padding(stack_streams(batch, self.streams, self.num_joints), batch.mask)
        for index, block in enumerate(self.blocks):
            y = block(x, batch.mask)
            x = y + x if index else y
        return x

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        x = self.extract(batch).flatten(2)
        for cell in self.cells:
            states, final = cell(x, batch.mask)
            x = self.dropout(states)
        features = self.dropout(final)
        return Prediction(score=self.head(features), features=features)

"""Networks of spatial-temporal blocks, from the streams of a batch to a score."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.heads import RegressionHead
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import zero_padding
from zoo.nn.norm import InputNorm
from zoo.nn.pooling import mean_pool
from zoo.skeleton.layout import Layout


class BlockNetwork(nn.Module):
    """Batch normalisation of the raw coordinates, blocks, mean over frames and joints, head.

    The frame that ST-GCN gave to its successors. The first block has no shortcut around it.

    Args:
        layout: the skeleton.
        block: makes one block from C_in, C_out, its temporal stride and whether it has a shortcut.
            It is called with x (N, T, V, C_in) and a mask (N, T) or None, and answers features
            (N, ceil(T / stride), V, C_out) and the mask at that length.
        streams: what goes in, side by side along the channels.
        channels: width of each block.
        strides: temporal stride of each block.
        dropout: probability before the head.

    Raises:
        ConfigError: unequal numbers of channels and strides, or an unknown stream.
    """

    def __init__(
        self,
        layout: Layout,
        block: Callable[[int, int, int, bool], nn.Module],
        *,
        streams: str | Sequence[str],
        channels: Sequence[int],
        strides: Sequence[int],
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(channels) != len(strides) or not channels:
            raise ConfigError(
                f"{len(channels)} channels and {len(strides)} strides: each block needs one of both"
            )
        self.streams = stream_names(streams)
        self.num_joints = layout.num_joints
        width = stream_channels(self.streams)
        self.input_norm = InputNorm(layout.num_joints, width)
        self.blocks = nn.ModuleList()
        for index, (out_channels, stride) in enumerate(zip(channels, strides, strict=True)):
            self.blocks.append(block(width, out_channels, stride, index > 0))
            width = out_channels
        self.head = RegressionHead(width, dropout=dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last block (N, T', V, C) and the mask at that length (N, T')."""
        x = stack_streams(batch, self.streams, self.num_joints)
        mask = batch.mask
        x = self.input_norm(zero_padding(x, mask))
        for block in self.blocks:
            x, mask = block(x, mask)
        return x, mask

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        features = mean_pool(*self.extract(batch))
        return Prediction(score=self.head(features), features=features)

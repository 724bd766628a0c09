"""ST-GCN: spatial temporal graph convolutional networks (Yan, Xiong, Lin, AAAI 2018)."""

from collections.abc import Sequence

from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.blocks import STGCNBlock
from zoo.nn.heads import RegressionHead
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import zero_padding
from zoo.nn.norm import InputNorm
from zoo.nn.pooling import mean_pool
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout


class STGCN(nn.Module):
    """ST-GCN with a regression head (arXiv 1801.07455).

    Batch normalisation of the raw coordinates, then blocks of a graph convolution within each
    frame (partitioned edges, learnable edge importance) and a convolution along time; mean over
    frames and joints; one linear layer to the score.

    Args:
        layout: the skeleton.
        streams: what goes in, side by side along the channels.
        partition: of the edges, see `zoo.skeleton.graph.build_graph`.
        channels: width of each block.
        strides: temporal stride of each block.
        kernel_size: frames a temporal convolution sees, odd.
        dropout: probability after each temporal convolution.
        importance: learn a weight for every edge.

    Raises:
        ConfigError: unequal numbers of channels and strides, or an unknown stream.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        partition: str = "stgcn_spatial",
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        kernel_size: int = 9,
        dropout: float = 0.5,
        importance: bool = True,
    ) -> None:
        super().__init__()
        if len(channels) != len(strides) or not channels:
            raise ConfigError(
                f"{len(channels)} channels and {len(strides)} strides: each block needs one of both"
            )
        self.streams = stream_names(streams)
        self.num_joints = layout.num_joints
        graph = build_graph(layout, partition)

        width = stream_channels(self.streams)
        self.input_norm = InputNorm(layout.num_joints, width)
        self.blocks = nn.ModuleList()
        for index, (out_channels, stride) in enumerate(zip(channels, strides, strict=True)):
            self.blocks.append(
                STGCNBlock(
                    width,
                    out_channels,
                    graph,
                    stride=stride,
                    kernel_size=kernel_size,
                    residual=index > 0,
                    dropout=dropout,
                    importance=importance,
                )
            )
            width = out_channels
        self.head = RegressionHead(width)

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

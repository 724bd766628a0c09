"""ST-GCN: spatial temporal graph convolutional networks (Yan, Xiong, Lin, AAAI 2018)."""

from collections.abc import Sequence
from functools import partial

from zoo.nn.blocks import STGCNBlock
from zoo.nn.trunk import BlockNetwork
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout


class STGCN(BlockNetwork):
    """ST-GCN with a regression head (arXiv 1801.07455).

    Batch normalisation of the raw coordinates, then blocks of a graph convolution within each
    frame (partitioned edges, learnable edge importance) and a convolution along time; mean over
    frames and joints; one linear layer to the score.

    Args:
        partition: of the edges, see `zoo.skeleton.graph.build_graph`.
        kernel_size: frames a temporal convolution sees, odd.
        dropout: probability after each temporal convolution.
        importance: learn a weight for every edge.
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
        block = partial(
            STGCNBlock,
            graph=build_graph(layout, partition),
            kernel_size=kernel_size,
            dropout=dropout,
            importance=importance,
        )
        super().__init__(layout, block, streams, channels, strides)

"""D-STGCNT: densely connected graph-GRU blocks, then a Transformer encoder over the frames.

Mourchid, Slama, "D-STGCNT: A Dense Spatio-Temporal Graph Conv-GRU Network based on Transformer for
Assessment of Patient Physical Rehabilitation", Computers in Biology and Medicine 2023, doi
10.1016/j.compbiomed.2023.107420, arXiv 2401.06150.

No code was released; what the paper leaves open is decided in configs/model/dstgcnt.yaml.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from baselines.transformer import EncoderLayer, positional_encoding
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import RegressionHead
from zoo.nn.hops import HopBlock
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import zero_padding
from zoo.nn.sequence import pool_frames
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


class DSTGCNT(nn.Module):
    r"""Dense spatio-temporal graph Conv-GRU network with a Transformer.

    .. math::
        y_i = \mathrm{STGC\text{-}GRU}_i([x, y_1, \dots, y_{i-1}]), \qquad
        h_t = W\,[y_{1,t}, \dots, y_{n,t}] + b + \mathrm{PE}_t

    where a block is the one of STGCN-rehab with a GRU in its attention and h_t has all joints of
    frame t in one vector; encoder layers over h, the mean over frames, and layers to the score.

    Args:
        layout: the skeleton.
        streams: what goes in, side by side along the channels.
        blocks: n.
        channels: of a block's first convolution and of each of its hops.
        branch_channels: of each of its last convolutions.
        kernel_size: frames the first convolution sees.
        kernel_sizes: frames each of the last ones sees, stacked on one another.
        width: of a frame's token in the Transformer, even.
        layers: of the Transformer.
        heads: of each attention.
        hidden: width inside each layer's feed-forward part.
        head_hidden: width of the head's hidden layer.
        dropout: probability in blocks and Transformer.

    Raises:
        ConfigError: no block, no last convolution, an odd width, one the heads do not divide, or
            an unknown stream.
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
        width: int = 128,
        layers: int = 2,
        heads: int = 4,
        hidden: int = 256,
        head_hidden: int = 64,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        if blocks < 1 or not kernel_sizes:
            raise ConfigError(
                f"blocks={blocks}, kernel_sizes={list(kernel_sizes)}: the network needs at least "
                "one of each"
            )
        if width % 2:
            raise ConfigError(f"width is {width}: sines and cosines in pairs need an even one")
        self.streams = stream_names(streams)
        self.num_joints = layout.num_joints
        hops = hop_distance(layout)
        grown = branch_channels * len(kernel_sizes)
        self.blocks = nn.ModuleList(
            HopBlock(
                stream_channels(self.streams) + index * grown,
                channels,
                branch_channels,
                kernel_size,
                kernel_sizes,
                hops,
                dropout,
                nn.GRU,
            )
            for index in range(blocks)
        )
        self.embed = nn.Linear(layout.num_joints * grown * blocks, width)
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, hidden, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        self.head = RegressionHead(width, [head_hidden])

    def extract(self, batch: Batch) -> Tensor:
        """Features of all blocks side by side (N, T, V, ΣC), zero in padded frames."""
        x = zero_padding(stack_streams(batch, self.streams, self.num_joints), batch.mask)
        features = [x]
        for block in self.blocks:
            features.append(block(torch.cat(features, dim=-1), batch.mask))
        return torch.cat(features[1:], dim=-1)

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        x = self.embed(self.extract(batch).flatten(2))
        x = self.dropout(x + positional_encoding(x.shape[1], x.shape[2], x.device))
        for layer in self.layers:
            x = layer(x, batch.mask)
        features = pool_frames(self.norm(x), batch.mask, "mean")
        return Prediction(score=self.head(features), features=features)

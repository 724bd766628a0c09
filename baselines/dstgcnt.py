"""D-STGCNT: densely connected graph-GRU blocks, then a Transformer encoder over the frames.

Mourchid, Slama, "D-STGCNT: A Dense Spatio-Temporal Graph Conv-GRU Network based on Transformer for
Assessment of Patient Physical Rehabilitation", Computers in Biology and Medicine 2023, doi
10.1016/j.compbiomed.2023.107420, arXiv 2401.06150.

No code was released; what the paper leaves open is decided in configs/model/dstgcnt.yaml.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from baselines.transformer import FrameEncoder
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.heads import MSEHead
from zoo.nn.hops import HopBlock
from zoo.nn.model import ScoreModel
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.layout import Layout


class DSTGCNT(ScoreModel):
    r"""Dense spatio-temporal graph Conv-GRU network with a Transformer.

    .. math::
        y_i = \mathrm{STGC\text{-}GRU}_i([x, y_1, \dots, y_{i-1}]), \qquad
        h_t = W\,[y_{1,t}, \dots, y_{n,t}] + b + \mathrm{PE}_t

    where a block is the one of STGCN-rehab with a GRU in its attention and h_t has all joints of
    frame t in one vector; encoder layers over h, the mean over frames, and layers to the score.

    Args:
        blocks: n.
        channels: as ``branch_channels``, ``kernel_size`` and ``kernel_sizes`` of `HopBlock`.
        width: as ``layers``, ``heads`` and ``hidden`` of `FrameEncoder`.
        head_hidden: width of the head's hidden layer.
        dropout: probability in blocks and Transformer.

    Raises:
        ConfigError: no block, no last convolution, an odd width, or one the heads do not divide.
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
        super().__init__(layout, streams)
        if blocks < 1 or not kernel_sizes:
            raise ConfigError(
                f"blocks={blocks}, kernel_sizes={list(kernel_sizes)}: the network needs at least "
                "one of each"
            )
        shared = channels, branch_channels, kernel_size, kernel_sizes, hop_distance(layout), dropout
        grown = branch_channels * len(kernel_sizes)
        self.blocks = nn.ModuleList(
            HopBlock(self.in_channels + index * grown, *shared, nn.GRU) for index in range(blocks)
        )
        joints = layout.num_joints * grown * blocks
        self.encoder = FrameEncoder(joints, width, layers, heads, hidden, dropout)
        self.head = MSEHead.of(width, [head_hidden])

    def blocks_of(self, batch: Batch) -> Tensor:
        """Features of all blocks side by side (N, T, V, ΣC), zero in padded frames."""
        features = [self.stacked(batch)]
        for block in self.blocks:
            features.append(block(torch.cat(features, dim=-1), batch.mask))
        return torch.cat(features[1:], dim=-1)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The Transformer's tokens (N, T, C) and the mask."""
        return self.encoder(self.blocks_of(batch).flatten(2), batch.mask), batch.mask

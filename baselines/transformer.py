"""Transformer: the encoder of "Attention is all you need" (Vaswani et al., NeurIPS 2017).

arXiv 1706.03762
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.attention import MultiHeadAttention
from zoo.nn.dropout import Dropout
from zoo.nn.heads import RegressionHead
from zoo.nn.inputs import stream_channels, stream_names
from zoo.nn.sequence import joint_sequence, pool_frames
from zoo.skeleton.layout import Layout


def positional_encoding(frames: int, width: int, device: torch.device | None = None) -> Tensor:
    r"""Sines and cosines of the frame's number (Section 3.5), (frames, width).

    .. math::
        P_{t,2i} = \sin(t / 10000^{2i/C}), \qquad P_{t,2i+1} = \cos(t / 10000^{2i/C})
    """
    t = torch.arange(frames, dtype=torch.float32, device=device).unsqueeze(1)
    even = torch.arange(0, width, 2, dtype=torch.float32, device=device)
    angle = t * torch.exp(-math.log(10_000) / width * even)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)


class EncoderLayer(nn.Module):
    r"""Self-attention between frames, then two linear maps at each, in residual branches.

    .. math::
        y = x + \mathrm{MultiHead}(\mathrm{LN}(x)), \qquad
        z = y + W_2 \mathrm{ReLU}(W_1 \mathrm{LN}(y) + b_1) + b_2

    Args:
        width: C.
        heads: of the attention.
        hidden: width between W_1 and W_2.
        dropout: probability after each branch.

    Shapes: x (N, T, C), mask (N, T) or None → (N, T, C).
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads)
        self.feed_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features after the layer; no real frame looks at a padded one."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask).x)
        return x + self.dropout(self.contract(F.relu(self.expand(self.feed_norm(x)))))


class Transformer(nn.Module):
    """A small Transformer encoder with a regression head.

    All joints of a frame are one token. The score is linear in the mean of the last layer's
    normalised tokens.

    Args:
        layout: the skeleton.
        streams: what goes in, side by side.
        width: of a token, even.
        layers: number of encoder layers.
        heads: of each attention.
        hidden: width inside each layer's feed-forward part.
        dropout: probability after the positional encoding and each residual branch.

    Raises:
        ConfigError: an odd width, one the heads do not divide, or an unknown stream.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        width: int = 64,
        layers: int = 2,
        heads: int = 4,
        hidden: int = 128,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if width % 2:
            raise ConfigError(f"width is {width}: sines and cosines in pairs need an even one")
        self.streams = stream_names(streams)
        self.num_joints = layout.num_joints
        self.embed = nn.Linear(layout.num_joints * stream_channels(self.streams), width)
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, hidden, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        self.head = RegressionHead(width)

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        x = self.embed(joint_sequence(batch, self.streams, self.num_joints))
        x = self.dropout(x + positional_encoding(x.shape[1], x.shape[2], x.device))
        for layer in self.layers:
            x = layer(x, batch.mask)
        features = pool_frames(self.norm(x), batch.mask, "mean")
        return Prediction(score=self.head(features), features=features)

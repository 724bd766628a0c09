"""Transformer: the encoder of "Attention is all you need" (Vaswani et al., NeurIPS 2017).

arXiv 1706.03762
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.attention import MultiHeadAttention
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
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
        x = x + self.dropout(self.attention(self.attention_norm(x), mask)[0])
        return x + self.dropout(self.contract(F.relu(self.expand(self.feed_norm(x)))))


class FrameEncoder(nn.Module):
    """An encoder whose tokens are frames: a linear map, the frame's number, layers, a norm.

    Args:
        in_channels: C_in, of all joints of a frame.
        width: C of a token, even.
        layers: number of encoder layers.
        heads: of each attention.
        hidden: width inside each layer's feed-forward part.
        dropout: probability after the positional encoding and each residual branch.

    Shapes: x (N, T, C_in), mask (N, T) or None → (N, T, C).

    Raises:
        ConfigError: an odd width, or one the heads do not divide.
    """

    def __init__(
        self, in_channels: int, width: int, layers: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        if width % 2:
            raise ConfigError(f"width is {width}: sines and cosines in pairs need an even one")
        self.embed = nn.Linear(in_channels, width)
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, hidden, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The last layer's normalised tokens."""
        x = self.embed(x)
        x = self.dropout(x + positional_encoding(x.shape[1], x.shape[2], x.device))
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)


class Transformer(ScoreModel):
    """A small Transformer encoder with a regression head.

    All joints of a frame are one token. The score is linear in the mean of the last layer's
    normalised tokens.

    Its other arguments, and what they may not be, are those of `FrameEncoder`.
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
        super().__init__(layout, streams)
        joints = layout.num_joints * self.in_channels
        self.encoder = FrameEncoder(joints, width, layers, heads, hidden, dropout)
        self.head = MSEHead.of(width)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The last layer's tokens (N, T, C) and the mask."""
        return self.encoder(self.stacked(batch).flatten(2), batch.mask), batch.mask

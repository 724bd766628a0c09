"""Multi-head self-attention over one axis of a skeleton sequence."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.pointwise import pointwise


class MultiHeadAttention(nn.Module):
    r"""Multi-head self-attention (Vaswani et al. 2017, eq. 1) over the last axis but one.

    .. math::
        \mathrm{head}_h = \mathrm{softmax}\!\left(\frac{Q_h K_h^\top}{\sqrt{d}}\right) V_h, \qquad
        \mathrm{out} = W_O\,[\mathrm{head}_1, \dots, \mathrm{head}_H] + b_O

    Any number of leading axes stands for independent sequences. Without weights asked for, the
    fused `scaled_dot_product_attention` does the work; with them, an explicit softmax gives the
    same numbers.

    Args:
        channels: C, of the tokens in and out.
        heads: H, number of heads.
        width: H·d, the inner width of queries, keys and values; None for `channels`.
        dropout: probability to drop an attention weight in training.

    Raises:
        ConfigError: the width is not divisible by the number of heads.
    """

    def __init__(
        self, channels: int, heads: int, *, width: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        width = channels if width is None else width
        if heads < 1 or width % heads:
            raise ConfigError(
                f"heads={heads} does not divide the attention width {width}: choose a divisor of "
                f"{width}, or another width"
            )
        self.heads = heads
        self.width = width
        self.dropout = dropout
        self.qkv = nn.Linear(channels, 3 * width)
        self.out = nn.Linear(width, channels)
        # As `torch.nn.MultiheadAttention`.
        nn.init.xavier_uniform_(self.qkv.weight)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, x: Tensor, key_mask: Tensor | None = None, *, return_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Let every token look at every token of its sequence.

        Args:
            x: (B, L, C) tokens.
            key_mask: (B, L) bool, True where a token may be looked at. A sequence in which none
                may is attended as if all might, so that nothing becomes NaN.
            return_weights: also return the weights, after the softmax and before dropout.

        Returns:
            The attended tokens (B, L, C), and the weights (B, H, L, L), [query, key], or None.
        """
        batch, length, _ = x.shape
        # (B, L, 3, H, d) -> three views (B, H, L, d)
        tokens = pointwise(x, self.qkv.weight, self.qkv.bias)
        split = tokens.view(batch, length, 3, self.heads, self.width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        allowed = None
        if key_mask is not None:
            allowed = (key_mask | ~key_mask.any(dim=-1, keepdim=True))[:, None, None, :]
        weights = None
        if return_weights:
            logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
            if allowed is not None:
                logits = logits.masked_fill(~allowed, float("-inf"))
            weights = torch.softmax(logits, dim=-1)
            kept = F.dropout(weights, self.dropout, self.training)
            heads = kept.to(value.dtype) @ value
        else:
            dropout = self.dropout if self.training else 0.0
            heads = F.scaled_dot_product_attention(query, key, value, allowed, dropout)
        merged = heads.transpose(1, 2).reshape(batch, length, self.width)
        return pointwise(merged, self.out.weight, self.out.bias), weights

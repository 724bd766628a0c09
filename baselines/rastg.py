"""RAST-G@: ST-GCN with a short temporal kernel, then attention along time at every joint.

Lim, Kim, Choi, "AI-Based Stroke Rehabilitation Domiciliary Assessment System with ST-GCN
Attention", 2025, arXiv 2510.00049.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.nn.attention import MultiHeadAttention
from zoo.nn.blocks import STGCNBlock
from zoo.nn.heads import MSEHead
from zoo.nn.inputs import stack_streams
from zoo.nn.model import ScoreModel
from zoo.nn.trunk import Trunk
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout


class TemporalAttention(nn.Module):
    r"""Multi-head self-attention between the frames of each joint.

    .. math:: y_{\cdot,v} = \mathrm{MultiHead}(x_{1,v}, \dots, x_{T,v})

    Args:
        heads: number of heads.

    Shapes: x (N, T, V, C), mask (N, T) or None → (N, T, V, C).
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(channels, heads)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend; no real frame looks at a padded one."""
        N, T, V, C = x.shape
        tokens = x.transpose(1, 2).reshape(N * V, T, C)
        keys = None if mask is None else mask.repeat_interleave(V, 0)
        return self.attention(tokens, keys)[0].view(N, V, T, C).transpose(1, 2)


class RASTG(ScoreModel):
    """RAST-G@ (Rehabilitation Assessment Spatio-Temporal Graph ATtention).

    The ten blocks of ST-GCN with temporal kernel 3 and fixed edges; attention along time; mean
    over frames and joints; two layers to the score.

    Args:
        partition: this, ``channels``, ``strides``, ``kernel_size`` and ``dropout`` as of `STGCN`.
        heads: of the attention.
        head_hidden: width of the head's hidden layer.

    Raises:
        ConfigError: unequal numbers of channels and strides, or heads that do not divide the
            last width.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        partition: str = "stgcn_spatial",
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        kernel_size: int = 3,
        dropout: float = 0.3,
        heads: int = 8,
        head_hidden: int = 128,
    ) -> None:
        super().__init__(layout, streams)
        graph = build_graph(layout, partition)
        block = partial(STGCNBlock, graph=graph, kernel_size=kernel_size, dropout=dropout)
        self.trunk = Trunk(nn.Identity(), block, self.in_channels, channels, strides)
        self.attention = TemporalAttention(channels[-1], heads)
        self.head = MSEHead.of(channels[-1], [head_hidden])

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What attention gives (N, T', V, C) and the mask at that length (N, T')."""
        x = stack_streams(batch, self.streams, self.num_joints)
        x, mask = self.trunk(x, batch.mask)
        return self.attention(x, mask), mask

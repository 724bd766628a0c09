"""GRU: gated recurrent units (Cho et al., EMNLP 2014, doi 10.3115/v1/D14-1179)."""

from collections.abc import Sequence

from torch import nn

from zoo.nn.recurrent import RecurrentScorer
from zoo.skeleton.layout import Layout


class GRU(RecurrentScorer):
    r"""Layers of gated recurrent units over the frames, from first to last.

    .. math::
        r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
        z_t &= \sigma(W_z x_t + U_z h_{t-1} + b_z) \\
        n_t &= \tanh(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + c_n)) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    x_t are all joints of frame t side by side. Two layers of 128 and a head of 30 are the GRU of
    the Rehab-Pile archive (arXiv 2507.21018).
    """

    cell = nn.GRU

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        hidden: int = 128,
        layers: int = 2,
        pooling: str = "mean",
        dropout: float = 0.2,
        head_hidden: int = 30,
    ) -> None:
        super().__init__(
            layout,
            streams=streams,
            hidden=hidden,
            layers=layers,
            pooling=pooling,
            dropout=dropout,
            head_hidden=head_hidden,
        )

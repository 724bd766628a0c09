"""Recurrent networks over sequences of unequal length."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import check_pooling, last_frame, reverse_frames
from zoo.skeleton.layout import Layout


def run_cell(cell: nn.GRU | nn.LSTM | nn.RNN, x: Tensor) -> Tensor:
    """The states (N, T, H) of a cell that runs along x (N, T, C)."""
    states: Tensor
    if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        # oneDNN cannot train an LSTM in half precision on every processor
        with torch.autocast("cpu", enabled=False):
            states, _ = cell(x.float())
    else:
        states, _ = cell(x)
    return states


class RecurrentLayer(nn.Module):
    """Recurrent cells along time, forwards and, on request, backwards.

    The backward cell starts at each sequence's last real frame, so padding changes nothing.
    Packed sequences would do the same, but cannot be exported.

    Args:
        cell: `torch.nn.GRU`, `torch.nn.LSTM` or `torch.nn.RNN`.
        hidden: H, width of a direction's state.
        bidirectional: with both directions (D = 2).

    Shapes: x (N, T, C), mask (N, T) or None → the states at each frame (N, T, D·H) and, of each
    direction, after its last real frame (N, D·H).
    """

    def __init__(
        self,
        cell: type[nn.GRU] | type[nn.LSTM] | type[nn.RNN],
        channels: int,
        hidden: int,
        *,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        self.forwards = cell(channels, hidden, batch_first=True)
        self.backwards = cell(channels, hidden, batch_first=True) if bidirectional else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run through the frames."""
        states = run_cell(self.forwards, x)
        final = last_frame(states, mask)
        if self.backwards is None:
            return states, final
        back = run_cell(self.backwards, reverse_frames(x, mask))
        states = torch.cat([states, reverse_frames(back, mask)], dim=2)
        return states, torch.cat([final, last_frame(back, mask)], dim=1)


class RecurrentScorer(ScoreModel):
    """Recurrent layers over all joints of a frame, then a small head: a base of models.

    Args:
        hidden: width of a direction's state.
        layers: number of recurrent layers.
        pooling: what the head sees of the last layer: ``last``, the state of each direction
            after its last frame, or ``mean`` of the states at all frames.
        dropout: probability between layers and before each of the head's layers.
        head_hidden: width of the head's hidden layer.

    Raises:
        ConfigError: no layer, or an unknown pooling.
    """

    cell: ClassVar[type[nn.GRU] | type[nn.LSTM]]
    bidirectional: ClassVar[bool] = False

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        hidden: int = 64,
        layers: int = 1,
        pooling: str = "mean",
        dropout: float = 0.2,
        head_hidden: int = 30,
    ) -> None:
        super().__init__(layout, streams)
        if layers < 1:
            raise ConfigError(f"layers is {layers}: a recurrent network needs at least one")
        self.pooling = check_pooling(pooling)
        width = self.num_joints * self.in_channels
        self.layers = nn.ModuleList()
        for _ in range(layers):
            self.layers.append(
                RecurrentLayer(self.cell, width, hidden, bidirectional=self.bidirectional)
            )
            width = 2 * hidden if self.bidirectional else hidden
        self.dropout = Dropout(dropout)
        self.head = MSEHead.of(width, [head_hidden], dropout=dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The last layer's states at all frames (N, T, D·H), or those after the last (N, D·H)."""
        states = self.stacked(batch).flatten(2)
        for index, layer in enumerate(self.layers):
            states, final = layer(self.dropout(states) if index else states, batch.mask)
        return (final if self.pooling == "last" else states), batch.mask

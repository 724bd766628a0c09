"""From a vector to a score."""

from collections.abc import Sequence

from torch import Tensor, nn


class RegressionHead(nn.Module):
    """Linear layers with ReLU between them, down to one number a sequence.

    Args:
        channels: C, length of the vector.
        hidden: widths of hidden layers; none gives a single linear layer.
        dropout: probability of dropping an input of each layer in training.

    Shapes: x (N, C) → (N,) score in standardised units.
    """

    def __init__(self, channels: int, hidden: Sequence[int] = (), dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Dropout(dropout)] if dropout else []
            layers += [nn.Linear(channels, width), nn.ReLU()]
            channels = width
        layers += [nn.Dropout(dropout)] if dropout else []
        layers += [nn.Linear(channels, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """One score for each row of `x`."""
        return self.layers(x).squeeze(-1)

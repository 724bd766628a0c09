"""Batch normalisation of skeleton sequences of shape (N, T, V, C)."""

from torch import Tensor, nn
from torch.nn import functional as F


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation over sequences, frames and joints, one mean and variance a channel.

    Args:
        relu: follow with a ReLU. In place here it is free; on the view that comes out, autograd
            would copy.

    Shapes: x (N, T, V, C) → (N, T, V, C).
    """

    def __init__(self, channels: int, *, relu: bool = False) -> None:
        super().__init__(channels)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        y = super().forward(x.permute(0, 3, 1, 2))
        if self.relu:
            y = F.relu(y, inplace=True)
        return y.permute(0, 2, 3, 1)


class InputNorm(nn.BatchNorm1d):
    """Batch normalisation of raw coordinates, one mean and variance for each joint and coordinate.

    The first layer of ST-GCN and its kin. Channels are joint-major: coordinate c of joint v is
    channel v·C + c.

    Shapes: x (N, T, V, C) → (N, T, V, C).
    """

    def __init__(self, num_joints: int, channels: int) -> None:
        super().__init__(num_joints * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise joints × coordinates."""
        N, T, V, C = x.shape
        return super().forward(x.reshape(N * T, V * C)).reshape(N, T, V, C)

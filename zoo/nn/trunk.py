"""The trunk that ST-GCN gave to its successors: blocks one after the other, from C_in to C."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.heads import MSEHead
from zoo.nn.inputs import stack_streams
from zoo.nn.masking import zero_padding
from zoo.nn.model import ScoreModel
from zoo.nn.norm import InputNorm
from zoo.skeleton.layout import Layout


class Trunk(nn.Module):
    """A stem, then blocks.

    Args:
        stem: what comes before the blocks, (N, T, V, ·) → (N, T, V, C_in): an `InputNorm`, a
            `JointEmbedding`, or nothing, `torch.nn.Identity`.
        block: makes one block from C_in, C_out and the keywords ``stride`` and ``residual``; the
            latter is false for the first, which has no shortcut around it in ST-GCN. It is
            called with x (N, T, V, C_in) and a mask (N, T) or None, and answers features
            (N, ceil(T / stride), V, C_out) and the mask at that length.
        in_channels: C_in of the first block.
        channels: width of each block.
        strides: temporal stride of each block.

    Shapes: x (N, T, V, ·), mask (N, T) or None → (N, T', V, channels[-1]) and the mask at that
    length; padded frames of x may hold anything.

    Raises:
        ConfigError: unequal numbers of channels and strides.
    """

    def __init__(
        self,
        stem: nn.Module,
        block: Callable[..., nn.Module],
        in_channels: int,
        channels: Sequence[int],
        strides: Sequence[int],
    ) -> None:
        super().__init__()
        require_one_each("block", channels=channels, strides=strides)
        self.stem = stem
        self.blocks = nn.ModuleList()
        for width, stride in zip(channels, strides, strict=True):
            later = len(self.blocks) > 0
            self.blocks.append(block(in_channels, width, stride=stride, residual=later))
            in_channels = width

    def forward(
        self, x: Tensor, mask: Tensor | None = None, added: Sequence[Tensor] = ()
    ) -> tuple[Tensor, Tensor | None]:
        """Features of the last block and their mask; `added` are summands to each block's input."""
        x = self.stem(zero_padding(x, mask))
        for index, block in enumerate(self.blocks):
            x, mask = block(x + added[index] if added else x, mask)
        return x, mask


def require_one_each(unit: str, **settings: Sequence[int]) -> None:
    """Refuse settings that do not have one number for each `unit`, a block or a stage.

    Raises:
        ConfigError: they are of unequal length, or empty.
    """
    lengths = {len(values) for values in settings.values()}
    if len(lengths) > 1 or 0 in lengths:
        found = " and ".join(f"{len(values)} {name}" for name, values in settings.items())
        raise ConfigError(f"{found}: each {unit} needs one of both")


class JointEmbedding(nn.Module):
    """The stem of InfoGCN and BlockGCN: a linear map, what each joint has of its own, a norm.

    Shapes: x (N, T, V, C_in) → (N, T, V, C).
    """

    def __init__(self, num_joints: int, in_channels: int, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(in_channels, channels)
        self.joints = nn.Parameter(torch.randn(num_joints, channels))
        self.norm = InputNorm(num_joints, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Embed the joints."""
        return self.norm(self.embedding(x) + self.joints)


class BlockNetwork(ScoreModel):
    """Batch normalisation of the raw coordinates, blocks, mean over frames and joints, head.

    Args:
        block: as for `Trunk`; the first one has no shortcut around it.
        channels: width of each block.
        strides: temporal stride of each block.
        dropout: probability before the head.

    Raises:
        ConfigError: unequal numbers of channels and strides.
    """

    def __init__(
        self,
        layout: Layout,
        block: Callable[..., nn.Module],
        streams: str | Sequence[str],
        channels: Sequence[int],
        strides: Sequence[int],
        dropout: float = 0.0,
    ) -> None:
        super().__init__(layout, streams)
        stem = InputNorm(layout.num_joints, self.in_channels)
        self.trunk = Trunk(stem, block, self.in_channels, channels, strides)
        self.head = MSEHead.of(channels[-1], dropout=dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last block (N, T', V, C) and the mask at that length (N, T')."""
        x = stack_streams(batch, self.streams, self.num_joints)
        return self.trunk(x, batch.mask)

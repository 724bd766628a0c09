"""EGCN: one ST-GCN for joint positions, one for joint orientations, and how they are joined.

Yu, Liu, Zhang, Chen, Chan, "EGCN: An Ensemble-based Learning Framework for Exploring Effective
Skeleton-based Rehabilitation Exercise Assessment", IJCAI 2022, doi 10.24963/ijcai.2022/511.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.errors import ConfigError
from zoo.nn.blocks import STGCNBlock
from zoo.nn.heads import MSEHead
from zoo.nn.inputs import stack_streams
from zoo.nn.model import ScoreModel
from zoo.nn.norm import InputNorm
from zoo.nn.trunk import Trunk
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout

FUSIONS = ("model", "feature", "decision")


class EGCN(ScoreModel):
    r"""Two ST-GCNs whose last feature maps P and O (N, T', V, C) are joined into one score.

    .. math::
        \text{model (MLE):}    &\quad s = w^\top \mathrm{GAP}(P \odot O) + b \\
        \text{feature (FLE):}  &\quad s = w^\top \mathrm{ReLU}(W[\mathrm{GAP}(P), \mathrm{GAP}(O)]
                                     + c) + b \\
        \text{decision (DLE):} &\quad s = w_P^\top \mathrm{GAP}(P) + w_O^\top \mathrm{GAP}(O) + b

    Args:
        streams: of the two networks; the paper's are positions and orientations.
        fusion: ``model`` (the paper's best), ``feature`` or ``decision``.
        partition: this and the others as of `STGCN`.
        dropout: probability after each temporal convolution, and in the head of ``feature``.

    Raises:
        ConfigError: not two streams, an unknown fusion, or unequal numbers of channels and strides.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: Sequence[str] = ("position", "orientation"),
        fusion: str = "model",
        partition: str = "stgcn_spatial",
        channels: Sequence[int] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1),
        kernel_size: int = 9,
        dropout: float = 0.5,
        importance: bool = True,
    ) -> None:
        super().__init__(layout, streams)
        if len(self.streams) != 2:
            raise ConfigError(
                f"streams are {', '.join(self.streams)}: EGCN joins two, such as position and "
                "orientation"
            )
        if fusion not in FUSIONS:
            raise ConfigError(f"fusion is {fusion!r}: choose one of {', '.join(FUSIONS)}")
        self.fusion = fusion
        block = partial(
            STGCNBlock,
            graph=build_graph(layout, partition),
            kernel_size=kernel_size,
            dropout=dropout,
            importance=importance,
        )
        self.trunks = nn.ModuleList(
            Trunk(InputNorm(layout.num_joints, width), block, width, channels, strides)
            for width in map(STREAM_CHANNELS.__getitem__, self.streams)
        )
        width = channels[-1] if fusion == "model" else 2 * channels[-1]
        hidden, drop = ([width], dropout) if fusion == "feature" else ([], 0.0)
        self.head = MSEHead.of(width, hidden, drop)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """P ⊙ O (N, T', V, C) and their mask, or the means of P and O side by side (N, 2·C)."""
        maps, mask = [], batch.mask
        for name, trunk in zip(self.streams, self.trunks, strict=True):
            x, mask = trunk(stack_streams(batch, [name], self.num_joints), batch.mask)
            maps.append(x)
        if self.fusion == "model":
            return maps[0] * maps[1], mask
        return torch.cat([self.pool(x, mask) for x in maps], dim=1), None

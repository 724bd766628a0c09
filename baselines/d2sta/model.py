"""D2STA: two streams, joints in soft groups by how much they move, attention in two stages.

Kuang, Yin, Yang, Zhao, Sun, "Dual-Stream STGCN with Motion-Aware Grouping for Rehabilitation
Action Quality Assessment", Sensors 2026, 26(1), 287, doi 10.3390/s26010287.

What the paper leaves open is decided in configs/model/d2sta.yaml, each point with its reason.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from baselines.d2sta.grouping import DynamicGrouping, JointAttention, TwoStageAttention, rollup
from baselines.d2sta.motion import InputMotion, PositionMotion, motion_index
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.nn.blocks import STGCNBlock
from zoo.nn.heads import MSEHead
from zoo.nn.masking import zero_padding
from zoo.nn.model import ScoreModel
from zoo.nn.trunk import Trunk
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout

GROUPINGS = ("dynamic", "attention", "none")


class D2STA(ScoreModel):
    """Dual-Stream STGCN with motion-aware grouping.

    Args:
        streams: names of the streams, one STGCN each; a name may stand twice (the paper's UI-PRMD
            runs feed the same directional data to both). One name is the single-stream ablation.
        channels: output channels of a stream's blocks.
        strides: their temporal strides.
        kernel_size: frames of the temporal convolutions.
        partition: how the graph's edges are typed, see `zoo.skeleton.graph.build_graph`.
        dropout: in the streams' blocks.
        grouping: ``dynamic`` (SADG), ``attention`` (the same attention between joints, without
            groups), ``none`` (straight to pooling).
        groups: G.
        heads: H of both attention stages.
        attention_width: inner width of both stages; None for all channels of X.
        attention_dropout: of the attention weights.
        mask_hidden: hidden width of the mask generator W₂ ReLU(W₁ M + b₁) + b₂.
        motion: what M is: the standard deviation over time of ``features`` (X) or of ``input``
            (the streams as they come in), or one of the body-aware measures ``relative`` and
            ``physiological``; see `baselines.d2sta.motion`.
        projection: ``mean`` or ``sum`` of a group's joints.
        order: ``time-first`` (within a group along time, then between groups) or
            ``groups-first``.
        stage_residual: add each stage's input to its output.
        stage_norm: layer normalisation before each stage.
        head_hidden: width of the head's hidden layer.
        head_dropout: before each of the head's layers.

    Raises:
        ConfigError: an unknown switch, or sizes that do not fit together.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: Sequence[str] = ("position", "orientation"),
        channels: Sequence[int] = (64, 128, 256),
        strides: Sequence[int] = (1, 2, 2),
        kernel_size: int = 3,
        partition: str = "spatial",
        dropout: float = 0.0,
        grouping: str = "dynamic",
        groups: int = 6,
        heads: int = 8,
        attention_width: int | None = 256,
        attention_dropout: float = 0.0,
        mask_hidden: int = 64,
        motion: str = "features",
        projection: str = "mean",
        order: str = "time-first",
        stage_residual: bool = True,
        stage_norm: bool = False,
        head_hidden: int = 128,
        head_dropout: float = 0.0,
    ) -> None:
        if isinstance(streams, str):
            raise ConfigError(f"streams={streams!r} must be a list of one or several streams")
        super().__init__(layout, tuple(dict.fromkeys(streams)))
        if grouping not in GROUPINGS:
            raise ConfigError(f"grouping={grouping!r} is none of {', '.join(GROUPINGS)}")
        self.inputs = tuple(streams)
        graph = build_graph(layout, partition)

        def block(c_in: int, c_out: int, *, stride: int, residual: bool) -> STGCNBlock:
            return STGCNBlock(
                c_in, c_out, graph, stride=stride, kernel_size=kernel_size, dropout=dropout
            )

        self.backbones = nn.ModuleList(
            Trunk(nn.Identity(), block, STREAM_CHANNELS[name], channels, strides)
            for name in self.inputs
        )
        width = channels[-1] * len(self.inputs)
        motion_measure = motion_index(motion, layout, self.inputs)
        self.motion: InputMotion | PositionMotion | None = None
        self.grouping: DynamicGrouping | JointAttention | None = None
        if grouping != "none":
            attention = TwoStageAttention(
                width,
                heads,
                width=attention_width,
                dropout=attention_dropout,
                order=order,
                residual=stage_residual,
                norm=stage_norm,
            )
            if grouping == "attention":
                self.grouping = JointAttention(attention)
            else:
                self.motion = motion_measure
                self.grouping = DynamicGrouping(
                    width,
                    attention,
                    groups=groups,
                    hidden=mask_hidden,
                    motion_channels=None if self.motion is None else self.motion.channels,
                    projection=projection,
                )
        self.head = MSEHead.of(width, [head_hidden], dropout=head_dropout)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features after the grouping (N, T', V, C) and the mask at that length (N, T')."""
        x, mask, _ = self._grouped(batch)
        return x, mask

    def prepare(self, batch: Batch, scaler: StreamScaler) -> None:
        """Tell the measure of motion what the z-score of the positions was."""
        if isinstance(self.motion, PositionMotion):
            self.motion.set_scale(scaler)

    def attention_maps(self, batch: Batch) -> Mapping[str, Tensor]:
        """All softmax weights, keys on the last axis; padded frames have none as keys.

        With T' = T/4 rounded up, the frames of X: ``assignment`` (N, V, G), the mask, sums to one
        over groups; ``within_group`` (N, H, G, T', T'), along time; ``between_groups``
        (N, H, T', G, G), at each time. With grouping ``attention`` there is no ``assignment`` and
        G = V; with ``none`` there are no maps.
        """
        return self._grouped(batch, return_attention=True)[2]

    def attention_rollup(self, batch: Batch) -> Tensor | None:
        """See `baselines.d2sta.grouping.rollup`; None where nothing is grouped."""
        if self.grouping is None:
            return None
        return rollup(self.attention_maps(batch), self.grouping.attention)

    def _grouped(
        self, batch: Batch, return_attention: bool = False
    ) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        inputs = [zero_padding(batch.stream(name), batch.mask) for name in self.inputs]
        x, mask = self.encode(inputs, batch.mask)
        if self.grouping is None:
            return x, mask, {}
        motion = None if self.motion is None else self.motion(inputs, batch.mask)
        x, attention = self.grouping(x, mask, motion, return_attention=return_attention)
        return x, mask, attention

    def encode(
        self, inputs: Sequence[Tensor], mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The streams, concatenated along channels: X (N, T/4, V, 512) and its mask (N, T/4)."""
        outputs, out_mask = [], mask
        for backbone, x in zip(self.backbones, inputs, strict=True):
            x, out_mask = backbone(x, mask)
            outputs.append(x)
        return (torch.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]), out_mask

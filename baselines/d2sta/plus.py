r"""D2STA-plus: the paper's two streams and groups, fed windows of real time, for all exercises.

The zoo's own, on the paper's idea: a graph network for each of two streams, joints in soft groups
by how much they move, attention along time within a group, then between groups (`DynamicGrouping`).
It differs in what is fed and in what is read out. A step of time is a window of the recording,
measured at the sensor's rate (`WindowMeasures`); features :math:`X` (W, V, C) are not averaged
over joints, but with :math:`d_j` the measures of joint :math:`j` over the whole recording and
:math:`e` the exercise

.. math::
    f_j &= \mathrm{ReLU}(U\, \mathrm{drop}([\mathrm{mean}_t X_j,\ \mathrm{std}_t X_j,\ d_j])
           + c_{e,j}) \\
    s &= (v + v_e)^\top \mathrm{drop}([f_1, \dots, f_V]) .

Half of the recordings are mirrored in training; the score is the mean over both.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.d2sta.grouping import DynamicGrouping, TwoStageAttention, range_of_motion
from baselines.d2sta.windows import WindowMeasures
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.data.transforms.motion import mirrored
from zoo.errors import ConfigError
from zoo.nn.blocks import STGCNBlock
from zoo.nn.dropout import Dropout
from zoo.nn.exercises import exercise_numbers, with_own_copy
from zoo.nn.heads.regression import HuberHead
from zoo.nn.model import ScoreModel
from zoo.nn.trunk import Trunk
from zoo.skeleton.graph import build_graph
from zoo.skeleton.layout import Layout

_HELD = 4.0
"""Deviations from the mean at which a measure is held."""


class D2STAPlus(ScoreModel):
    """Dual-stream graph network with motion-aware groups; see the module's formula.

    Args:
        streams: ``position``, ``orientation`` or both; a network each.
        windows: W.
        channels: output channels of a stream's blocks.
        kernel_size: windows that a block's temporal convolution sees.
        partition: how the graph's edges are typed, see `zoo.skeleton.graph.build_graph`.
        groups: G; 0 leaves grouping and attention out.
        heads: of both attention stages.
        attention_width: inner width of both stages.
        mask_hidden: hidden width of the mask generator.
        whole: whether the measures d over the whole recording are read out.
        readout: channels of a joint that the score is read from.
        dropout: probability before both layers of the read-out.
        mirror: whether recordings are mirrored in training, and scores are the mean over both.
        exercises: how many exercises it can tell apart; each has a read-out of its own beside the
            common one.

    Raises:
        ConfigError: another stream, a number below 1, or sizes that do not fit together.
    """

    raw = True

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position", "orientation"),
        windows: int = 10,
        channels: Sequence[int] = (16, 32),
        kernel_size: int = 3,
        partition: str = "spatial",
        groups: int = 6,
        heads: int = 2,
        attention_width: int = 32,
        mask_hidden: int = 16,
        whole: bool = True,
        readout: int = 16,
        dropout: float = 0.4,
        mirror: bool = True,
        exercises: int = 10,
    ) -> None:
        super().__init__(layout, streams)
        for name, value in (("readout", readout), ("exercises", exercises)):
            if value < 1:
                raise ConfigError(f"model.{name} is {value!r}, expected at least 1")
        self.measures = WindowMeasures(layout, self.streams, windows)
        self.derived = {
            "layout": layout.to_config(),
            "streams": list(self.streams),
            "windows": windows,
        }
        self.mirror, self.exercises, self.whole = mirror, exercises, whole
        graph = build_graph(layout, partition)

        def block(c_in: int, c_out: int, *, stride: int, residual: bool) -> STGCNBlock:
            return STGCNBlock(c_in, c_out, graph, stride=stride, kernel_size=kernel_size)

        sizes, strides = self.measures.channels, [1] * len(channels)
        self.backbones = nn.ModuleList(
            Trunk(nn.Identity(), block, sizes[name], channels, strides) for name in self.streams
        )
        width = channels[-1] * len(self.streams)
        self.grouping: DynamicGrouping | None = None
        if groups:
            attention = TwoStageAttention(width, heads, width=attention_width)
            self.grouping = DynamicGrouping(width, attention, groups=groups, hidden=mask_hidden)
        known = sum(self.measures.whole_channels.values()) if whole else 0
        self.narrow = nn.Linear(2 * width + known, readout, bias=False)
        self.places = nn.Parameter(0.1 * torch.randn(exercises, layout.num_joints, readout))
        self.dropout = Dropout(dropout)
        self.head = HuberHead.of(layout.num_joints * readout * (1 + exercises))
        for name, channels_of in self._kinds().items():
            shape = exercises, layout.num_joints, channels_of
            self.register_buffer(f"{name}_mean", torch.zeros(shape))
            self.register_buffer(f"{name}_deviation", torch.ones(shape))

    def derive(self, batch: Batch) -> Batch:
        """Measures of each stream, as it was and mirrored: (N, 2, V, W·C) and (N, 2, V, C).

        They are called as `WindowMeasures.measure` calls them.
        """
        if f"{self.streams[0]}_windows" in batch.x:
            return batch
        device, layout = batch.stream(self.streams[0]).device, self.measures.layout
        pairs: list[dict[str, Tensor]] = []
        for seen, rate in batch.sequences(self.streams):
            both = [self.measures.measure(s, rate) for s in (seen, mirrored(seen, layout))]
            pairs.append({k: torch.from_numpy(np.stack([m[k] for m in both])) for k in both[0]})
        made = {name: torch.stack([pair[name] for pair in pairs]) for name in pairs[0]}
        found = {k: values.flatten(-2).to(device, torch.float32) for k, values in made.items()}
        return batch._replace(x=found, mask=None)

    def derived_joints(self) -> Mapping[str, Tensor]:
        """The joints, as they were and mirrored, for each kind of measure."""
        joints = torch.tensor([range(self.num_joints), self.measures.layout.mirror])
        kinds = ("windows", "whole")
        return {f"{name}_{kind}": joints for name in self.streams for kind in kinds}

    def prepare(self, batch: Batch, scaler: StreamScaler) -> None:
        """Take mean and deviation of every measure, within each exercise."""
        batch = self.derive(batch)
        exercise = exercise_numbers(batch, self.exercises)
        for name, channels in self._kinds().items():
            for e in exercise.unique().tolist():
                values = batch.x[name][exercise == e, 0].unflatten(-1, (-1, channels))
                mean, deviation = values.mean((0, 2)), values.std((0, 2), correction=0)
                constant = deviation <= 1e-5 * mean.abs().clamp(min=1)
                self.get_buffer(f"{name}_mean")[e] = mean
                self.get_buffer(f"{name}_deviation")[e] = deviation.masked_fill(constant, 1.0)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What the read-outs see (N, (1 + E)·V·F): the common one, then each exercise's."""
        batch = self.derive(batch)
        exercise = exercise_numbers(batch, self.exercises)
        if self.mirror and not self.training:
            seen = (self._seen(batch, 0, exercise) + self._seen(batch, 1, exercise)) / 2
        elif self.mirror:
            side = torch.randint(2, (batch.size,)).to(exercise.device)
            seen = self._seen(batch, side, exercise)
        else:
            seen = self._seen(batch, 0, exercise)
        return with_own_copy(seen, exercise, self.exercises), None

    def attention_maps(self, batch: Batch) -> Mapping[str, Tensor]:
        """Those of `D2STA.attention_maps`, of the recording as it was, over its windows."""
        batch = self.derive(batch)
        if self.grouping is None:
            return {}
        x = self._encode(batch, 0, exercise_numbers(batch, self.exercises))
        return self.grouping(x, return_attention=True)[1]

    def _kinds(self) -> dict[str, int]:
        """Names of what is used of what is derived, and its channels."""
        kinds = {f"{name}_windows": c for name, c in self.measures.channels.items()}
        if self.whole:
            kinds |= {f"{name}_whole": c for name, c in self.measures.whole_channels.items()}
        return kinds

    def _standardised(self, batch: Batch, name: str, side: Tensor | int, e: Tensor) -> Tensor:
        """Measures of one side of the mirror as z-scores (N, W, V, C), held at the edges.

        What is undefined (NaN) counts as the mean.
        """
        values = batch.x[name][torch.arange(batch.size, device=e.device), side]
        mean = self.get_buffer(f"{name}_mean")[e][:, None]
        deviation = self.get_buffer(f"{name}_deviation")[e][:, None]
        steps = values.unflatten(-1, (-1, mean.shape[-1])).transpose(1, 2)
        return ((steps - mean) / deviation).nan_to_num().clamp(-_HELD, _HELD)

    def _encode(self, batch: Batch, side: Tensor | int, exercise: Tensor) -> Tensor:
        """The streams side by side (N, W, V, C)."""
        outs = []
        for name, backbone in zip(self.streams, self.backbones, strict=True):
            outs.append(backbone(self._standardised(batch, f"{name}_windows", side, exercise))[0])
        return torch.cat(outs, dim=-1)

    def _seen(self, batch: Batch, side: Tensor | int, exercise: Tensor) -> Tensor:
        """[f_1, …, f_V] (N, V·F)."""
        x = self._encode(batch, side, exercise)
        if self.grouping is not None:
            x, _ = self.grouping(x)
        known = [x.mean(1), range_of_motion(x)]
        if self.whole:
            for name in self.streams:
                known.append(self._standardised(batch, f"{name}_whole", side, exercise)[:, 0])
        f = self.narrow(self.dropout(torch.cat(known, dim=-1))) + self.places[exercise]
        return self.dropout(F.relu(f).flatten(1))

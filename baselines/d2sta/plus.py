r"""D2STA-plus: the paper's two streams and groups, read out joint by joint for several exercises.

The zoo's own, on the paper's idea. Streams, groups and attention are those of `D2STA`, which takes
the mean of its features :math:`X` (T', V, C) over all joints. Here every joint keeps its place, and
time leaves a mean and a deviation:

.. math::
    f_j &= \mathrm{ReLU}(U\, \mathrm{drop}([\mathrm{mean}_t X_j,\ \mathrm{std}_t X_j]) + b) \\
    s &= (v + v_e)^\top \mathrm{drop}([f_1, \dots, f_V]) + c

with e the exercise, so that one network learns from all of a dataset's exercises. The score is the
mean of a recording's and its mirror image's.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.d2sta.grouping import range_of_motion
from baselines.d2sta.mirror import MirroredStreams
from baselines.d2sta.model import D2STA
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.exercises import exercise_numbers, with_own_copy
from zoo.nn.heads.regression import HuberHead
from zoo.nn.masking import frame_mean
from zoo.skeleton.layout import Layout


class D2STAPlus(D2STA):
    """D2STA with a read-out for each joint and exercise; see the module's formula.

    Args:
        streams: as `channels` to `motion` those of `D2STA`, all but `readout_dropout` and what
            follows it.
        readout: channels of a joint that the score is read from.
        readout_dropout: probability before both layers of the read-out.
        exercises: how many exercises it can tell apart; each has a read-out of its own beside the
            common one.
        mirror: whether the score is the mean over a recording and its mirror image. Training
            sees the recordings as they come (``trainer.augment.mirror`` mirrors them).

    Raises:
        ConfigError: as `D2STA`, a number below 1, or streams that cannot be mirrored.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: Sequence[str] = ("position", "orientation"),
        channels: Sequence[int] = (16, 32, 64),
        strides: Sequence[int] = (2, 2, 1),
        kernel_size: int = 3,
        partition: str = "spatial",
        dropout: float = 0.0,
        grouping: str = "dynamic",
        groups: int = 6,
        heads: int = 2,
        attention_width: int | None = 64,
        attention_dropout: float = 0.0,
        mask_hidden: int = 16,
        motion: str = "features",
        readout: int = 16,
        readout_dropout: float = 0.4,
        exercises: int = 10,
        mirror: bool = True,
    ) -> None:
        super().__init__(
            layout,
            streams=streams,
            channels=channels,
            strides=strides,
            kernel_size=kernel_size,
            partition=partition,
            dropout=dropout,
            grouping=grouping,
            groups=groups,
            heads=heads,
            attention_width=attention_width,
            attention_dropout=attention_dropout,
            mask_hidden=mask_hidden,
            motion=motion,
        )
        for name, value in (("readout", readout), ("exercises", exercises)):
            if value < 1:
                raise ConfigError(f"model.{name} is {value!r}, expected at least 1")
        self.exercises = exercises
        self.mirror = MirroredStreams(layout, self.inputs) if mirror else None
        self.narrow = nn.Linear(2 * channels[-1] * len(self.inputs), readout)
        self.readout_dropout = Dropout(readout_dropout)
        self.head = HuberHead.of(layout.num_joints * readout * (1 + exercises))

    def prepare(self, batch: Batch, scaler: StreamScaler) -> None:
        """Take the scale of the streams, for the mirror and the measure of motion."""
        super().prepare(batch, scaler)
        if self.mirror is not None:
            self.mirror.prepare(scaler)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What the read-outs see (N, (1 + E)·V·F): the common one, then each exercise's."""
        seen = self._read(batch)
        if self.mirror is not None and not self.training:
            seen = (seen + self._read(self.mirror(batch))) / 2
        exercise = exercise_numbers(batch, self.exercises)
        return with_own_copy(self.readout_dropout(seen), exercise, self.exercises), None

    def attention_rollup(self, batch: Batch) -> None:
        """None: what is read out is no mean over joints, which could be followed back."""

    def _read(self, batch: Batch) -> Tensor:
        """[f_1, …, f_V] (N, V·F)."""
        x, mask = super().extract(batch)
        over_time = torch.cat([frame_mean(x, mask), range_of_motion(x, mask)], dim=-1)
        return F.relu(self.narrow(self.readout_dropout(over_time))).flatten(1)

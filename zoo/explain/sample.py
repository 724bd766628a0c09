"""One sample of a recording before a trained model: what every attribution starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from registry.nearest import did_you_mean
from zoo.data.batch import Batch
from zoo.data.recording import Recording
from zoo.data.resample import SOURCES
from zoo.data.transforms import RAW_STREAMS
from zoo.errors import ConfigError
from zoo.explain.attribution import POINTS, Array, Attribution
from zoo.prediction import Predictor
from zoo.skeleton import Layout, load_layout
from zoo.training.evaluate import TrainedModel

BASELINES: Mapping[str, str] = {
    "training": "the training people's mean pose, held still",
    "still": "the sample's own mean pose, held still",
}
"""What a sample can be compared with."""

MOTION_UNITS: Mapping[str, str] = {"position": "m", "orientation": "quaternion", "angle": "degrees"}
"""Units of the recorded streams."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample as a trained model sees it.

    Attributes:
        trained: the model with its scalers.
        recording: where the sample was cut from.
        number: of the sample in its recording, from 0.
        frames: (start, stop) of the sample in its recording.
        fps: frames a second of the T frames below.
        batch: the model's streams, N = 1 and real frames only, z-scored as in training.
        motion: (T, V, C) the recorded stream behind them after the protocol's transforms, in the
            unit of `motion_unit`.
        motion_unit: of `motion`.
    """

    trained: TrainedModel
    recording: Recording
    number: int
    frames: tuple[int, int]
    fps: float
    batch: Batch
    motion: Tensor
    motion_unit: str

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return self.trained.run.record.model.name

    @property
    def digits(self) -> int:
        """Decimals of a score."""
        return self.trained.run.digits

    @property
    def span(self) -> float:
        """From the lowest to the highest possible score."""
        lowest, highest = self.trained.run.record.dataset.score_range
        return highest - lowest

    @property
    def model(self) -> nn.Module:
        """The model, in evaluation mode."""
        return self.trained.model

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.trained.device

    @cached_property
    def layout(self) -> Layout:
        """The skeleton."""
        return load_layout(self.trained.layout)

    @property
    def num_frames(self) -> int:
        """T."""
        return next(iter(self.batch.x.values())).shape[1]

    @cached_property
    def score(self) -> float:
        """The model's score of the sample, in score units."""
        return float(self.scores(self.batch)[0])

    def scores(self, batch: Batch) -> Tensor:
        """Scores (N,) in score units of z-scored sequences."""
        return self.trained.score_scaled(batch)

    def baseline(self, kind: str | None = None) -> tuple[Batch, str]:
        """What the sample is compared with, z-scored, and in words.

        A mean of quaternions is taken by component and is a little shorter than one.

        Args:
            kind: one of `BASELINES`; if None ``training``, or ``still`` for a model whose streams
                are not z-scored: it keeps no training mean.

        Raises:
            ConfigError: no such baseline, or no training mean is kept.
        """
        scaled = self.trained.stream_scaler.kind == "zscore"
        kind = kind or ("training" if scaled else "still")
        if kind not in BASELINES:
            raise ConfigError(f"no baseline is called {kind!r}. {did_you_mean(kind, BASELINES)}")
        if kind == "training" and not scaled:
            raise ConfigError(
                f"{self.model_name} takes streams that are not z-scored, "
                "and its run keeps no training mean: use the baseline `still`"
            )
        x = {
            name: torch.zeros_like(values)
            if kind == "training"
            else values.mean(1, keepdim=True).expand_as(values).contiguous()
            for name, values in self.batch.x.items()
        }
        return self.batch._replace(x=x), BASELINES[kind]

    def attribution(
        self,
        method: str,
        joint_time: Array | Tensor,
        *,
        title: str = "",
        baseline_score: float = float("nan"),
        baseline: str = "a mean pose held still",
        note: str = "",
        unit: str = POINTS,
    ) -> Attribution:
        """`joint_time` (T, V) with all that the sample knows."""
        return Attribution(
            method=method,
            joint_time=np.asarray(joint_time, dtype=np.float64),
            joints=self.layout.joints,
            fps=self.fps,
            score=self.score,
            baseline_score=baseline_score,
            baseline=baseline,
            note=note,
            unit=unit,
            parts=self.layout.parts,
            title=title,
            span=self.span,
        )


def samples_of(predictor: Predictor, source: Recording | Path | str) -> list[Sample]:
    """The samples that a run's protocol cuts from a recording, in order of time.

    Args:
        predictor: the model of a finished run.
        source: a recording in the model's layout, or what `Predictor.score` takes: a file, a folder
            or the id of a prepared recording.

    Raises:
        DataError: see `zoo.predict`.
    """
    recordings = [source] if isinstance(source, Recording) else predictor.recordings(source)
    return [sample for recording in recordings for sample in _cut(predictor, recording)]


def _cut(predictor: Predictor, recording: Recording) -> list[Sample]:
    trained, protocol = predictor.trained, predictor.protocol
    recording = predictor.looked(recording).recording
    sources = {raw for name in trained.streams for raw in SOURCES[name]}
    moving = next(name for name in RAW_STREAMS if name in sources)
    cut = protocol.samples([recording], trained.streams, scored=False, feed=trained.feed)
    recorded = protocol.samples([recording], (moving,), scored=False, feed=trained.feed)
    scaled = trained.stream_scaler.transform(cut.batch())
    found = []
    for i in range(len(cut)):
        one = scaled.select(torch.tensor([i]))
        real = slice(None) if cut.mask is None else slice(0, int(cut.mask[i].sum()))
        one = one._replace(x={name: x[:, real] for name, x in one.x.items()}, mask=None)
        found.append(
            Sample(
                trained=trained,
                recording=recording,
                number=cut.segment[i],
                frames=cut.frames[i],
                fps=cut.fps[i],
                batch=one,
                motion=recorded.streams[moving][i, real],
                motion_unit=MOTION_UNITS[moving],
            )
        )
    return found

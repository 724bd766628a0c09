"""Samples: what a protocol cuts out of the recordings, as tensors ready for a model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from zoo.data.batch import Batch
from zoo.data.recording import Recording
from zoo.data.segment import Sampling
from zoo.data.transforms import Step

PIPELINE_VERSION = 1
"""Raised when the same settings come to give other samples; part of every protocol's hash."""


@dataclass(frozen=True)
class SampleSet:
    """S samples of V joints.

    Attributes:
        streams: named streams (S, T, V, C) float32; padded frames hold 0.
        mask: (S, T) bool, True where a frame is real; None when all are.
        target: (S,) float32 in score units; NaN where a recording has no score.
        recording: id of the recording each sample was cut from.
        segment: number of the sample within its recording, from 0.
        subject: the person; None where the dataset does not say who it was.
        group: clinical group of the person.
        exercise: exercise id.
        frames: (start, stop) of the sample in its recording.
        layout: name of the skeleton layout.
    """

    streams: dict[str, Tensor]
    mask: Tensor | None
    target: Tensor
    recording: list[str]
    segment: list[int]
    subject: list[str | None]
    group: list[str]
    exercise: list[str]
    frames: list[tuple[int, int]]
    layout: str

    def __len__(self) -> int:
        return len(self.recording)

    @property
    def ids(self) -> list[str]:
        """``RECORDING#SEGMENT`` of each sample: unique, the same on every machine."""
        return [f"{r}#{s}" for r, s in zip(self.recording, self.segment, strict=True)]

    def batch(self, index: Tensor | None = None) -> Batch:
        """The samples at `index` (M,) long, or all of them, unscaled."""
        whole = Batch(self.streams, self.mask)
        return whole if index is None else whole.select(index)

    def subset(self, index: Tensor | Sequence[int]) -> "SampleSet":
        """The samples at `index`, in its order."""
        chosen = torch.as_tensor(index, dtype=torch.long)
        at = chosen.tolist()
        return replace(
            self,
            streams={name: x[chosen] for name, x in self.streams.items()},
            mask=None if self.mask is None else self.mask[chosen],
            target=self.target[chosen],
            recording=[self.recording[i] for i in at],
            segment=[self.segment[i] for i in at],
            subject=[self.subject[i] for i in at],
            group=[self.group[i] for i in at],
            exercise=[self.exercise[i] for i in at],
            frames=[self.frames[i] for i in at],
        )


def build_samples(
    dataset: Iterable[Recording],
    sampling: Sampling,
    transforms: Sequence[Step],
    streams: Sequence[str],
    frames: int | None = 100,
    *,
    scored: bool = True,
) -> SampleSet:
    """Cut, transform and stack recordings.

    Each recording is transformed whole (`transforms` in their order), cut (`sampling`), each
    segment brought to `frames` frames by cubic interpolation, and the derived streams computed.

    Args:
        dataset: recordings of one layout; a SkeletonDataset or any iterable.
        sampling: where to cut.
        transforms: steps from `zoo.data.transforms`.
        streams: which streams to make.
        frames: T of every sample; None keeps each segment's own length and pads behind with
            zeros (`SampleSet.mask` says where).
        scored: leave out recordings without a total score; with False they stay, target NaN.

    Raises:
        DataError: no recording is left, layouts differ, a stream cannot be made.
    """
    raise NotImplementedError

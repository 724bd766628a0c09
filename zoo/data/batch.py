"""What goes into a model and what comes out of it.

Both are named tuples, which torch.export and torch.compile take as they are.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from zoo.errors import DataError

STREAM_CHANNELS: Mapping[str, int] = {
    "position": 3,
    "orientation": 4,
    "angle": 3,
    "bone": 3,
    "joint_motion": 3,
    "bone_motion": 3,
}
"""Channels of every stream a model can ask for."""

USUAL_RATE = 30.0
"""Frames per second where a batch does not say."""


class Batch(NamedTuple):
    """N skeleton sequences of T frames and V joints.

    Attributes:
        x: named streams, each (N, T, V, C) float; channel counts in `STREAM_CHANNELS`.
        mask: (N, T) bool, True where a frame is real; None when all are.
        fps: (N,) float, frames a second of each sequence after resampling; None where unknown.
        group: (N,) long, `group_code` of each person's clinical group; None where unknown.
        exercise: (N,) long, 0 for the exercise that is tested, 1, 2, … for others trained beside it
            (``trainer.exercises: all``); None where all are of the one.
    """

    x: dict[str, Tensor]
    mask: Tensor | None = None
    fps: Tensor | None = None
    group: Tensor | None = None
    exercise: Tensor | None = None

    def stream(self, name: str) -> Tensor:
        """The stream `name` (N, T, V, C).

        Raises:
            DataError: the batch has no such stream.
        """
        if name not in self.x:
            raise DataError(
                f"the model needs the stream {name!r}, the data has {', '.join(sorted(self.x))}. "
                "Choose a dataset with that stream or set model.streams."
            )
        return self.x[name]

    @property
    def size(self) -> int:
        """Number of sequences N."""
        return next(iter(self.x.values())).shape[0]

    def real_frames(self) -> Tensor:
        """The mask (N, T), also where all frames are real."""
        x = next(iter(self.x.values()))
        if self.mask is None:
            return torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        return self.mask

    def sequences(
        self, streams: Sequence[str]
    ) -> Iterator[tuple[dict[str, NDArray[np.float32]], float]]:
        """Real frames (T_n, V, C) of each sequence, at least one, by stream, and its frame rate.

        `USUAL_RATE` stands for a rate that the batch does not know.

        Raises:
            DataError: the batch lacks a stream.
        """
        found = {name: self.stream(name).float().cpu().numpy() for name in streams}
        lengths = self.real_frames().sum(1).tolist()
        rates = [USUAL_RATE] * self.size if self.fps is None else self.fps.tolist()
        for i, (length, rate) in enumerate(zip(lengths, rates, strict=True)):
            yield {name: x[i, : max(length, 1)] for name, x in found.items()}, rate

    def trimmed(self) -> "Batch":
        """The same batch without the frames that are padding in all of its sequences."""
        if self.mask is None:
            return self
        longest = max(1, int(self.mask.sum(1).max()))
        x = {name: values[:, :longest] for name, values in self.x.items()}
        return self._replace(x=x, mask=self.mask[:, :longest])

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on `device`."""
        others = (None if v is None else v.to(device) for v in self[1:])
        return Batch({k: v.to(device) for k, v in self.x.items()}, *others)

    def select(self, index: Tensor) -> "Batch":
        """The sequences at `index` (M,) long."""
        others = (None if v is None else v[index] for v in self[1:])
        return Batch({k: v[index] for k, v in self.x.items()}, *others)


def joined(batches: Sequence[Batch]) -> Batch:
    """Batches of the same streams one after another, padded to the longest."""
    longest = max(next(iter(batch.x.values())).shape[1] for batch in batches)
    padded = [_padded(batch, longest) for batch in batches]
    if any(batch.mask is not None for batch in padded):
        padded = [batch._replace(mask=batch.real_frames()) for batch in padded]
    others = (
        None if any(v is None for v in values) else torch.cat(values)
        for values in zip(*(batch[1:] for batch in padded), strict=True)
    )
    x = {name: torch.cat([batch.x[name] for batch in padded]) for name in padded[0].x}
    return Batch(x, *others)


def _padded(batch: Batch, frames: int) -> Batch:
    missing = frames - next(iter(batch.x.values())).shape[1]
    if not missing:
        return batch
    x = {name: pad(values, (0, 0, 0, 0, 0, missing)) for name, values in batch.x.items()}
    return batch._replace(x=x, mask=pad(batch.real_frames(), (0, missing)))


def group_code(group: str) -> int:
    """A number for a clinical group, the same on every machine; -1 for no group."""
    if not group:
        return -1
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big")


class Prediction(NamedTuple):
    """A model's answer for N sequences; only `score` has to be there.

    Attributes:
        score: (N,) float in standardised units; the trainer's target scale turns it into score
            units.
        log_variance: (N,) float, log of the predicted variance in standardised units, or None. It
            makes intervals wider or narrower where it was learned: by the loss of a head, or by a
            closed-form model's fit.
        features: (N, D) float, what the head saw, or None.
        output: (N, K) float, what a head of `zoo.nn.heads` said, from which it read the score and
            which its loss takes; None for a module without one.
    """

    score: Tensor
    log_variance: Tensor | None = None
    features: Tensor | None = None
    output: Tensor | None = None

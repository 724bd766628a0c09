"""What goes into a model and what comes out of it.

Both are named tuples, which torch.export and torch.compile take as they are.
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

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


class Batch(NamedTuple):
    """N skeleton sequences of T frames and V joints.

    Attributes:
        x: named streams, each (N, T, V, C) float; channel counts in `STREAM_CHANNELS`.
        mask: (N, T) bool, True where a frame is real; None when all are.
        fps: (N,) float, frames a second of each sequence after resampling; None where unknown.
        group: (N,) long, `group_code` of each person's clinical group; None where unknown.
    """

    x: dict[str, Tensor]
    mask: Tensor | None = None
    fps: Tensor | None = None
    group: Tensor | None = None

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

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on `device`."""
        others = (None if v is None else v.to(device) for v in self[1:])
        return Batch({k: v.to(device) for k, v in self.x.items()}, *others)

    def select(self, index: Tensor) -> "Batch":
        """The sequences at `index` (M,) long."""
        others = (None if v is None else v[index] for v in self[1:])
        return Batch({k: v[index] for k, v in self.x.items()}, *others)


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

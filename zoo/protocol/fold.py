"""One fold of a protocol: samples, who stands where, and scalers fitted where they may be."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo.data.batch import Batch
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from zoo.protocol.leakage import LeakageReport
    from zoo.protocol.protocol import Protocol

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Which samples stand in which part.

    Attributes:
        train: sample indices (M,) long, ascending.
        validation: the same, for choosing the best epoch; may be empty.
        test: the same, never seen in training.
        members: per part, the (person, recording, segment) of each sample, in index order.
        hash: SHA-256 over the parts' recording and segment ids; independent of sample order.
    """

    train: Tensor
    validation: Tensor
    test: Tensor
    members: dict[str, list[tuple[str, str, int]]]
    hash: str

    @classmethod
    def of(
        cls,
        samples: SampleSet,
        train: Sequence[int],
        validation: Sequence[int],
        test: Sequence[int],
    ) -> "Split":
        """The split of `samples` into the parts with these indices."""
        index, members, ids = {}, {}, {}
        for part, chosen in zip(PARTS, (train, validation, test), strict=True):
            at = sorted(int(i) for i in chosen)
            index[part] = torch.tensor(at, dtype=torch.long)
            members[part] = [
                (samples.subject[i], samples.recording[i], samples.segment[i]) for i in at
            ]
            ids[part] = sorted([recording, segment] for _, recording, segment in members[part])
        text = json.dumps(ids, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(index["train"], index["validation"], index["test"], members, digest)

    def index(self, part: str) -> Tensor:
        """Sample indices of ``train``, ``validation`` or ``test``."""
        if part not in PARTS:
            raise ConfigError(f"a split has no part {part!r}: {', '.join(PARTS)}")
        return getattr(self, part)

    def persons(self, part: str) -> list[str]:
        """The known people of a part, sorted, each once."""
        self.index(part)
        return sorted({p for p, _, _ in self.members[part]} - {UNKNOWN_SUBJECT})

    def recordings(self, part: str) -> list[str]:
        """The recordings of a part, sorted, each once."""
        self.index(part)
        return sorted({r for _, r, _ in self.members[part]})

    def to_dict(self) -> dict[str, Any]:
        """Plain containers for a run folder: hash, and per part persons, recordings, samples."""
        parts = {
            part: {
                "persons": self.persons(part),
                "recordings": self.recordings(part),
                "samples": [[r, s] for _, r, s in self.members[part]],
            }
            for part in PARTS
        }
        return {"hash": self.hash, **parts}


@dataclass(frozen=True, eq=False)
class FoldData:
    """Everything a trainer needs of one fold.

    Attributes:
        protocol: the protocol it comes from.
        fold: which fold, from 0.
        samples: all samples, unscaled, targets in score units.
        split: who stands where.
        stream_scaler: fitted as the protocol says.
        target_scaler: fitted as the protocol says.
        leakage: what stands on both sides.
        warning: plain words about leakage, for a leaky protocol; None for an honest one.
    """

    protocol: "Protocol"
    fold: int
    samples: SampleSet
    split: Split
    stream_scaler: StreamScaler
    target_scaler: TargetScaler
    leakage: "LeakageReport"
    warning: str | None

    def part(self, name: str) -> tuple[Batch, Tensor]:
        """Scaled batch and standardised target (N,) of ``train``, ``validation`` or ``test``."""
        index = self.split.index(name)
        batch = self.stream_scaler.transform(self.samples.batch(index))
        return batch, self.target_scaler.transform(self.samples.target[index])

    def subset(self, name: str) -> SampleSet:
        """Samples of one part, unscaled, with ids and targets in score units."""
        return self.samples.subset(self.split.index(name))

    def persons(self, name: str) -> list[str]:
        """People of one part, sorted."""
        return self.split.persons(name)

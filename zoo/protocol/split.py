"""Which samples of a fold are trained on, chosen by and tested on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError
from zoo.files import json_hash

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
        index, members = {}, {}
        for part, chosen in zip(PARTS, (train, validation, test), strict=True):
            at = sorted(int(i) for i in chosen)
            index[part] = torch.tensor(at, dtype=torch.long)
            members[part] = [
                (samples.subject[i], samples.recording[i], samples.segment[i]) for i in at
            ]
        ids = {part: [(r, s) for _, r, s in of_part] for part, of_part in members.items()}
        return cls(index["train"], index["validation"], index["test"], members, samples_hash(ids))

    def without_validation(self) -> "Split":
        """Its validation samples among those trained on; the hash stays that of this split."""
        at = torch.cat([self.train, self.validation])
        who = self.members["train"] + self.members["validation"]
        order = at.argsort()
        members = {"train": [who[i] for i in order.tolist()], "validation": []}
        return replace(
            self,
            train=at[order],
            validation=at[:0],
            members={**self.members, **members},
        )

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


def samples_hash(parts: Mapping[str, Iterable[tuple[str, int]]]) -> str:
    """SHA-256 over the (recording, segment) of each part's samples, whatever their order."""
    ids = {
        part: sorted([recording, segment] for recording, segment in parts[part]) for part in PARTS
    }
    return json_hash(ids)

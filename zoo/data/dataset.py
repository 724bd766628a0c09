"""Prepared datasets: made once from their published files, opened by memory map."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.data.adapters.base import Adapter, Progress
from zoo.data.recording import Recording


@dataclass(frozen=True)
class RecordingInfo:
    """What is known of a recording without touching its arrays.

    Attributes:
        id, subject, group, exercise, session, scores, extra: as in `Recording`.
        frames: number of frames T.
        arrays: which arrays it has: positions, orientations, angles, tracked, timestamps.
    """

    id: str
    subject: str
    group: str
    exercise: str
    session: str
    frames: int
    scores: Mapping[str, float] = field(default_factory=dict)
    arrays: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


class SkeletonDataset(Sequence[Recording]):
    """A prepared dataset, or a selection of its recordings.

    Attributes:
        name: dataset name.
        layout: name of the skeleton layout.
        fps: nominal frames per second.
        score_range: lowest and highest possible total score.
        fingerprint: SHA-256 (hex) of the whole prepared dataset; a selection keeps it.
        manifest: the manifest as plain data.
        index: `RecordingInfo` of every recording, sorted by id.
    """

    name: str
    layout: str
    fps: float
    score_range: tuple[float, float]
    fingerprint: str
    manifest: Mapping[str, Any]
    index: list[RecordingInfo]

    @classmethod
    def open(cls, root: Path, name: str) -> "SkeletonDataset":
        """Opens ``<root>/<name>`` by memory map and checks its fingerprint."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, i: int) -> Recording:  # type: ignore[override]
        raise NotImplementedError

    def __iter__(self) -> Iterator[Recording]:
        return (self[i] for i in range(len(self)))

    def select(
        self,
        exercise: str | None = None,
        subjects: Iterable[str] | None = None,
        scored: bool = True,
        arrays: Iterable[str] = (),
    ) -> "SkeletonDataset":
        """A view of some recordings; order by id is kept.

        Args:
            exercise: only this exercise.
            subjects: only these people.
            scored: only recordings with a finite ``total`` score.
            arrays: only recordings that have all of these arrays.
        """
        raise NotImplementedError


def prepare(
    adapter: Adapter,
    source: Path | None,
    root: Path,
    strict: bool = False,
    progress: Progress | None = None,
) -> SkeletonDataset:
    """Reads `source` with `adapter` into the store ``<root>/<adapter.name>``, atomically."""
    raise NotImplementedError


def create_adapter(name: str, **params: Any) -> Adapter:
    """The adapter registered as `name`, built from its config; `params` override."""
    raise NotImplementedError


def load_dataset(name: str, data_root: Path | None = None) -> SkeletonDataset:
    """Opens a prepared dataset; `synthetic` is generated and stored on first use."""
    raise NotImplementedError

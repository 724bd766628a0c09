"""Samples: what a protocol cuts out of the recordings, as tensors ready for a model."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.batch import Batch, group_code
from zoo.data.columns import Columns, extra_columns
from zoo.data.recording import Recording
from zoo.data.resample import SOURCES, derive, require_streams, resample_motion
from zoo.data.segment import Sampling, segments
from zoo.data.signature import Signature
from zoo.data.transforms import Motion, Step
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import Layout, load_layout

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
        subject: the person; `zoo.data.recording.UNKNOWN_SUBJECT` where nobody says who it was.
        group: clinical group of the person.
        exercise: exercise id.
        frames: (start, stop) of the sample in its recording.
        fps: frames a second of each sample as it stands in `streams`.
        layout: name of the skeleton layout.
        signatures: by recording, what tells it from its copies; taken from the whole recording as
            it was recorded.
        parts: (S,) float32 by name, the scores beside the total in score units, such as KIMORE's
            ``primary`` and ``control``; NaN where a recording lacks one.
        extra: by recording, the session and what else is known of it; see `columns`.
        binary: whether every target is 1 (right) or 0 (wrong), see `Adapter.binary`.
    """

    streams: dict[str, Tensor]
    mask: Tensor | None
    target: Tensor
    recording: list[str]
    segment: list[int]
    subject: list[str]
    group: list[str]
    exercise: list[str]
    frames: list[tuple[int, int]]
    fps: list[float]
    layout: str
    signatures: dict[str, Signature] = field(default_factory=dict, repr=False)
    parts: dict[str, Tensor] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    binary: bool = False

    def __len__(self) -> int:
        return len(self.recording)

    @property
    def ids(self) -> list[str]:
        """``RECORDING#SEGMENT`` of each sample: unique, the same on every machine."""
        return [f"{r}#{s}" for r, s in zip(self.recording, self.segment, strict=True)]

    @property
    def columns(self) -> Columns:
        """What is known of the recordings beside their frames, a value a sample."""
        own = {
            "recording": self.recording,
            "person": self.subject,
            "group": self.group,
            "exercise": self.exercise,
        }
        return Columns(own, [self.extra.get(recording, {}) for recording in self.recording])

    def batch(self, index: Tensor | None = None) -> Batch:
        """The samples at `index` (M,) long, or all of them, unscaled."""
        whole = Batch(
            self.streams,
            self.mask,
            torch.tensor(self.fps),
            torch.tensor([group_code(group) for group in self.group]),
        )
        return whole if index is None else whole.select(index)

    def whole(self) -> "SampleSet":
        """A sample a recording, without streams: what these samples were cut from."""
        rows: dict[str, list[int]] = {}
        for i, recording in enumerate(self.recording):
            rows.setdefault(recording, []).append(i)
        first = self.subset([at[0] for at in rows.values()])
        spans = [(self.frames[at[0]][0], self.frames[at[-1]][1]) for at in rows.values()]
        return replace(first, streams={}, mask=None, segment=[0] * len(rows), frames=spans)

    def subset(self, index: Tensor | Sequence[int]) -> "SampleSet":
        """The samples at `index`, in its order."""
        chosen = torch.as_tensor(index, dtype=torch.long)
        at = chosen.tolist()
        names = ("recording", "segment", "subject", "group", "exercise", "frames", "fps")
        lists: dict[str, Any] = {name: [getattr(self, name)[i] for i in at] for name in names}
        return replace(
            self,
            streams={name: x[chosen] for name, x in self.streams.items()},
            mask=None if self.mask is None else self.mask[chosen],
            target=self.target[chosen],
            parts={name: scores[chosen] for name, scores in self.parts.items()},
            **lists,
        )


def build_samples(
    dataset: Iterable[Recording],
    sampling: Sampling,
    transforms: Sequence[Step],
    streams: Sequence[str],
    frames: int | None = 100,
    *,
    rate: float | None = None,
    scored: bool = True,
) -> SampleSet:
    """Cut, transform and stack recordings.

    Each recording is transformed whole (`transforms` in their order), cut (`sampling`), each
    segment brought to `frames` frames by cubic interpolation, and the derived streams computed.

    Args:
        dataset: recordings of one layout; a SkeletonDataset, whose `binary` is kept, or any
            iterable.
        sampling: where to cut.
        transforms: steps from `zoo.data.transforms`.
        streams: which streams to make.
        frames: T of every sample; None keeps each segment's own length and pads behind with
            zeros (`SampleSet.mask` says where).
        rate: frames a second of every sample, in place of `frames`: each keeps its length in
            seconds, and shorter ones are padded.
        scored: leave out recordings without a total score; with False they stay, target NaN.

    Raises:
        DataError: no recording is left, layouts differ, a stream cannot be made.
    """
    if frames is not None and frames < 1:
        raise ConfigError(f"frames is {frames}, expected at least 1, or null to keep each length")
    if rate is not None and not rate > 0:
        raise ConfigError(f"rate is {rate}, expected frames a second above 0, or null")
    if not streams:
        raise ConfigError("no stream is asked for")
    rows: list[_Row] = []
    signatures: dict[str, Signature] = {}
    extra: dict[str, Mapping[str, Any]] = {}
    layout: Layout | None = None
    for recording in dataset:
        score = recording.scores.get("total", math.nan)
        if scored and not math.isfinite(score):
            continue
        if layout is None:
            layout = load_layout(recording.layout)
        elif recording.layout != layout.name:
            raise DataError(
                f"recording {recording.id} has the layout {recording.layout}, the ones before it "
                f"{layout.name}: samples of one set need the same joints"
            )
        rows.extend(_rows(recording, score, layout, sampling, transforms, streams, frames, rate))
        signatures[recording.id] = Signature.of(recording, layout)
        extra[recording.id] = extra_columns(recording)
    if layout is None:
        kind = "recordings with a total score" if scored else "recordings"
        raise DataError(f"there are no {kind} to make samples of")
    binary = bool(getattr(dataset, "binary", False))
    samples = _stack(rows, layout.name, streams)
    return replace(samples, signatures=signatures, extra=extra, binary=binary)


@dataclass(frozen=True, eq=False)
class _Row:
    recording: Recording
    segment: int
    frames: tuple[int, int]
    fps: float
    score: float
    streams: dict[str, NDArray[np.float64]]


def _rows(
    recording: Recording,
    score: float,
    layout: Layout,
    sampling: Sampling,
    transforms: Sequence[Step],
    streams: Sequence[str],
    frames: int | None,
    rate: float | None,
) -> Iterator[_Row]:
    motion = Motion.of(recording, layout)
    needed = {raw for name in streams for raw in SOURCES.get(name, ())}
    cuts = segments(recording, sampling)
    for step in transforms:
        motion = step(motion)
    require_streams(motion, streams)
    motion = motion.only(needed)
    for number, (start, stop) in enumerate(cuts):
        part = motion.cut(start, stop)
        fps, wanted = recording.fps, frames
        if rate is not None:
            wanted = max(2, round((stop - start) * rate / fps))
        if wanted is not None:
            part = resample_motion(part, wanted)
            fps *= wanted / (stop - start)
        yield _Row(recording, number, (start, stop), fps, score, derive(part, streams))


def _stack(rows: Sequence[_Row], layout: str, streams: Sequence[str]) -> SampleSet:
    first = streams[0]
    lengths = [len(row.streams[first]) for row in rows]
    longest = max(lengths)
    stacked = {}
    for name in streams:
        shape = rows[0].streams[name].shape[1:]
        values = np.zeros((len(rows), longest, *shape), dtype=np.float32)
        for i, row in enumerate(rows):
            values[i, : lengths[i]] = row.streams[name]
        stacked[name] = torch.from_numpy(values)
    mask = None
    if min(lengths) < longest:
        mask = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    recordings = [row.recording for row in rows]
    parts = sorted({name for r in recordings for name in r.scores} - {"total"})
    return SampleSet(
        streams=stacked,
        mask=mask,
        target=torch.tensor([row.score for row in rows], dtype=torch.float32),
        recording=[r.id for r in recordings],
        segment=[row.segment for row in rows],
        subject=[r.subject for r in recordings],
        group=[r.group for r in recordings],
        exercise=[r.exercise for r in recordings],
        frames=[row.frames for row in rows],
        fps=[row.fps for row in rows],
        layout=layout,
        parts={
            name: torch.tensor([float(r.scores.get(name, math.nan)) for r in recordings])
            for name in parts
        },
    )

"""What the three readers of UI-PRMD have in common."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import Adapter, FaultError, PrepareReport, Problem, Progress, Reader
from zoo.data.adapters.rows import first_line
from zoo.data.adapters.uiprmd import motion
from zoo.data.adapters.uiprmd.angles import MAX_UNSEEN, read_table, scored_motion
from zoo.data.adapters.uiprmd.quality import SUBSET_FILE, KeptSpan, find_quality
from zoo.data.adapters.uiprmd.tree import (
    MOVEMENTS,
    Repetition,
    find_root,
    list_repetitions,
    loose_repetition,
    repetition_of,
)
from zoo.data.checks import MIN_FRAMES
from zoo.data.gaps import bridged
from zoo.data.recording import Recording
from zoo.errors import ConfigError, DataError
from zoo.skeleton import Layout, load_layout

Subset = Literal["full", "reduced"]
Score = Literal["published", "everybody", "others"]

_BATCH = 64


@dataclass(frozen=True)
class RawRepetition:
    """A repetition as its files have it: one array (T, V, 3) for each of them."""

    repetition: Repetition
    total: float | None
    arrays: tuple[NDArray[np.float64], ...]
    extra: dict[str, Any]
    first_line: int


class UiprmdAdapter(Adapter, Reader):
    """What the three readers of UI-PRMD have in common.

    A recording is one repetition: id ``s01/m01/e01/correct``, subject ``s01``, exercise ``m01``,
    session ``e01/correct``. All people are healthy, so the group is ``healthy``; whether they
    were told to do it right or wrong is the score ``correct``, 1 or 0. A person's right and wrong
    repetitions thus stay together whatever a protocol groups or stratifies by.

    UI-PRMD has no clinical scores. ``total`` is a quality from 0 to 1, by `score`:

    * ``everybody``: computed as Liao, Vakanski, Xian 2020 do (see `likelihood`), from the Vicon
      angles, by the likelihood of a motion among everybody's right repetitions. The Kinect saw
      the same repetition, so it gets the same score. A repetition whose angles are missing, in
      all or of a joint for more than half of the time, has none.
    * ``others``: the same, every person compared with the others only.
    * ``published``: what the authors published, for the 90 right and 90 wrong repetitions of the
      reduced m01, if the user has ``Labels_Correct.csv`` and ``Labels_Incorrect.csv`` (one
      number a line) and ``uiprmd_reduced_subset.json``, which says which repetition each line
      is: movement → ``correct``, ``incorrect`` → list of ``{r, subject, episode, start, stop,
      full}`` with line r from 1 and Vicon frames start to stop (exclusive, from 0) of full.
      Without the files no recording has a ``total``.

    The reduced set, of which most papers are, leaves out repetitions, and the rest before and
    after the movement in those it keeps. Where it cuts, ``extra`` holds ``{"reduced": true,
    "crop": [start, stop], "whole": frames}``; for the Kinect start and stop are scaled to its
    frames. Scores are computed from what is kept, so that the motion of a recording is the one
    that was scored.

    Args:
        labels: folder with the three files; None looks for them in the source folder.
        crop: cut the repetitions of the reduced set, leave all others whole; None does so unless
            scores are computed for the full set, where cut ones would be compared with whole ones.
        subset: ``full`` or ``reduced``, which needs the three files.
        score: ``everybody``, ``others`` or ``published``.
    """

    version = 2
    score_range = (0.0, 1.0)
    exercises = MOVEMENTS
    healthy = ("healthy",)
    suffixes = (".txt",)

    sensor: str
    kinds: tuple[str, ...]

    def __init__(
        self,
        labels: str | Path | None = None,
        crop: bool | None = None,
        subset: Subset = "full",
        score: Score = "everybody",
    ) -> None:
        mixed = subset == "full" and score != "published"
        if mixed and crop:
            raise ConfigError(
                "crop: true with computed scores of the full set would compare cut repetitions "
                "with whole ones; set crop to false, or subset to reduced"
            )
        self.labels = Path(labels) if labels is not None else None
        self.crop = not mixed if crop is None else crop
        self.subset = subset
        self.score = score

    @cached_property
    def skeleton(self) -> Layout:
        """The layout of every recording."""
        return load_layout(self.layout)

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """Yields every sound repetition below `source`, sorted; see `Adapter.read`.

        Raises:
            DataError: no UI-PRMD there, or files of scores that do not fit, or `report` is strict.
        """
        assert source is not None
        root = find_root(source, self.sensor, self.kinds)
        published = self.score == "published"
        found = report if published else PrepareReport()
        quality = find_quality(self.labels, (source, root), found)
        repetitions = list_repetitions(root, self.sensor, self.kinds, report)
        if self.subset == "reduced":
            repetitions = [r for r in repetitions if quality.get(r) is not None]
            if not repetitions:
                raise DataError(f"{root}: none of the reduced set; it needs {SUBSET_FILE}")
        totals = self._totals(root, quality, repetitions, report)
        done = 0
        for start in range(0, len(repetitions), _BATCH):
            loaded: list[RawRepetition] = []
            for repetition in repetitions[start : start + _BATCH]:
                try:
                    entry, total = quality.get(repetition), totals.get(repetition)
                    loaded.append(self._load(root, repetition, entry, total, report))
                except FaultError as fault:
                    report.skip(repetition.id, fault.problem)
                    done += 1
                    progress(done, len(repetitions), repetition.id)
            for raw, recording in zip(loaded, self._convert(loaded, report), strict=True):
                done += 1
                if recording is not None:
                    yield recording
                progress(done, len(repetitions), raw.repetition.id)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; the sensors are told apart by the number of values in a row."""
        if not path.is_file() or repetition_of(path.name) is None:
            return False
        kind = "Angles" if "angles" in path.name.lower() else "Positions"
        values = first_line(path).rstrip(" ,\n").count(",") + 1
        return kind in self.kinds and values == 3 * self.skeleton.num_joints

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One repetition; see `Reader.read_file`.

        The Kinect's positions and angles belong together: either file stands for both, which lie
        side by side or in the published folders. Files in the published folders, or a `labels`
        folder, give crop and published score as in the dataset; otherwise a repetition stays
        whole. A score that is computed from all repetitions has no place here.
        """
        repetition = loose_repetition(file, self.kinds)
        entry = None
        if repetition.published is not None:
            quality = find_quality(self.labels, repetition.roots, PrepareReport())
            entry = quality.get(repetition.published)
        total = entry.score if entry is not None and self.score == "published" else None
        seen = PrepareReport()
        raw = self._load(Path(), repetition, entry, total, seen)
        (recording,) = self._convert([raw], seen)
        if recording is None:
            raise DataError(str(seen.problems[-1]))
        for problem in seen.problems:
            report.fault(recording.id, problem)
        if repetition.published is None:
            recording = replace(recording, group="", session="", scores={})
        yield recording

    @abstractmethod
    def _convert(
        self, raws: list[RawRepetition], report: PrepareReport
    ) -> Iterator[Recording | None]:
        """A recording for each repetition, None for one that is skipped and reported."""

    def _load(
        self,
        root: Path,
        repetition: Repetition,
        entry: KeptSpan | None,
        total: float | None,
        report: PrepareReport,
    ) -> RawRepetition:
        joints = self.skeleton.num_joints
        files = [repetition.file(self.sensor, kind) for kind in self.kinds]
        tables = [read_table(root, file, 3 * joints) for file in files]
        frames = len(tables[0].values)
        for file, table in zip(files[1:], tables[1:], strict=True):
            if len(table.values) != frames:
                found, expected = f"{len(table.values)} frames", f"{frames} frames as in {files[0]}"
                raise FaultError("unequal-length", None, found, expected, file)
        if frames < MIN_FRAMES:
            found = f"{frames} frame{'s' * (frames != 1)}"
            raise FaultError("too-short", None, found, f"at least {MIN_FRAMES} frames", files[0])
        keep, extra = self._crop(repetition, entry, frames, report)
        arrays = tuple(
            table.values[keep].reshape(-1, joints, 3).astype(np.float64) for table in tables
        )
        first_line = int(tables[0].lines[keep.start])
        arrays = tuple(
            self._sound_angles(values, repetition, file, first_line, report)
            if kind == "Angles"
            else values
            for kind, file, values in zip(self.kinds, files, arrays, strict=True)
        )
        return RawRepetition(repetition, total, arrays, extra, first_line)

    def _sound_angles(
        self,
        values: NDArray[np.float64],
        repetition: Repetition,
        file: str,
        first_line: int,
        report: PrepareReport,
    ) -> NDArray[np.float64]:
        """Angles (T, V, 3) without those that are none: bridged, or lost where a sensor loses some.

        Raises:
            FaultError: a joint has more of them than sound ones.
        """
        wild = motion.no_angle(values)
        if not wild.any():
            return values
        frame, joint = (int(i) for i in np.argwhere(wild)[0])
        more = int(wild.sum()) - 1
        found = f"{np.abs(values[frame, joint]).max():g} degrees for {self.skeleton.joints[joint]}"
        found += f", and {more} more such angle{'s' * (more > 1)}" if more else ""
        expected = "angles of at most two turns"
        line = first_line + frame
        if wild.mean(axis=0).max() > MAX_UNSEEN:
            raise FaultError("wild-angle", line, found, expected, file)
        report.fault(
            repetition.id,
            Problem("wild-angle", file, line, found, f"{expected}; bridged over time"),
        )
        if self.sensor == "Vicon":
            return np.where(wild[..., None], 0.0, values)
        return bridged(motion.unwrap_degrees(values, wild), wild)

    def _totals(
        self,
        root: Path,
        quality: Mapping[Repetition, KeptSpan],
        repetitions: list[Repetition],
        report: PrepareReport,
    ) -> dict[Repetition, float]:
        """The ``total`` of every repetition that has one."""
        if self.score == "published":
            entries = {r: quality.get(r) for r in repetitions}
            return {r: e.score for r, e in entries.items() if e is not None and e.score is not None}
        from zoo.data.adapters.uiprmd.likelihood import quality_scores

        totals: dict[Repetition, float] = {}
        for movement, found in groupby(repetitions, key=lambda r: r.movement):
            group, angles = list(found), {}
            unscored: dict[Repetition, Problem] = {}
            for repetition in group:
                try:
                    entry = quality.get(repetition)
                    angles[repetition] = scored_motion(root, repetition, entry, self.crop)
                except FaultError as fault:
                    unscored[repetition] = fault.problem
            scores = quality_scores(angles, leave_out=self.score == "others")
            totals |= scores
            self._tell_unscored(root, unscored, report)
            report.note(
                f"{movement}: quality scores computed for {len(scores)} of {len(group)} "
                f"repetitions, from the Vicon angles against right ones of {self.score}"
            )
        return totals

    def _tell_unscored(
        self, root: Path, unscored: Mapping[Repetition, Problem], report: PrepareReport
    ) -> None:
        """Says why repetitions have no score, but of those that this reader skips anyway."""
        for repetition, problem in unscored.items():
            own = [repetition.file(self.sensor, kind) for kind in self.kinds]
            if problem.file not in own and all((root / file).is_file() for file in own):
                report.fault(repetition.id, replace(problem, kind="no-score"))

    def _crop(
        self, repetition: Repetition, entry: KeptSpan | None, frames: int, report: PrepareReport
    ) -> tuple[slice, dict[str, Any]]:
        if entry is None:
            return slice(0, frames), {}
        keep = entry.crop(frames)
        found, expected = "", ""
        if self.sensor == "Vicon" and frames != entry.full:
            found, expected = f"{frames} frames", f"{entry.full} frames, as the reduced set says"
        elif keep.stop - keep.start < MIN_FRAMES:
            found = f"a crop of {keep.stop - keep.start} frames"
            expected = f"at least {MIN_FRAMES} frames"
        if found:
            file = repetition.file(self.sensor, self.kinds[0])
            problem = Problem("reduced-set", file, None, found, f"{expected}; it is left whole")
            report.fault(repetition.id, problem)
            return slice(0, frames), {}
        extra: dict[str, Any] = {"reduced": True}
        if not self.crop:
            return slice(0, frames), extra
        return keep, {**extra, "crop": [keep.start, keep.stop], "whole": frames}

    def _recording(self, raw: RawRepetition, **arrays: Any) -> Recording:
        repetition = raw.repetition
        scores = {"correct": float(repetition.correct)}
        if raw.total is not None:
            scores["total"] = raw.total
        return Recording(
            id=repetition.id,
            subject=repetition.subject,
            group="healthy",
            exercise=repetition.movement,
            session=f"{repetition.episode}/{repetition.side}",
            layout=self.layout,
            fps=self.fps,
            scores=scores,
            extra=raw.extra,
            source=repetition.file(self.sensor, self.kinds[0]),
            **arrays,
        )

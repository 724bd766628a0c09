"""KIMORE as released with STGCN-rehab (Deb et al. 2022): repetitions of 100 frames.

One folder per exercise holds ``Train_X.csv``, 100 rows per repetition of 25 × (x, y, z, state),
and ``Train_Y.csv``, one total score per repetition. Nothing in it says who performs. People can be
told apart only by a list of repetitions per person, in the order of the release.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import (
    Adapter,
    FaultError,
    PrepareReport,
    Problem,
    Progress,
    Reader,
    faults_in,
)
from zoo.data.adapters.kimore import EXERCISES
from zoo.data.adapters.kimore_frames import JOINTS
from zoo.data.adapters.kimore_tree import GROUPS, HEALTHY
from zoo.data.adapters.rows import Rows, read_rows
from zoo.data.recording import NOT_TRACKED, TRACKED, UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError
from zoo.files import read_json

FRAMES = 100
"""Frames of every repetition in the release."""

ORDER = ("E", "NE", "P", "S", "B")
"""Order of the groups in the release; inside a group people come by number."""

_EXERCISE = re.compile(r"(?:exercise|ex|es)[ _-]*([1-5])(?!\d)", re.IGNORECASE)
_SCORE_TOLERANCE = 0.01


@dataclass(frozen=True)
class Run:
    """Consecutive repetitions of one person, or of several who cannot be told apart.

    Attributes:
        subjects: ids of the people.
        repetitions: how many repetitions.
        score: their score, where the list gives it.
    """

    subjects: tuple[str, ...]
    repetitions: int
    score: float | None = None

    @property
    def subject(self) -> str:
        """One name for all of them, so that a split never parts them."""
        return "+".join(self.subjects)

    @property
    def group(self) -> str:
        """Their group, if they share one."""
        groups = {GROUPS.get(s.partition("_")[0], "") for s in self.subjects}
        return groups.pop() if len(groups) == 1 else ""


@register_reader("stgcn-rehab")
class StgcnRehabAdapter(Adapter, Reader):
    """Reads the STGCN-rehab release of KIMORE.

    Args:
        counts: a JSON file that says who performs: either ``{person: {exercise: repetitions}}``,
            or ``{"ex5": {"runs": [{"subjects": [...], "reps": n, "score": s}, ...]}}`` where
            people with equal scores that follow each other may share a run; they are then kept
            together as one. None leaves all people unknown, and no honest split is possible.
    """

    name = "stgcn-rehab"
    version = 1
    layout = "kinect-v2"
    fps = 30.0
    score_range = (0.0, 50.0)
    exercises = EXERCISES
    healthy = HEALTHY
    suffixes = (".csv",)

    def __init__(self, counts: str | None = None) -> None:
        self._counts = None if counts is None else Path(counts).expanduser()

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `Adapter.read`; recordings come sorted by exercise and repetition."""
        assert source is not None
        folders = _find_folders(source)
        counts = None if self._counts is None else read_json(self._counts)
        if counts is None:
            report.note(
                "the release does not say who performs: only protocols that ignore people can use "
                "it (give a list of repetitions per person: counts=FILE.json)"
            )
        for done, (exercise, folder) in enumerate(sorted(folders.items()), start=1):
            try:
                frames, scores = _read_exercise(folder, source)
            except FaultError as error:
                report.skip(f"Es{exercise}", error.problem)
            else:
                runs = None
                if counts is not None:
                    runs = _runs(self._counts, counts, exercise, scores)
                yield from _repetitions(exercise, frames, scores, runs, report, folder, source)
            progress(done, len(folders), folder.name)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`."""
        if path.is_dir():
            return _file(path, "Train_X.csv") is not None
        return path.name.casefold() == "train_x.csv"

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """Every 100 rows of a ``Train_X.csv`` as one recording; see `Reader.read_file`.

        The folder with that file stands for it. Its name tells the exercise; scores come from the
        ``Train_Y.csv`` beside it, if there is one.
        """
        folder = file if file.is_dir() else file.parent
        table = _file(file, "Train_X.csv") if file.is_dir() else file
        if table is None:
            raise DataError(f"{file}: found no Train_X.csv in this folder")
        with faults_in(str(table)):
            frames = read_rows(table, JOINTS * 4)
            if len(frames.values) % FRAMES:
                found, line = f"{len(frames.values)} rows", int(frames.lines[-1])
                raise FaultError("unequal-lengths", line, found, f"{FRAMES} for each repetition")
        scores = _scores_beside(folder, len(frames.values) // FRAMES, report)
        match = _EXERCISE.search(folder.resolve().name)
        exercise = "" if match is None else match[1]
        for recording in _repetitions(exercise, frames, scores, None, report, folder, folder):
            yield (
                recording if exercise else replace(recording, id=f"{table.stem}{recording.id[2:]}")
            )


def _find_folders(source: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in [source, *sorted(f for f in source.iterdir() if f.is_dir())]:
        if _file(folder, "Train_X.csv") is None:
            continue
        match = _EXERCISE.search(folder.resolve().name)
        if match is None:
            raise DataError(
                f"{folder}: its name does not say which exercise it holds, expected such as "
                "'Kimore ex5'"
            )
        if match[1] in found:
            raise DataError(f"{folder} and {found[match[1]]} both hold exercise {match[1]}")
        found[match[1]] = folder
    if not found:
        raise DataError(
            f"{source} is no STGCN-rehab release: expected folders such as 'Kimore ex5' with "
            "Train_X.csv and Train_Y.csv, found none"
        )
    return found


def _file(folder: Path, name: str) -> Path | None:
    found = [f for f in folder.iterdir() if f.name.casefold() == name.casefold() and f.is_file()]
    return found[0] if found else None


def _read_exercise(folder: Path, source: Path) -> tuple[Rows, Rows]:
    """Rows of ``Train_X.csv`` and ``Train_Y.csv``, which fit each other."""
    read = []
    for name, width in (("Train_X.csv", JOINTS * 4), ("Train_Y.csv", 1)):
        file = _file(folder, name)
        with faults_in(folder.relative_to(source).joinpath(name).as_posix()):
            if file is None:
                raise FaultError("missing-file", None, "no such file", name)
            read.append(read_rows(file, width))
    frames, scores = read
    wanted = len(scores.values) * FRAMES
    if len(frames.values) != wanted:
        shown = folder.relative_to(source).joinpath("Train_X.csv").as_posix()
        found, line = f"{len(frames.values)} rows", int(frames.lines[-1])
        expected = f"{wanted}: {FRAMES} for each of the {len(scores.values)} scores in Train_Y.csv"
        raise FaultError("unequal-lengths", line, found, expected, shown)
    return frames, scores


def _repetitions(
    exercise: str,
    frames: Rows,
    scores: Rows | None,
    runs: list[Run] | None,
    report: PrepareReport,
    folder: Path,
    source: Path,
) -> Iterator[Recording]:
    data = frames.values.reshape(-1, FRAMES, JOINTS, 4)
    owners = [run for run in runs or [] for _ in range(run.repetitions)]
    for i, repetition in enumerate(data):
        recording = f"Es{exercise}/{i + 1:04d}"
        total = math.nan if scores is None else float(scores.values[i, 0])
        known = 0 <= total <= StgcnRehabAdapter.score_range[1]
        if scores is not None and not known:
            shown = folder.relative_to(source).joinpath("Train_Y.csv").as_posix()
            line = int(scores.lines[i])
            problem = Problem("bad-score", shown, line, f"{total:g}", "a score from 0 to 50")
            report.fault(recording, problem)
        file = folder.relative_to(source).joinpath("Train_X.csv").as_posix()
        first = int(frames.lines[i * FRAMES])
        yield Recording(
            id=recording,
            subject=owners[i].subject if owners else UNKNOWN_SUBJECT,
            group=owners[i].group if owners else "",
            exercise=exercise,
            session=f"{i + 1:04d}",
            layout=StgcnRehabAdapter.layout,
            fps=StgcnRehabAdapter.fps,
            positions=np.ascontiguousarray(repetition[..., :3]),
            tracked=_states(repetition[..., 3]),
            scores={"total": total} if known else {},
            source=f"{file}, from line {first}",
        )


def _scores_beside(folder: Path, repetitions: int, report: PrepareReport) -> Rows | None:
    """The scores of ``Train_Y.csv``, where there is a sound one with one score a repetition."""
    file = _file(folder, "Train_Y.csv")
    if file is None:
        return None
    try:
        with faults_in(str(file)):
            scores = read_rows(file, 1)
            if len(scores.values) != repetitions:
                found, expected = f"{len(scores.values)} scores", f"{repetitions}, one a repetition"
                raise FaultError("unequal-lengths", None, found, expected)
    except FaultError as error:
        report.fault(folder.name, error.problem)
        return None
    return scores


def _states(column: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """Tracking states, None where resampling has blurred them."""
    sound = (column == np.round(column)) & (column >= NOT_TRACKED) & (column <= TRACKED)
    return column.astype(np.uint8) if sound.all() else None


def _runs(file: Path | None, counts: Mapping[str, Any], exercise: str, scores: Rows) -> list[Run]:
    """The people of one exercise in the order of the release, checked against the scores."""
    try:
        runs = _parse_runs(counts, exercise)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"counts={file}: exercise {exercise} cannot be understood ({error!r}); expected "
            "{person: {exercise: repetitions}} with people such as E_ID1"
        ) from None
    total = sum(run.repetitions for run in runs)
    if total != len(scores.values):
        raise DataError(
            f"counts={file}: exercise {exercise} adds up to {total} repetitions, Train_Y.csv has "
            f"{len(scores.values)}"
        )
    start = 0
    for run in runs:
        own = scores.values[start : start + run.repetitions, 0]
        expected = own[0] if run.score is None else np.float32(run.score)
        wrong = np.flatnonzero(np.abs(own - expected) > _SCORE_TOLERANCE)
        if len(wrong):
            line = int(scores.lines[start + int(wrong[0])])
            raise DataError(
                f"counts={file}: {run.subject} has the score {expected:g} in exercise {exercise}, "
                f"but line {line} of Train_Y.csv says {own[wrong[0]]:g}: the list does not fit"
            )
        start += run.repetitions
    return runs


def _parse_runs(counts: Mapping[str, Any], exercise: str) -> list[Run]:
    if f"ex{exercise}" in counts:
        return [
            Run(tuple(run["subjects"]), int(run["reps"]), float(run["score"]))
            for run in counts[f"ex{exercise}"]["runs"]
        ]
    people = {p: int(n[exercise]) for p, n in counts.items() if int(n.get(exercise, 0)) > 0}
    return [Run((p,), people[p]) for p in sorted(people, key=_release_order)]


def _release_order(person: str) -> tuple[int, int]:
    prefix, _, number = person.partition("_ID")
    return ORDER.index(prefix), int(number)

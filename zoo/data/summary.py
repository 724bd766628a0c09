"""What is in a prepared dataset, in numbers."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import SkeletonDataset

BINS = 10


@dataclass(frozen=True)
class ExerciseSummary:
    """One exercise of a dataset.

    Attributes:
        exercise: its id.
        title: what it is.
        recordings: how many there are.
        scored: how many have a total score.
        people: how many people.
        frames: shortest, median and longest recording in frames.
        seconds: median length in seconds.
        score_mean: mean total score, None where nothing is scored.
        score_sd: standard deviation (n - 1) of the total score, None below two scores.
        right: how many are right (1), of a binary target; None of scores.
        histogram: recordings per score bin (`BINS`,); see `score_edges`.
    """

    exercise: str
    title: str
    recordings: int
    scored: int
    people: int
    frames: tuple[int, float, int]
    seconds: float
    score_mean: float | None
    score_sd: float | None
    right: int | None
    histogram: tuple[int, ...]


def score_edges(dataset: SkeletonDataset) -> NDArray[np.float64]:
    """Edges of the score bins (`BINS` + 1,); a bin holds its lower edge, the last one both."""
    return np.linspace(*dataset.score_range, BINS + 1)


def summarise(dataset: SkeletonDataset) -> list[ExerciseSummary]:
    """Every exercise in numbers, in order of their ids."""
    return [_summary(dataset, exercise) for exercise in dataset.exercises]


def people_by_group(dataset: SkeletonDataset) -> dict[str, int]:
    """Number of people in every group, sorted by group."""
    groups = Counter(group for group, _ in {(i.group, i.subject) for i in dataset.index})
    return dict(sorted(groups.items()))


def problems_by_kind(dataset: SkeletonDataset) -> dict[str, tuple[int, int]]:
    """Kind of fault → how many recordings it cost, how many were kept in spite of it."""
    problems: list[dict[str, Any]] = dataset.manifest.get("problems", [])
    recordings: dict[str, tuple[set[str], set[str]]] = {}
    for problem in problems:
        skipped, kept = recordings.setdefault(problem["kind"], (set(), set()))
        (skipped if problem["skipped"] else kept).add(problem["recording"])
    return {kind: (len(s), len(k)) for kind, (s, k) in sorted(recordings.items())}


def _summary(dataset: SkeletonDataset, exercise: str) -> ExerciseSummary:
    infos = [info for info in dataset.index if info.exercise == exercise]
    frames = np.array([info.frames for info in infos])
    scores = np.array([info.scores["total"] for info in infos if info.scored])
    return ExerciseSummary(
        exercise=exercise,
        title=dataset.exercise_titles.get(exercise, ""),
        recordings=len(infos),
        scored=len(scores),
        people=len({info.subject for info in infos}),
        frames=(int(frames.min()), float(np.median(frames)), int(frames.max())),
        seconds=float(np.median([info.frames / info.fps for info in infos])),
        score_mean=float(scores.mean()) if len(scores) else None,
        score_sd=float(scores.std(ddof=1)) if len(scores) > 1 else None,
        right=int((scores == 1).sum()) if dataset.binary else None,
        histogram=tuple(int(n) for n in np.histogram(scores, score_edges(dataset))[0]),
    )

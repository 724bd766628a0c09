"""The score so far: what a model would say had the recording ended there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.data.recording import Recording
from zoo.errors import DataError
from zoo.evaluation.aggregate import aggregate
from zoo.prediction import Predictor
from zoo.runs.scores import shortest

MOST = 40
"""Beginnings of a recording that are scored at most."""

_FIRST_SECONDS = 2.0
_EVERY_SECONDS = 0.5
_AT_ONCE = 8


@dataclass(frozen=True)
class SoFar:
    """Scores of ever longer beginnings of one recording.

    Attributes:
        seconds: where each beginning ends, from the first frame; the last is the whole.
        scores: in score units, one each.
        why_not: why there are none, in a sentence; empty where there are.
    """

    seconds: tuple[float, ...]
    scores: tuple[float, ...]
    why_not: str = ""


def scores_so_far(predictor: Predictor, recording: Recording) -> SoFar:
    """Score beginnings of a recording, each anew and as if it were all there is.

    Nothing is kept from one to the next: a model that stretches what it sees to a fixed number of
    frames sees half an exercise as a slow whole one. It is what a model says, not a course of the
    movement's quality.

    Args:
        predictor: the model of a finished run.
        recording: in the model's layout, as `Predictor.looked` gives it.
    """
    fps, frames = recording.fps, recording.num_frames
    first = min(frames, max(2, round(_FIRST_SECONDS * fps)))
    count = max(1, min(MOST, round((frames - first) / (_EVERY_SECONDS * fps)) + 1))
    stops = sorted({int(stop) for stop in np.linspace(first, frames, count).round()} | {frames})
    scores: list[float] = []
    try:
        for at in range(0, len(stops), _AT_ONCE):
            scores.extend(_scores(predictor, recording, stops[at : at + _AT_ONCE]))
    except DataError as error:
        return SoFar((), (), f"Beginnings of this recording cannot be scored: {error}.")
    return SoFar(tuple(stop / fps for stop in stops), tuple(scores))


def _scores(predictor: Predictor, recording: Recording, stops: list[int]) -> Iterator[float]:
    begun = [_beginning(recording, stop) for stop in stops]
    trained = predictor.trained
    samples = predictor.protocol.samples(begun, trained.streams, scored=False, feed=trained.feed)
    raw = shortest(trained.score(samples.batch()).numpy())
    yield from aggregate(samples.recording, raw, predictor.how).tolist()


def _beginning(recording: Recording, stop: int) -> Recording:
    """The first `stop` frames, under an id of their own."""
    names = ("positions", "orientations", "angles", "tracked", "timestamps")
    arrays = {name: getattr(recording, name) for name in names}
    cut: dict[str, Any] = {
        name: None if values is None else values[:stop] for name, values in arrays.items()
    }
    return replace(recording, id=f"{recording.id} to {stop}", **cut)

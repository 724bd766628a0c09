"""How far the healthy people of a run's training go: quantiles, and nobody's own numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.dataset import SkeletonDataset
from zoo.data.recording import Recording
from zoo.errors import UserError
from zoo.prediction import Predictor
from zoo.skeleton import load_layout
from zoo.viewer.measures import Extent, exercise_frames, extent, measures_of, mended

FEWEST = 10
"""People of whom quantiles are shown at least; those of fewer would show single ones."""

QUANTILES = (0.1, 0.5, 0.9)
"""Eight of ten healthy people are between the first and the last."""

Band = tuple[float, float, float]
"""Values at `QUANTILES`."""


@dataclass(frozen=True)
class Reach:
    """How far healthy people go in one measure, each person counted once.

    Attributes:
        low: their smallest values, both sides together.
        high: their largest values, likewise.
        range: from the smallest to the largest.
        asymmetry: range of the left side less that of the right; None of what has no sides.
    """

    low: Band
    high: Band
    range: Band
    asymmetry: Band | None


@dataclass(frozen=True)
class Healthy:
    """The healthy people among those a model was trained on.

    Attributes:
        people: how many.
        reach: by the title of a measure; empty where there are none to show.
        why_not: why there are none, in a sentence; empty where there are.
    """

    people: int
    reach: Mapping[str, Reach]
    why_not: str = ""


def healthy_reach(predictor: Predictor, exercise: str) -> Healthy:
    """What the healthy people do whom the run was trained on.

    Args:
        predictor: the model of a finished run.
        exercise: whose recordings are looked at; empty takes the run's.
    """
    record = predictor.run.record
    try:
        dataset = predictor.own_dataset()
    except UserError:
        return _none(
            f"{record.dataset.title or record.dataset.name}, on which the model was trained, is "
            "not prepared here"
        )
    if not dataset.healthy:
        return _none(f"{dataset.title} does not say which of its people are healthy")
    train = set(predictor.run.split["train"]["persons"])
    if not train:
        return _none("the bundle of the model does not say whom it was trained on")
    wanted = exercise or str(record.dataset.params.get("exercise") or "")
    by_person: dict[str, list[dict[str, Extent]]] = {}
    for recording in _recordings(dataset, train, wanted):
        by_person.setdefault(recording.subject, []).append(_extents(recording, dataset.metric))
    if len(by_person) < FEWEST:
        return _none(
            f"of the people the model was trained on, {len(by_person)} healthy ones do this "
            f"exercise; fewer than {FEWEST} are not shown, for they could be told apart",
            len(by_person),
        )
    people = [_of_person(found) for found in by_person.values()]
    titles = [title for title in people[0] if all(title in person for person in people)]
    return Healthy(len(people), {title: _reach([p[title] for p in people]) for title in titles})


def _none(why: str, people: int = 0) -> Healthy:
    return Healthy(people, {}, f"There are no healthy people to compare with: {why}.")


def _recordings(dataset: SkeletonDataset, people: set[str], exercise: str) -> list[Recording]:
    """The healthy people's recordings of one exercise; of right or wrong ones the right."""
    return [
        dataset[i]
        for i, info in enumerate(dataset.index)
        if info.subject in people
        and info.group in dataset.healthy
        and exercise in ("", info.exercise)
        and "positions" in info.arrays
        and not (dataset.binary and info.scores.get("total") != 1)
    ]


def _extents(recording: Recording, metric: bool) -> dict[str, Extent]:
    frames, _ = exercise_frames(recording)
    layout = load_layout(recording.layout)
    found = measures_of(mended(recording), layout, metric=metric)
    return {measure.title: extent(measure, frames) for measure in found}


def _of_person(recordings: Sequence[Mapping[str, Extent]]) -> dict[str, Extent]:
    """The mean over a person's recordings."""
    return {
        title: Extent(
            tuple(np.mean([r[title].low for r in recordings], axis=0).tolist()),
            tuple(np.mean([r[title].high for r in recordings], axis=0).tolist()),
        )
        for title in recordings[0]
    }


def _reach(people: Sequence[Extent]) -> Reach:
    apart = [e.asymmetry for e in people if e.asymmetry is not None]
    return Reach(
        low=_band([float(np.mean(e.low)) for e in people]),
        high=_band([float(np.mean(e.high)) for e in people]),
        range=_band([float(np.mean(e.ranges)) for e in people]),
        asymmetry=_band(apart) if apart else None,
    )


def _band(values: Sequence[float]) -> Band:
    """Rounded, so that no single person's number can be read from it."""
    low, middle, high = np.quantile(values, QUANTILES).round().tolist()
    return low, middle, high

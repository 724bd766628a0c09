"""Scores that also rest on the same person's other exercises.

With d the distance of a score from the mean training score of its exercise and fold, in points, and
m the mean of d over the person's other exercises as the same model scores them:

    score' = score + w · (m − d)

Whoever is tested is tested by runs that never saw them, in every exercise. The weight w is fixed
beforehand. It is not fitted on validation people: their other exercises are scored by runs that may
have been trained on the very people who are tested here, since each exercise has folds of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

import numpy as np

from zoo.errors import DataError
from zoo.runs.identity import Identity
from zoo.runs.run import Run
from zoo.runs.scores import UNKNOWN_PEOPLE, Scores, shortest

_SCORED = ("validation", "test")


def context_of(run: Run, entry: Sequence[Run]) -> list[Run]:
    """Those of an entry's runs that test people of `run`, with its seed, in other exercises.

    Args:
        run: one of them.
        entry: all runs of a model with one choice of settings.
    """
    people = set(run.scores.who)
    return [
        other
        for other in entry
        if other.exercise != run.exercise
        and other.seed == run.seed
        and not people.isdisjoint(other.test_scores.who)
    ]


def drawn(run: Run, others: Sequence[Run], weight: float) -> Scores:
    """The scores of `run`, each drawn by `weight` towards the person's other exercises.

    A person who did no other exercise keeps the score. Every other exercise counts alike.

    Args:
        run: of one exercise.
        others: of the other exercises, see `context_of`.
        weight: above 0 and below 1.

    Raises:
        DataError: the weight is none, or one of the runs may have seen a person whom it scores.
    """
    if not 0 < weight < 1:
        raise DataError(
            f"the weight of the person's other exercises is {weight!r}, expected a number above 0 "
            "and below 1"
        )
    for one in (run, *others):
        _require_honest(one)
    elsewhere = _elsewhere(others)
    table, mean, how = run.scores, run.record.baseline_score, run.record.protocol.aggregate
    moved: dict[str, float] = {}
    for part in _SCORED:
        whole = table.of(part).per_recording("mean" if how == "none" else how)
        for recording, person, score in zip(
            whole.recording, whole.who, whole.predicted.tolist(), strict=True
        ):
            there = elsewhere.get(person, {})
            towards = fmean(there.values()) if there else score - mean
            moved[recording] = weight * (towards - (score - mean))
    by = np.array([moved[recording] for recording in table.recording])
    return table.with_predicted(shortest(table.predicted + by))


def context_faults(run: Run, own: Run, others: Sequence[Run]) -> Iterator[str]:
    """What contradicts that the scores of `run` are those of `own`, drawn towards `others`."""
    context = run.record.context
    if context is None:
        return
    if run.record.model.params.get("draw") != context.weight:
        yield "its weight is not the one of its settings"
    if {Identity.of(other) for other in others} - {Identity.of(own)}:
        yield "its person's other exercises are not scored by the same model and settings"
    try:
        again = drawn(own, others, context.weight)
        if run.scores.names != again.names or not np.allclose(
            again.predicted, run.scores.predicted, rtol=1e-6, atol=1e-6
        ):
            yield "its scores are not those of its runs, drawn by its weight: make it anew"
    except DataError as error:
        yield f"it cannot be made of its runs: {error}"


def _elsewhere(runs: Sequence[Run]) -> dict[str, Mapping[str, float]]:
    """By person, then exercise: how far above the mean training score they were scored."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for person, score in zip(run.tested.who, run.tested.predicted.tolist(), strict=True):
            found[person][run.exercise].append(score - run.record.baseline_score)
    return {
        person: {exercise: fmean(values) for exercise, values in exercises.items()}
        for person, exercises in found.items()
    }


def _require_honest(run: Run) -> None:
    """Nothing, if nobody whom the run tests had a part in its training.

    Raises:
        DataError: somebody may have had.
    """
    if run.leaky:
        raise DataError(
            f"{run.path} follows a protocol that leaks ({run.record.protocol.name}): what it says "
            "of a person may come from having seen them"
        )
    if not set(UNKNOWN_PEOPLE).isdisjoint(run.scores.person):
        raise DataError(f"{run.path} does not know who performs, so no other recordings of theirs")
    split = run.split
    known = {*split["train"]["persons"], *split["validation"]["persons"]}
    seen = sorted(known.intersection(run.test_scores.person))
    if seen:
        raise DataError(
            f"{run.path} tests {seen[0]}, who stands in its training or validation part as well"
        )

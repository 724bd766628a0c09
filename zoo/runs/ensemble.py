"""Runs of several models combined: weights, the weighted scores, and whether a run still is that.

An ensemble is a run folder like any other. Its ``run.json`` names its members with the hash of
each one's key and its weight; whoever has the members can combine them anew.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from zoo.errors import DataError
from zoo.runs.identity import Identity
from zoo.runs.run import Run, incomparable
from zoo.runs.scores import Scores, shortest

COMBINATIONS = ("mean", "fitted")
"""All entries alike and their seeds alike, or weights fitted on the validation people."""

_SLACK = 1e-6


def require_combinable(runs: Sequence[Run]) -> None:
    """Refuse runs that were not tested on the same samples of the same data.

    Raises:
        DataError: there are fewer than two, one stands twice, or two differ; the message says in
            what.
    """
    if len(runs) < 2:
        raise DataError("an ensemble has at least two members")
    first = runs[0]
    for run in runs[1:]:
        if run.record.sees != "recording" or first.record.sees != "recording":
            raise DataError(
                f"{(run if run.record.context else first).path} has seen other recordings of each "
                "person already: combine first, then let the ensemble see them"
            )
        reasons = incomparable(first.record, run.record)
        folds = first.fold, run.fold
        if folds[0] != folds[1]:
            reasons.append("they are of different folds: {} and {}".format(*folds))
        if reasons:
            raise DataError(f"{first.path} and {run.path} cannot be combined: {'; '.join(reasons)}")
        _aligned(first, run)
    hashes = [run.record.key_hash for run in runs]
    for place, digest in enumerate(hashes):
        if digest in hashes[:place]:
            raise DataError(f"{runs[place].path} stands twice among the members")


def weights_of(runs: Sequence[Run], how: str) -> NDArray[np.float64]:
    """A weight (M,) for each of M runs, not negative, summing to one.

    ``mean`` weighs every entry (model and settings) alike, and within it every seed.
    ``fitted`` weights have the least squared error on the validation recordings, among all weights
    of that kind: with A (R, M) the runs' errors, the least of ‖Aw‖² on the simplex. It is found by
    one non-negative least-squares problem, A and a row c·1ᵀ against zeros and c: of x = s·w the
    best s leaves c²‖Aw‖² / (‖Aw‖² + c²), which grows with ‖Aw‖, so x / Σx is the w looked for.

    Args:
        runs: M runs of one fold.
        how: one of `COMBINATIONS`.

    Raises:
        DataError: there are no validation people to fit on.
    """
    if how == "mean":
        entries = [Identity.of(run) for run in runs]
        seeds = Counter(entries)
        return np.array([1 / (len(seeds) * seeds[entry]) for entry in entries])
    errors = _validation_errors(runs)
    scale = float(np.sqrt(np.mean(np.square(errors)))) or 1.0
    system = np.vstack([errors / scale, np.ones(len(runs))])
    found, _ = nnls(system, np.append(np.zeros(len(errors)), 1.0))
    return np.asarray(found / found.sum())


def combined(runs: Sequence[Run], weights: Sequence[float]) -> Scores:
    """The samples of the first of M runs with the weighted mean of all runs' scores.

    Raises:
        DataError: the runs have not the same samples.
    """
    scores = [_aligned(runs[0], run) for run in runs]
    return runs[0].scores.with_predicted(shortest(np.asarray(weights) @ np.stack(scores)))


def ensemble_faults(run: Run, members: Sequence[Run]) -> Iterator[str]:
    """What contradicts that `run` is the combination of its `members`, in words."""
    named = run.record.members
    weights = np.array([member.weight for member in named])
    if (weights < 0).any() or abs(weights.sum() - 1) > _SLACK:
        yield "the weights of its members are negative or do not sum to one"
    try:
        again = combined([run, *members], [0.0, *weights])
        if not np.allclose(again.predicted, run.scores.predicted, rtol=1e-6, atol=1e-6):
            yield "its predictions are not those of its members combined: make it anew"
        how = run.record.model.params["combine"]
        best = weights_of(members, how)
        if how == "mean":
            fits = np.allclose(weights, best)
        else:
            errors = _validation_errors(members)
            least, here = (float(np.sum(np.square(errors @ w))) for w in (best, weights))
            fits = here <= least * (1 + _SLACK) + _SLACK
        if not fits:
            yield f"its weights are not those that {how!r} gives its members"
    except DataError as error:
        yield f"its members cannot be combined: {error}"


def _validation_errors(runs: Sequence[Run]) -> NDArray[np.float64]:
    """Errors (R, M) of M runs on R validation recordings, in score units."""
    how = runs[0].record.protocol.aggregate
    table = runs[0].scores
    columns = []
    for run in runs:
        part = table.with_predicted(_aligned(runs[0], run)).of("validation")
        if not len(part):
            raise DataError(
                f"{run.path} has no validation people to fit weights on: take their mean"
            )
        whole = part.per_recording(how)
        columns.append(whole.predicted - whole.true)
    return np.stack(columns, axis=1)


def _aligned(first: Run, run: Run) -> NDArray[np.float64]:
    """The scores (S,) of `run` in the order of the first run's samples.

    Raises:
        DataError: other samples, or other true scores.
    """
    wanted, there = first.scores, run.scores
    rows = {name: at for at, name in enumerate(there.names)}
    at = [rows.get(name, -1) for name in wanted.names]
    if -1 in at or len(there) != len(wanted):
        raise DataError(f"{first.path} and {run.path} have predictions of different samples")
    if not np.array_equal(there.true[at], wanted.true):
        raise DataError(
            f"{first.path} and {run.path} have different true scores: `zoo leaderboard check` "
            "says more"
        )
    return there.predicted[at]

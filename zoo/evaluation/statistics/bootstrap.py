"""Intervals of metrics, their differences and ranks by bootstrap over persons.

What varies from study to study is who came, so persons are drawn with replacement and each brings
all their rows, in every exercise and with every seed. Drawing rows instead would take a person's
five exercises for five independent witnesses.

All models are computed on the same draws. Differences between models and their ranks are therefore
free of what a draw does to all of them alike, such as holding many persons who are hard to score.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError, DataError
from zoo.evaluation.statistics.intervals import (
    RESAMPLES,
    Interval,
    Replicates,
    bca,
    person_weights,
)
from zoo.evaluation.statistics.tables import (
    BOARD_METRICS,
    HIGHER_IS_BETTER,
    Array,
    Table,
    check_tables,
)

_CHUNK = 1 << 16
"""Rows times draws that are ranked at a time, so that they stay in a core's cache."""


class RankInterval(NamedTuple):
    """A model's place among others; 1 is best.

    Attributes:
        rank: its place by the metric.
        low: best place within the interval.
        high: worst place within the interval.
        best: share of the draws in which it is the best, divided where several are.
    """

    rank: int
    low: int
    high: int
    best: float


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Metrics of several models on the same draws of persons; made by `bootstrap`.

    Attributes:
        models: names of the M models.
        exercises: names of the E exercises, sorted.
        persons: number of persons P.
        confidence: probability the intervals are made for.
        replicates: by metric, of every model and exercise (M, E, ...).
    """

    models: tuple[str, ...]
    exercises: tuple[str, ...]
    persons: int
    confidence: float
    replicates: Mapping[str, Replicates] = field(repr=False)

    def interval(self, model: str, metric: str, exercise: str | None = None) -> Interval:
        """A model's metric with its interval.

        Args:
            model: name of the model.
            metric: one of the metrics the bootstrap was made for.
            exercise: name of an exercise; by default the mean over all of them.
        """
        return bca(self._of(model, metric, exercise), self.confidence)

    def difference(
        self, a: str, b: str, metric: str = "mad", exercise: str | None = None
    ) -> Interval:
        """Metric of `a` minus that of `b`, both on the same draws."""
        pairs = zip(self._of(a, metric, exercise), self._of(b, metric, exercise), strict=True)
        return bca(Replicates(*(x - y for x, y in pairs)), self.confidence)

    def improvement(
        self, model: str, reference: str, metric: str = "mad", exercise: str | None = None
    ) -> Interval:
        """By how many percent of the reference's error the model's is lower; negative if higher."""
        x, y = self._of(model, metric, exercise), self._of(reference, metric, exercise)
        with np.errstate(divide="ignore", invalid="ignore"):
            percent = Replicates(*(100 * (1 - a / b) for a, b in zip(x, y, strict=True)))
        return bca(percent, self.confidence)

    def ranks(self, metric: str = "mad", exercise: str | None = None) -> dict[str, RankInterval]:
        """Each model's place, with the percentile interval of its place over the draws.

        Models with equal values share the better place; those whose metric is undefined are left
        out, and so are draws in which that of another is.
        """
        figures = {model: self._of(model, metric, exercise) for model in self.models}
        known = {model: f for model, f in figures.items() if not np.isnan(f.value)}
        draws = np.array([f.draws for f in known.values()])
        draws = draws[..., ~np.isnan(draws).any(axis=0)]
        if not draws.size:
            return {}
        rank = _places(np.array([[f.value] for f in known.values()]), metric)[:, 0]
        places = _places(draws, metric)
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(places, [tail, 1 - tail], axis=1, method="inverted_cdf")
        first = places == 1
        best = (first / first.sum(axis=0)).mean(axis=1)
        return {
            model: RankInterval(int(rank[i]), int(low[i]), int(high[i]), float(best[i]))
            for i, model in enumerate(known)
        }

    def _of(self, model: str, metric: str, exercise: str | None) -> Replicates:
        for what, name, known in (
            ("model", model, self.models),
            ("metric", metric, self.replicates),
            ("exercise", exercise, (None, *self.exercises)),
        ):
            if name not in known:
                raise ConfigError(f"the bootstrap was made without {what} {name!r}")
        parts = [part[self.models.index(model)] for part in self.replicates[metric]]
        if exercise is None:
            return Replicates(*(part.mean(axis=0) for part in parts))
        return Replicates(*(part[self.exercises.index(exercise)] for part in parts))


def bootstrap(
    models: Mapping[str, Sequence[Table]],
    metrics: Sequence[str] = tuple(BOARD_METRICS),
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Bootstrap:
    """Metrics of several models on the same draws of persons.

    A draw gives every person a number of times it was drawn, which is the weight of the person's
    rows in every metric: by exercise and seed, then averaged over seeds, then over exercises.
    Intervals are BCa (`bca`).

    The draws depend on the sorted ids of the persons, `resamples` and `seed` alone.

    Args:
        models: by name, each model's tables of all exercises and seeds.
        metrics: names from `BOARD_METRICS`.
        confidence: probability of the intervals, between 0 and 1.
        resamples: number of draws R.
        seed: seed of the draws.

    Raises:
        ConfigError: an unknown metric, or numbers out of range.
        DataError: no models, or models that cannot be compared (`check_tables`).
    """
    unknown = [metric for metric in metrics if metric not in BOARD_METRICS]
    if unknown:
        raise ConfigError(
            f"no intervals are made for {unknown[0]!r}, only for {', '.join(BOARD_METRICS)}"
        )
    if not 0 < confidence < 1 or resamples < 1:
        raise ConfigError(
            f"a bootstrap of {resamples} resamples at confidence {confidence}: expected at least "
            "one, and a number between 0 and 1"
        )
    if not models:
        raise DataError("there is no model to compute intervals for")
    check_tables(models)
    ids = sorted({person for tables in models.values() for t in tables for person in t.person})
    index = {person: i for i, person in enumerate(ids)}
    exercises = sorted({table.exercise for tables in models.values() for table in tables})
    weights = np.hstack([person_weights(len(ids), resamples, seed), 1 - np.eye(len(ids))])
    shape = (len(models), len(exercises))
    replicates = {
        metric: Replicates(
            np.empty(shape), np.empty((*shape, resamples)), np.empty((*shape, len(ids)))
        )
        for metric in metrics
    }
    for e, exercise in enumerate(exercises):
        owner, tables = zip(
            *(
                (m, table)
                for m, every in enumerate(models.values())
                for table in every
                if table.exercise == exercise
            ),
            strict=True,
        )
        rows = [
            _Rows(np.array([index[person] for person in t.person]), t.true, t.predicted)
            for t in tables
        ]
        for metric, figure in replicates.items():
            values = np.array([table.value(metric) for table in tables])
            weighted = _weighted(rows, metric, weights)
            for m in range(len(models)):
                mine = [i for i, of in enumerate(owner) if of == m]
                figure.value[m, e] = values[mine].mean()
                mean = weighted[mine].mean(axis=0)
                figure.draws[m, e], figure.jackknife[m, e] = mean[:resamples], mean[resamples:]
    return Bootstrap(tuple(models), tuple(exercises), len(ids), confidence, replicates)


def person_bootstrap(
    tables: Sequence[Table],
    metric: str,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """One model's metric, averaged over seeds and exercises, with its interval; see `bootstrap`."""
    drawn = bootstrap(
        {"model": tables}, [metric], confidence=confidence, resamples=resamples, seed=seed
    )
    return drawn.interval("model", metric)


class _Rows(NamedTuple):
    """A table's rows, persons by number."""

    person: NDArray[np.int64]
    true: Array
    predicted: Array


def _weighted(rows: Sequence[_Rows], metric: str, weights: Array) -> Array:
    """A metric of each table under each weighting of the persons (tables, R)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric == "spearman":
            return _spearman(rows, weights)
        total, count = np.array([_errors(r, metric, len(weights)) for r in rows]).swapaxes(0, 1)
        means = np.asarray((total @ weights) / (count @ weights))
        return np.sqrt(means) if metric == "rmse" else means


def _errors(rows: _Rows, metric: str, persons: int) -> Array:
    """Of each person the sum of what a metric takes from rows, and of how many rows (2, P)."""
    errors = np.abs(rows.true - rows.predicted)
    known = np.ones(len(errors), dtype=bool)
    if metric == "rmse":
        errors **= 2
    elif metric == "mape":
        known = rows.true != 0
        errors = 100 * errors / np.abs(rows.true)
    total = np.bincount(rows.person[known], errors[known], minlength=persons)
    return np.stack([total, np.bincount(rows.person[known], minlength=persons)])


def _spearman(rows: Sequence[_Rows], weights: Array) -> Array:
    """Spearman's correlation of each table under each weighting of the persons (tables, R).

    Once rows are in the order of their values, a weighting needs no sorting: a rank is a running
    sum of weights. Twice the ranks are whole numbers, so all sums of them here are exact. What
    persons and true scores decide is computed once for all tables that share them.
    """
    out = np.empty((len(rows), weights.shape[1]))
    alike: dict[bytes, list[int]] = defaultdict(list)
    for i, r in enumerate(rows):
        alike[r.person.tobytes() + r.true.tobytes()].append(i)
    for same in alike.values():
        person, true, _ = rows[same[0]]
        truth = _Ties.of(true)
        ties = [_Ties.of(rows[i].predicted) for i in same]
        step = max(1, _CHUNK // len(person))
        for start in range(0, weights.shape[1], step):
            weight = weights[person, start : start + step]
            total = weight.sum(axis=0)
            y, yy = truth.ranks(truth.sum(weight), total)
            by_row = np.empty_like(weight)
            by_row[truth.order] = np.repeat(y, truth.sizes, axis=0)
            by_row *= weight
            for i, tie in zip(same, ties, strict=True):
                x, xx = tie.ranks(tie.sum(weight), total)
                x *= tie.sum(by_row)
                out[i, start : start + step] = x.sum(axis=0) / np.sqrt(xx * yy)
    return out


class _Ties(NamedTuple):
    """Rows in the order of their values, those of equal value together.

    Attributes:
        order: the rows (N,).
        starts: where each of the G values begins in `order` (G,).
        sizes: number of rows of each value (G,).
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, values: Array) -> "_Ties":
        order = np.argsort(values, kind="stable")
        starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
        return cls(order, starts, np.diff(starts, append=len(values)))

    def sum(self, rows: Array) -> Array:
        """Sums over the rows of each value (N, R) → (G, R)."""
        ordered = rows[self.order]
        return np.add.reduceat(ordered, self.starts) if len(self.starts) < len(rows) else ordered

    @staticmethod
    def ranks(weight: Array, total: Array) -> tuple[Array, Array]:
        """Twice the mid-rank of each value (G, R), less the mean, and the sum of its squares (R,).

        Args:
            weight: how often each value is there (G, R).
            total: the sum of that over all values (R,).
        """
        ranks = np.cumsum(weight, axis=0)
        ranks *= 2
        ranks -= weight
        ranks -= total
        return ranks, (total * total * total - (weight * weight * weight).sum(axis=0)) / 3


def _places(values: Array, metric: str) -> NDArray[np.int64]:
    """Places of M models in each of R draws (M, R); those with equal values share the better one.

    Values are rounded first: the same numbers added up in another order are no better or worse.
    """
    signed = np.round(-values if metric in HIGHER_IS_BETTER else values, 9)
    return np.array([1 + (signed < mine).sum(axis=0) for mine in signed])

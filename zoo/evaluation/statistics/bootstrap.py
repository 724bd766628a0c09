"""Intervals of metrics, their differences and ranks by bootstrap over persons.

What varies from study to study is who came, so persons are drawn with replacement and each brings
all their rows, in every exercise and with every seed. Drawing rows instead would take a person's
five exercises for five independent witnesses.

All models are computed on the same draws. Differences between models and their ranks are therefore
free of what a draw does to all of them alike, such as holding many persons who are hard to score.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from zoo.errors import ConfigError, DataError
from zoo.evaluation.metrics import Array, Rows, board_metrics, load_metric
from zoo.evaluation.statistics.tables import Table, check_tables

RESAMPLES = 2000
"""Draws of persons behind every interval."""


class Interval(NamedTuple):
    """A value and its confidence interval; NaN where undefined."""

    value: float
    low: float
    high: float


class Replicates(NamedTuple):
    """A figure of one model, or figures of several along the leading axes.

    Attributes:
        value: on all persons (...).
        draws: on each of R draws of persons (..., R); NaN where undefined.
        jackknife: without each of P persons (..., P).
    """

    value: Array
    draws: Array
    jackknife: Array


class RankInterval(NamedTuple):
    """A model's place among others; 1 is best.

    Attributes:
        rank: its place by the metric.
        low: best place within the interval.
        high: worst place within the interval.
    """

    rank: int
    low: int
    high: int


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

    def difference(self, a: str, b: str, metric: str = "mad") -> Interval:
        """Metric of `a` minus that of `b`, over all exercises, both on the same draws."""
        pairs = zip(self._of(a, metric, None), self._of(b, metric, None), strict=True)
        return bca(Replicates(*(x - y for x, y in pairs)), self.confidence)

    def improvement(
        self, model: str, reference: str, metric: str = "mad", exercise: str | None = None
    ) -> Interval:
        """By how many percent of the reference's error the model's is lower; negative if higher."""
        x, y = self._of(model, metric, exercise), self._of(reference, metric, exercise)
        with np.errstate(divide="ignore", invalid="ignore"):
            percent = Replicates(*(100 * (1 - a / b) for a, b in zip(x, y, strict=True)))
        return bca(percent, self.confidence)

    def ranks(
        self,
        metric: str = "mad",
        exercise: str | None = None,
        *,
        among: Iterable[str] | None = None,
    ) -> dict[str, RankInterval]:
        """Each model's place, with the percentile interval of its place over the draws.

        Models with equal values share the better place; those whose metric is undefined are left
        out, and so are draws in which that of another is.

        Args:
            metric: one of the metrics the bootstrap was made for.
            exercise: name of an exercise; by default the mean over all of them.
            among: the models that have places; all if None.
        """
        placed = self.models if among is None else among
        figures = {model: self._of(model, metric, exercise) for model in placed}
        known = {model: f for model, f in figures.items() if not np.isnan(f.value)}
        draws = np.array([f.draws for f in known.values()])
        draws = draws[..., ~np.isnan(draws).any(axis=0)]
        if not draws.size:
            return {}
        rank = _places(np.array([[f.value] for f in known.values()]), metric)[:, 0]
        places = _places(draws, metric)
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(places, [tail, 1 - tail], axis=1, method="inverted_cdf")
        return {
            model: RankInterval(int(rank[i]), int(low[i]), int(high[i]))
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
    metrics: Sequence[str] | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Bootstrap:
    """Metrics of several models on the same draws of persons.

    A draw gives every person a number of times it was drawn, which is the weight of the person's
    rows in every metric (`Metric.weighted`): by exercise and seed, then averaged over seeds, then
    over exercises. Intervals are BCa (`bca`).

    The draws depend on the sorted ids of the persons, `resamples` and `seed` alone.

    Args:
        models: by name, each model's tables of all exercises and seeds.
        metrics: names of `board_metrics`, of whichever kind of target; all of those of scores if
            None.
        confidence: probability of the intervals, between 0 and 1.
        resamples: number of draws R.
        seed: seed of the draws.

    Raises:
        ConfigError: an unknown metric, or numbers out of range.
        DataError: no models, or models that cannot be compared (`check_tables`).
    """
    known = board_metrics() | board_metrics(binary=True)
    metrics = list(board_metrics()) if metrics is None else metrics
    unknown = [metric for metric in metrics if metric not in known]
    if unknown:
        raise ConfigError(f"no intervals are made for {unknown[0]!r}, only for {', '.join(known)}")
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
            Rows(np.array([index[person] for person in t.person]), t.true, t.predicted)
            for t in tables
        ]
        for metric, figure in replicates.items():
            values = np.array([table.value(metric) for table in tables])
            weighted = known[metric].weighted(rows, weights)
            if known[metric].ranks:
                weighted[[table.unordered for table in tables]] = known[metric].unordered
            for m in range(len(models)):
                mine = [i for i, of in enumerate(owner) if of == m]
                figure.value[m, e] = values[mine].mean()
                mean = weighted[mine].mean(axis=0)
                figure.draws[m, e], figure.jackknife[m, e] = mean[:resamples], mean[resamples:]
    return Bootstrap(tuple(models), tuple(exercises), len(ids), confidence, replicates)


def _places(values: Array, metric: str) -> NDArray[np.int64]:
    """Places of M models in each of R draws (M, R); those with equal values share the better one.

    Values are rounded first: the same numbers added up in another order are no better or worse.
    """
    more = load_metric(metric).higher_is_better
    signed = np.round(-values if more else values, 9)
    return np.array([1 + (signed < mine).sum(axis=0) for mine in signed])


@lru_cache(maxsize=4)
def person_weights(persons: int, resamples: int, seed: int) -> Array:
    """How often each of P persons is in each of R draws of P with replacement (P, R).

    Made from the raw output of PCG64, which NumPy promises never to change.
    """
    raw = np.random.PCG64(seed).random_raw(persons * resamples)
    drawn = ((raw >> np.uint64(11)) * 2.0**-53 * persons).astype(np.int64)
    cell = drawn * resamples + np.tile(np.arange(resamples), persons)
    counts = np.bincount(cell, minlength=persons * resamples)
    weights = counts.reshape(persons, resamples).astype(np.float64)
    weights.flags.writeable = False  # the same array is given to everybody who asks
    return weights


def bca(figure: Replicates, confidence: float) -> Interval:
    """Bias-corrected and accelerated percentile interval (Efron & Tibshirani 1993, §14.3), widened.

    Percentiles are too narrow for few persons. As Hesterberg proposes (The American Statistician
    69, 2015, doi 10.1080/00031305.2015.1089789), the normal quantiles behind them are replaced by
    those of Student's t with P − 1 degrees of freedom, times √(P / (P − 1)). docs/statistics.md has
    the coverage with and without.

    Draws in which the figure is undefined are left out; where they are half of all or more, or
    there are fewer than two persons, there is no interval.
    """
    value = float(figure.value)
    draws = figure.draws[np.isfinite(figure.draws)]
    if len(figure.jackknife) < 2 or np.isnan(value) or 2 * len(draws) <= len(figure.draws):
        return Interval(value, float("nan"), float("nan"))
    rounding = 1e-9 * max(1.0, abs(value))  # sums differ by it from processor to processor
    if np.ptp(draws) <= rounding:
        return Interval(value, value, value)
    above = draws - value
    share = ((above < -rounding).sum() + 0.5 * (abs(above) <= rounding).sum()) / len(draws)
    bias = ndtri(np.clip(share, 1 / len(draws), 1 - 1 / len(draws)))
    without = figure.jackknife[np.isfinite(figure.jackknife)]
    pull = without.mean() - without if len(without) else np.zeros(1)
    spread = (pull**2).sum()
    acceleration = (pull**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
    persons = len(figure.jackknife)
    quantile = stdtrit(persons - 1, (1 + confidence) / 2) * np.sqrt(persons / (persons - 1))
    tails = bias + np.array([-quantile, quantile])
    low, high = np.quantile(draws, ndtr(bias + tails / (1 - acceleration * tails)))
    return Interval(value, float(low), float(high))

"""Test scores of several runs as one of the tables that statistics are made from."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from zoo.evaluation.statistics.tables import Table
from zoo.runs.run import Run


def pooled_tables(runs: Iterable[Run], *, baseline: bool = False) -> list[Table]:
    """A `pooled_table` for every exercise and seed, in the order of the runs."""
    parts: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        parts[run.exercise, run.seed].append(run)
    return [pooled_table(part, baseline=baseline) for part in parts.values()]


def pooled_table(runs: Sequence[Run], *, baseline: bool = False) -> Table:
    """Everybody's test scores in one exercise with one seed, each by the model of their own fold.

    Args:
        runs: of one exercise and seed, one run a fold.
        baseline: the mean training score of each fold instead of the model's scores.

    Raises:
        DataError: a recording has two true scores within one fold.
    """
    rows = [run.tested for run in runs]
    scores = [
        np.full_like(r.true, run.record.baseline_score) if baseline else r.predicted
        for r, run in zip(rows, runs, strict=True)
    ]
    return Table(
        exercise=runs[0].exercise,
        seed=runs[0].seed,
        person=[person for r in rows for person in r.who],
        true=np.concatenate([r.true for r in rows]),
        predicted=np.concatenate(scores),
        fold=[run.fold for r, run in zip(rows, runs, strict=True) for _ in r.who],
        group=[group for r in rows for group in r.group],
    )

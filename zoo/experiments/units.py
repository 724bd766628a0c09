"""What unit a paper's errors may have: the same predictions, in one unit after the other."""

from collections.abc import Mapping
from dataclasses import replace

from zoo.evaluation.metrics import load_metric
from zoo.evaluation.statistics import Interval, Table

UNITS: Mapping[str, str] = {
    "points": "points, as the data give the scores",
    "points of 100": "points of a score that is scaled to end at 100",
    "standardised": (
        "standard deviations of the true scores of an exercise; MAPE of the standardised scores, "
        "as a share of 1"
    ),
}
"""Units by name."""

UNITLESS = frozenset({"spearman"})
"""Metrics that no unit changes."""


def convert(table: Table, unit: str, highest: float | None) -> Table:
    """`table` with true and predicted scores in another unit.

    Args:
        table: in points.
        unit: of `UNITS`.
        highest: highest possible score of the dataset; None where unknown, then ``points of 100``
            leaves the scores as they are.
    """
    if unit == "points":
        return table
    if unit == "points of 100":
        offset, scale = 0.0, (highest or 100.0) / 100
    else:
        offset, scale = float(table.true.mean()), float(table.true.std()) or 1.0
    return replace(
        table, true=(table.true - offset) / scale, predicted=(table.predicted - offset) / scale
    )


def as_printed(interval: Interval, metric: str, unit: str) -> Interval:
    """A metric of tables of `convert`, as it is printed in that unit."""
    if metric == "mape" and unit == "standardised":
        return Interval(*(value / 100 for value in interval))
    return interval


def judge(ours: Interval, published: float, metric: str) -> str:
    """``reproduced``: the published value lies in our 95 % interval; else ``better``, ``worse``.

    Better and worse are what ours is. Empty where there is no interval.
    """
    if not ours.low <= ours.high:
        return ""
    if ours.low <= published <= ours.high:
        return "reproduced"
    more = ours.value > published
    return "better" if more == load_metric(metric).higher_is_better else "worse"

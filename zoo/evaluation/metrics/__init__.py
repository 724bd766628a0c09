"""Metrics in score units (0–50 for KIMORE), each one class that registers itself.

One of your own stands in runs, tables, boards and comparisons like these: see docs/extending.md.
"""

from numpy.typing import ArrayLike

from registry import METRICS, RegistryError
from zoo.evaluation.metrics import binary_target, order  # noqa: F401 - they register themselves
from zoo.evaluation.metrics.errors import RowMean, mad
from zoo.evaluation.metrics.metric import POINTS, Array, Metric, Rows, constant


def load_metric(name: str) -> Metric:
    """The metric called `name`.

    Raises:
        RegistryError: no metric has this name, or it is broken.
    """
    entry = METRICS.get(name)
    cls = entry.load()
    if not (isinstance(cls, type) and issubclass(cls, Metric)):
        raise RegistryError(f"metric {name!r} of {entry.owner} is no subclass of Metric: {cls!r}")
    try:
        return cls(name)
    except TypeError as error:
        raise RegistryError(f"metric {name!r} of {entry.owner}: {error}") from None


def all_metrics() -> list[Metric]:
    """Every registered metric, in the order in which tables show them."""
    found = [load_metric(name) for name in METRICS.names()]
    return sorted(found, key=lambda metric: (metric.place, metric.name))


def ranking_metric(binary: bool = False) -> Metric:
    """What models are ranked by: the MAD of scores, the AUC where the target is right or wrong.

    The MAD of right or wrong is least for whoever is sure: where four of five are right, saying
    right of everybody has a MAD of 0.2, which few models reach that tell right from wrong.
    """
    return load_metric("auc" if binary else "mad")


def board_metrics(binary: bool = False) -> dict[str, Metric]:
    """What boards and comparisons have columns and intervals for, by name; the ranking one first.

    Args:
        binary: whether the target is right or wrong.
    """
    first = ranking_metric(binary)
    shown = [m for m in all_metrics() if m.shown and m.fits(binary) and m.name != first.name]
    return {m.name: m for m in (first, *shown)}


def measure(true: ArrayLike, predicted: ArrayLike, *, binary: bool = False) -> dict[str, float]:
    """Every metric that is for this kind of target, by name.

    Args:
        true: true scores (N,).
        predicted: predicted scores (N,), in the same units.
        binary: whether the true scores are 1 for right and 0 for wrong.

    Raises:
        DataError: lengths differ, or a value is not finite.
    """
    return {m.name: m(true, predicted) for m in all_metrics() if m.fits(binary)}


__all__ = [
    "POINTS",
    "Array",
    "Metric",
    "RowMean",
    "Rows",
    "all_metrics",
    "board_metrics",
    "constant",
    "load_metric",
    "mad",
    "measure",
    "ranking_metric",
]

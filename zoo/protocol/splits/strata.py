"""What the parts of a split can be alike in: a value for each sample, by name.

Texts are categories, spread evenly. Numbers are ranked within the categories, or cut into
quantiles where a rule does not rank; of several numbers all but the first are.
"""

from collections.abc import Callable, Sequence

from registry import STRATA, register_stratum
from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.protocol.splits.stratified import quantile_labels

Values = Sequence[str | float]
"""One text an item, or one number an item."""

BINS = 5
"""Quantiles where a rule does not say how many."""


@register_stratum("group")
def group(samples: SampleSet) -> Sequence[str]:
    """The clinical group of whoever performs."""
    return samples.group


@register_stratum("score")
def score(samples: SampleSet) -> Sequence[float]:
    """The total score."""
    found: list[float] = samples.target.tolist()
    return found


def values_of(name: str, samples: SampleSet) -> Values:
    """What the stratum called `name` says of each sample.

    Raises:
        DataError: it does not give one text or one number a sample.
    """
    entry = STRATA.get(name)
    function: Callable[[SampleSet], Values] = entry.load()
    values = list(function(samples))
    numbers = [isinstance(v, int | float) for v in values]
    texts = [isinstance(v, str) for v in values]
    if len(values) != len(samples) or not (all(numbers) or all(texts)):
        raise DataError(
            f"the stratum {name} of {entry.owner} must give a text for each of {len(samples)} "
            f"samples, or a number for each"
        )
    return values


def labels_and_ranks(
    columns: Sequence[Values], count: int, bins: int
) -> tuple[list[str], list[float]]:
    """Labels that should be spread evenly (`count`,), and numbers to rank by within them.

    Args:
        columns: values of the `count` items, a column for each stratum.
        count: number of items.
        bins: quantiles into which numbers after the first are cut.
    """
    texts = [c for c in columns if _is_text(c)]
    numbers = [[float(v) for v in c] for c in columns if not _is_text(c)]
    texts += [quantile_labels([""] * count, column, bins) for column in numbers[1:]]
    labels = ["/".join(map(str, row)) for row in zip(*texts, strict=True)]
    return labels or [""] * count, numbers[0] if numbers else [0.0] * count


def strata(stratify: Sequence[str], samples: SampleSet, bins: int) -> list[str]:
    """What each sample should be spread by: categories and quantiles of numbers, joined."""
    columns = [values_of(name, samples) for name in stratify]
    labels, ranks = labels_and_ranks(columns, len(samples), bins)
    if all(map(_is_text, columns)):
        return labels
    return quantile_labels(labels, ranks, bins)


def _is_text(column: Values) -> bool:
    return bool(column) and isinstance(column[0], str)

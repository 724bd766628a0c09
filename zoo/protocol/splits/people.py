"""What the parts of a split can be alike in (strata), and splits that keep people whole.

A stratum, or a column of the recordings, gives a value for each sample, by name. Texts are
categories, spread evenly. Numbers are ranked within the categories, or cut into quantiles where a
rule does not rank; of several numbers all but the first are.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from registry import STRATA, register_stratum
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.protocol.split import PARTS, Split
from zoo.protocol.splits.rule import SplitRule
from zoo.protocol.splits.stratified import quantile_labels, validation_subset

Values = Sequence[str | float]
"""One text an item, or one number an item."""

BINS = 5
"""Quantiles where a rule does not say how many."""


@register_stratum("score")
def score(samples: SampleSet) -> Sequence[float]:
    """The total score."""
    found: list[float] = samples.target.tolist()
    return found


def values_of(name: str, samples: SampleSet) -> Values:
    """What the stratum, or else the column of the recordings, called `name` says of each sample.

    Raises:
        DataError: it does not give one text or one number a sample.
    """
    if name not in STRATA:
        return samples.columns[name]
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


class People(NamedTuple):
    """The people of some samples.

    Attributes:
        names: sorted (P,).
        labels: what they should be spread by (P,), as the rule stratifies.
        ranks: numbers to rank them by within a label (P,).
    """

    names: list[str]
    labels: list[str]
    ranks: list[float]


def people_of(rule: SplitRule, samples: SampleSet, among: Sequence[int] | None = None) -> People:
    """Everybody in `samples`, or in those at `among`.

    Raises:
        DataError: people are unknown, or of two groups at once.
    """
    rows = range(len(samples)) if among is None else among
    unknown = sum(samples.subject[i] == UNKNOWN_SUBJECT for i in rows)
    if unknown:
        raise DataError(
            f"{unknown} of {len(rows)} samples do not say whose they are: they cannot be split "
            "by person, so no honest score can be measured on this data. Use a dataset that names "
            "its people, or a protocol that is marked leaky"
        )
    of: dict[str, list[int]] = defaultdict(list)
    for i in rows:
        of[samples.subject[i]].append(i)
    names = sorted(of)
    columns: dict[str, Values] = {}
    for stratum in ("group", *rule.stratify):
        values = values_of(stratum, samples)
        columns[stratum] = [_one(stratum, name, [values[i] for i in of[name]]) for name in names]
    chosen = [columns[stratum] for stratum in rule.stratify]
    return People(names, *labels_and_ranks(chosen, len(names), BINS))


def _one(stratum: str, person: str, values: list[str | float]) -> str | float:
    """A person's category, or the mean of a person's numbers."""
    numbers = [v for v in values if not isinstance(v, str)]
    if numbers:
        return math.fsum(numbers) / len(numbers)
    if len(set(values)) > 1:
        several = " and ".join(sorted(map(str, set(values))))
        raise DataError(f"{person} is in the {stratum}s {several} at once")
    return values[0]


def tested(
    samples: SampleSet, people: People, chosen: Sequence[bool], validation: float, seed: int
) -> Split:
    """The split that tests those people and sets a share of the others aside for validation."""
    others = [i for i, is_tested in enumerate(chosen) if not is_tested]
    aside = set_aside(people, others, validation, seed)
    place = {
        name: "test" if is_tested else "validation" if name in aside else "train"
        for name, is_tested in zip(people.names, chosen, strict=True)
    }
    return placed(samples, place)


def split_of(
    rule: SplitRule, samples: SampleSet, test: Sequence[int], seed: int, validation: float
) -> Split:
    """The split that tests the samples at `test` and sets a share of the other people aside.

    Whether somebody stands on both sides is for the leakage gate to say.
    """
    rest = sorted(set(range(len(samples))) - set(test))
    if not validation:
        return Split.of(samples, rest, [], test)
    people = people_of(rule, samples, rest)
    aside = set_aside(people, range(len(people.names)), validation, seed)
    chosen = [i for i in rest if samples.subject[i] in aside]
    return Split.of(samples, sorted(set(rest) - set(chosen)), chosen, test)


def set_aside(people: People, among: Sequence[int], share: float, seed: int) -> set[str]:
    """Names of those at `among` who choose the best epoch."""
    names = [people.names[i] for i in among]
    labels, ranks = [people.labels[i] for i in among], [people.ranks[i] for i in among]
    return {names[i] for i in validation_subset(names, labels, ranks, share, seed)}


def placed(samples: SampleSet, place: Mapping[str, str]) -> Split:
    """The split in which every person's samples stand in that person's part."""
    index = defaultdict(list)
    for i, person in enumerate(samples.subject):
        index[place[person]].append(i)
    return Split.of(samples, *(index[part] for part in PARTS))

"""Three parts in given proportions: of people, or of single samples."""

from collections.abc import Sequence
from dataclasses import dataclass

from registry import register_split
from zoo.data.columns import Columns
from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.protocol.split import PARTS, Split
from zoo.protocol.splits.people import people_of, placed, strata
from zoo.protocol.splits.rule import SplitRule, fractions, repeated, whole
from zoo.protocol.splits.stratified import quantile_labels, stratified_parts


@dataclass(frozen=True)
class _Parts(SplitRule):
    """Training, validation and test in given proportions.

    Attributes:
        repeats: how often everything is divided again; each time is a fold.
        fractions: shares of training, validation and test, in any unit.
        score_bins: number of score quantiles that count as alike.
    """

    repeats: int = whole(1, least=1)
    fractions: tuple[int, int, int] = fractions(8, 1, 1)
    score_bins: int = whole(5, least=1)

    @property
    def has_validation(self) -> bool:
        """See `SplitRule.has_validation`."""
        return bool(self.fractions[1])

    def num_folds(self, columns: Columns) -> int:
        """See `SplitRule.num_folds`."""
        return self.repeats

    def _assigned(self, ids: Sequence[str], labels: Sequence[str], fold: int, of: str) -> list[int]:
        part = stratified_parts(ids, labels, self.fractions, self.seed + fold)
        for k, share in enumerate(self.fractions):
            if share and k not in part:
                shares = ":".join(map(str, self.fractions))
                raise DataError(f"{len(part)} {of} are too few to be split {shares}")
        return part

    def _words(self) -> str:
        shares = ":".join(map(str, self.fractions))
        return (
            f"{shares} to training, validation and test{self.alike}.{repeated(self.repeats)} "
            f"Seed of the order: {self.seed}."
        )


@register_split("person-holdout")
@dataclass(frozen=True)
class PersonHoldout(_Parts):
    """Whole people are divided into three parts; see `_Parts` for the settings."""

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`."""
        people = people_of(self, samples)
        labels = quantile_labels(people.labels, people.ranks, self.score_bins)
        part = self._assigned(people.names, labels, fold, "people")
        place = {name: PARTS[p] for name, p in zip(people.names, part, strict=True)}
        return placed(samples, place)

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        return f"People are assigned {self._words()}"


@register_split("random")
@dataclass(frozen=True)
class RandomParts(_Parts):
    """Single samples are divided into three parts, and so pieces of a recording to several."""

    splits_samples = True

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`."""
        labels = strata(self.stratify, samples, self.score_bins)
        part = self._assigned(samples.ids, labels, fold, "samples")
        return Split.of(samples, *([i for i, p in enumerate(part) if p == k] for k in range(3)))

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        return f"Samples, not people, are assigned at random {self._words()}"

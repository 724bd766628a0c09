"""Folds of single samples."""

from collections.abc import Collection
from dataclasses import dataclass

from registry import register_split
from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.protocol.split import Split
from zoo.protocol.splits.rule import SplitRule, repeated, share, whole
from zoo.protocol.splits.strata import strata
from zoo.protocol.splits.stratified import stratified_parts, validation_subset


@register_split("random-kfold")
@dataclass(frozen=True)
class RandomKFold(SplitRule):
    """Single samples are dealt to folds, and so pieces of a recording to several.

    Attributes:
        folds: number of folds, at least 2.
        repeats: how often everything is dealt anew; `num_folds` counts all of them.
        validation: share of the samples trained on that choose the best epoch.
        score_bins: number of score quantiles that count as alike.
    """

    folds: int = whole(5, least=2)
    repeats: int = whole(1, least=1)
    validation: float = share(0.2)
    score_bins: int = whole(5, least=1)

    deals_samples = True

    def num_folds(self, persons: Collection[str]) -> int:
        """See `SplitRule.num_folds`."""
        return self.repeats * self.folds

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`."""
        if len(samples) < self.folds:
            raise DataError(
                f"{len(samples)} samples cannot be split into {self.folds} folds. Use fewer folds "
                f"(protocol.split.folds={max(2, len(samples))})"
            )
        repeat, part = divmod(fold, self.folds)
        seed = self.seed + repeat
        ids, labels = samples.ids, strata(self.stratify, samples, self.score_bins)
        of = stratified_parts(ids, labels, [1] * self.folds, seed)
        rest = [i for i, f in enumerate(of) if f != part]
        chosen = validation_subset(
            [ids[i] for i in rest],
            [labels[i] for i in rest],
            [0.0] * len(rest),
            self.validation,
            seed * self.folds + part,
            of="samples",
        )
        aside = {rest[i] for i in chosen}
        return Split.of(
            samples,
            [i for i in rest if i not in aside],
            sorted(aside),
            [i for i, f in enumerate(of) if f == part],
        )

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        share = self.validation
        chosen = f" {share:.0%} of the samples trained on choose the best epoch." if share else ""
        return (
            f"Samples, not people, are dealt at random to {self.folds} folds{self.alike}; each is "
            f"tested once.{chosen}{repeated(self.repeats)} Seed of the order: {self.seed}."
        )

"""Folds of people."""

from collections.abc import Collection
from dataclasses import dataclass

from registry import register_split
from zoo.data.samples import SampleSet
from zoo.protocol.split import Split
from zoo.protocol.splits.people import people_of, tested, validation_words
from zoo.protocol.splits.rule import SplitRule, repeated, share, whole
from zoo.protocol.splits.stratified import stratified_folds


@register_split("person-kfold")
@dataclass(frozen=True)
class PersonKFold(SplitRule):
    """Whole people are dealt to folds; each is tested once.

    Attributes:
        folds: number of folds, at least 2.
        repeats: how often everything is dealt anew; `num_folds` counts all of them.
        validation: share of the people trained on who choose the best epoch; 0 sets nobody aside.
    """

    folds: int = whole(5, least=2)
    repeats: int = whole(1, least=1)
    validation: float = share(0.2)

    def num_folds(self, persons: Collection[str]) -> int:
        """See `SplitRule.num_folds`."""
        return self.repeats * self.folds

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`."""
        people = people_of(self, samples)
        repeat, part = divmod(fold, self.folds)
        seed = self.seed + repeat
        of = stratified_folds(*people, self.folds, seed)
        chosen = [f == part for f in of]
        return tested(samples, people, chosen, self.validation, seed * self.folds + part)

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        return (
            f"People are dealt to {self.folds} folds{self.alike}; each is tested once."
            f"{validation_words(self.validation)}{repeated(self.repeats)} Seed of the order: "
            f"{self.seed}."
        )

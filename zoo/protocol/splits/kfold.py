"""Folds: of people, of single samples, or one for each person."""

from dataclasses import dataclass

from registry import register_split
from zoo.data.columns import Columns
from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.protocol.split import Split
from zoo.protocol.splits.people import people_of, strata, tested
from zoo.protocol.splits.rule import SplitRule, chosen_by, repeated, share, whole
from zoo.protocol.splits.stratified import stratified_folds, stratified_parts, validation_subset


@dataclass(frozen=True)
class _KFold(SplitRule):
    """Each of some folds is tested once.

    Attributes:
        folds: number of folds, at least 2.
        repeats: how often everything is divided again; `num_folds` counts all of them.
        validation: share of what is trained on that chooses the best epoch; 0 sets nothing aside.
    """

    folds: int = whole(5, least=2)
    repeats: int = whole(1, least=1)
    validation: float = share(0.2)

    def num_folds(self, columns: Columns) -> int:
        """See `SplitRule.num_folds`."""
        return self.repeats * self.folds

    def _assigned(self, what: str) -> str:
        """How `what` is divided into folds, in words."""
        return (
            f"to {self.folds} folds{self.alike}; each is tested once."
            f"{chosen_by(what, self.validation)}{repeated(self.repeats)} Seed of the order: "
            f"{self.seed}."
        )


@register_split("person-kfold")
@dataclass(frozen=True)
class PersonKFold(_KFold):
    """Whole people are divided into folds; see `_KFold` for the settings."""

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
        return f"People are assigned {self._assigned('people')}"


@register_split("random-kfold")
@dataclass(frozen=True)
class RandomKFold(_KFold):
    """Single samples are divided into folds, and so pieces of a recording to several.

    Attributes:
        score_bins: number of score quantiles that count as alike; for the others see `_KFold`.
    """

    score_bins: int = whole(5, least=1)

    splits_samples = True

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
        aside = [rest[i] for i in chosen]
        test = [i for i, f in enumerate(of) if f == part]
        return Split.of(samples, sorted(set(rest) - set(aside)), aside, test)

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        return f"Samples, not people, are assigned at random {self._assigned('samples')}"


@register_split("leave-one-person-out")
@dataclass(frozen=True)
class LeaveOnePersonOut(SplitRule):
    """Each person is tested once, by a model trained on all the others.

    Attributes:
        validation: share of the people trained on who choose the best epoch; 0 sets nobody aside.
    """

    validation: float = share(0.2)

    def num_folds(self, columns: Columns) -> int:
        """See `SplitRule.num_folds`."""
        return len(set(columns["person"]))

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`."""
        people = people_of(self, samples)
        count = len(people.names)
        if count < 2:
            raise DataError("one person alone cannot be left out: nobody is left to train on")
        left_out = [i == fold for i in range(count)]
        return tested(samples, people, left_out, self.validation, self.seed * count + fold)

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        aside = chosen_by("people", self.validation)
        return f"Each person is tested by a model trained on all the others.{aside}"

"""Each person by a model of all others."""

from collections.abc import Collection
from dataclasses import dataclass

from registry import register_split
from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.protocol.split import Split
from zoo.protocol.splits.people import people_of, tested
from zoo.protocol.splits.rule import SplitRule, chosen_by, share


@register_split("leave-one-person-out")
@dataclass(frozen=True)
class LeaveOnePersonOut(SplitRule):
    """Each person is tested once, by a model trained on all the others.

    Attributes:
        validation: share of the people trained on who choose the best epoch; 0 sets nobody aside.
    """

    validation: float = share(0.2)

    def num_folds(self, persons: Collection[str]) -> int:
        """See `SplitRule.num_folds`."""
        return len(set(persons))

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

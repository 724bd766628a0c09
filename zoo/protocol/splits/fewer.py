"""Folds of people with fewer to learn from: a learning curve over the number of training people."""

from dataclasses import dataclass, field

from registry import register_split
from zoo.data.samples import SampleSet
from zoo.protocol.split import Split
from zoo.protocol.splits.kfold import PersonKFold
from zoo.protocol.splits.people import people_of, set_aside


@register_split("person-kfold-fewer")
@dataclass(frozen=True)
class FewerPeople(PersonKFold):
    """The folds of ``person-kfold``: the same people are tested, by models of fewer others.

    Attributes:
        people: share of those who would be trained on, and of those who would choose the epoch,
            who do; spread over what the rule stratifies by. For the others see `PersonKFold`.
    """

    people: float = field(
        default=0.5,
        metadata={"check": lambda v: 0 < v <= 1, "expected": "a share above 0, at most 1"},
    )

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`."""
        whole = super().split(samples, fold)
        if self.people == 1:
            return whole
        everybody = people_of(self, samples)
        taken: set[str] = set()
        for part in ("train", "validation"):
            there = set(whole.persons(part))
            among = [i for i, name in enumerate(everybody.names) if name in there]
            if among:
                taken |= set_aside(everybody, among, self.people, self.seed + fold)
        train, validation = (
            [i for i in whole.index(part).tolist() if samples.subject[i] in taken]
            for part in ("train", "validation")
        )
        return Split.of(samples, train, validation, whole.test.tolist())

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        if self.people == 1:
            return super().describe()
        return f"{super().describe()} Of those not tested, {self.people:.0%} take part."

"""Trained on one dataset, tested on another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from registry import register_split
from zoo.data.columns import Columns
from zoo.data.cross import CrossDataset, foreign_prefix
from zoo.data.dataset import SkeletonDataset
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError, DataError
from zoo.protocol.split import Split
from zoo.protocol.splits.people import split_of
from zoo.protocol.splits.rule import SplitRule, chosen_by, repeated, share, whole


def _name() -> Any:
    return field(default=None, metadata={"check": lambda v: v != "", "expected": "a name, or null"})


@register_split("cross-dataset")
@dataclass(frozen=True)
class CrossDatasetSplit(SplitRule):
    """Everybody of another dataset is tested.

    Attributes:
        repeats: how often the validation people are chosen again; each time is a fold.
        validation: share of the people trained on who choose the best epoch; 0 sets nobody aside.
        dataset: the one to test on.
        exercise: exercise of it to test on; the one trained on if None.
        joints: its joint for ours, where their names do not show it.
        people: ``same`` if people of one name in both datasets are one person, ``apart`` if not.
    """

    repeats: int = whole(1, least=1)
    validation: float = share(0.2)
    dataset: str | None = _name()
    exercise: str | None = _name()
    joints: Mapping[str, str] = field(default_factory=dict, hash=False)
    people: Literal["same", "apart"] = "same"

    def num_folds(self, columns: Columns) -> int:
        """See `SplitRule.num_folds`."""
        return self.repeats

    def joined(
        self, dataset: SkeletonDataset, load: Callable[[str], SkeletonDataset]
    ) -> SkeletonDataset | CrossDataset:
        """`dataset` and the one to test on, where that is named.

        Raises:
            DataError: that one is not prepared, has no such exercise, or cannot be compared.
        """
        if self.dataset is None:
            return dataset
        trained_on = dataset.exercises
        exercise = self.exercise or (trained_on[0] if len(trained_on) == 1 else None)
        other = load(self.dataset).select(exercise=exercise)
        return CrossDataset(dataset, other, joints=self.joints, people=self.people)

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`.

        Raises:
            ConfigError: it is not said which dataset to test on.
            DataError: there are no samples of one of the two.
        """
        if self.dataset is None:
            raise ConfigError(
                "split.dataset does not say which dataset to test on: protocol.split.dataset=NAME"
            )
        prefix = foreign_prefix(self.dataset)
        test = [i for i, name in enumerate(samples.recording) if name.startswith(prefix)]
        own = sorted(set(range(len(samples))) - set(test))
        for found, dataset in ((test, self.dataset), (own, "the dataset to train on")):
            if not found:
                raise DataError(f"there are no samples of {dataset}")
        return split_of(self, samples, test, self.seed + fold, self.validation)

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        other = self.dataset or "another dataset (protocol.split.dataset=NAME)"
        of = f" (exercise {self.exercise})" if self.exercise else ""
        same = "one person" if self.people == "same" else "two people"
        return (
            f"All people of the dataset are trained on; everybody in {other}{of} is tested. "
            f"People of one name in both are {same}.{chosen_by('people', self.validation)}"
            f"{repeated(self.repeats)} Seed of the order: {self.seed}."
        )

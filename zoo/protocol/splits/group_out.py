"""Each site, device or other group of recordings is tested by a model of all the others."""

from dataclasses import dataclass, field

from registry import register_split
from zoo.data.columns import Columns
from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.protocol.split import Split
from zoo.protocol.splits.people import split_of
from zoo.protocol.splits.rule import SplitRule, chosen_by, share


@register_split("leave-one-group-out")
@dataclass(frozen=True)
class LeaveOneGroupOut(SplitRule):
    """Each value of a column is tested once, by a model trained on all the others.

    Attributes:
        by: the column, such as ``group``, ``session``, ``site`` or ``device``.
        validation: share of the people trained on who choose the best epoch; 0 sets nobody aside.
    """

    by: str = field(default="group", metadata={"check": bool, "expected": "the name of a column"})
    validation: float = share(0.2)

    def num_folds(self, columns: Columns) -> int:
        """See `SplitRule.num_folds`."""
        return len(self._levels(columns))

    def split(self, samples: SampleSet, fold: int) -> Split:
        """See `SplitRule.split`."""
        levels = self._levels(samples.columns)
        labels, left_out = samples.columns.labels(self.by), levels[fold]
        test = [i for i, label in enumerate(labels) if label == left_out]
        return split_of(self, samples, test, self.seed * len(levels) + fold, self.validation)

    def describe(self) -> str:
        """See `SplitRule.describe`."""
        aside = chosen_by("people", self.validation)
        return f"Each {self.by} is tested by a model trained on all the others.{aside}"

    def _levels(self, columns: Columns) -> list[str]:
        levels = columns.levels(self.by)
        if len(levels) < 2:
            raise DataError(
                f"all recordings have the same {self.by} ({levels[0]!r})"
                if levels
                else "there are no recordings"
            )
        return levels

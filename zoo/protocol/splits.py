"""signatures first"""
from dataclasses import dataclass


@dataclass(frozen=True)
class SplitRule:
    """How samples are dealt to training, validation and test."""

    @property
    def num_folds(self) -> int:
        return 1

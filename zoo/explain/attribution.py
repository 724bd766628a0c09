"""What a score depends on: one number for every joint and frame of a sample."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POINTS = "points"
"""Unit of an attribution whose numbers add up to a difference of two scores."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What one method says each joint has to do with one sample's score, frame by frame.

    Attributes:
        method: name of the method.
        joint_time: (T, V), signed where `unit` is points: what the joint in that frame adds to the
            score against the baseline; negative where it lowers the score.
        joints: V names.
        fps: frames a second of the T frames, which are those of the sample as the model saw it.
        score: the model's score of the sample, in score units.
        baseline_score: its score of what the sample is compared with; NaN for methods that compare
            with nothing.
        baseline: what that is, in words.
        note: what a reader should know, such as the baseline and what is left unexplained.
        unit: ``points`` (score units), or of what else `joint_time` is made.
        parts: body parts by name, each the indices of its joints; those of the layout.
        title: of the method, in words; its name with spaces if empty.
        span: from the lowest to the highest possible score; NaN where that is not known.
    """

    method: str
    joint_time: Array
    joints: tuple[str, ...]
    fps: float
    score: float
    baseline_score: float
    baseline: str = "a mean pose held still"
    note: str = ""
    unit: str = POINTS
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    title: str = ""
    span: float = math.nan

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", self.method.replace("-", " "))
        if self.joint_time.ndim != 2 or self.joint_time.shape[1] != len(self.joints):
            raise ValueError(
                f"joint_time has shape {self.joint_time.shape}, expected (frames, "
                f"{len(self.joints)} joints)"
            )

    @property
    def signed(self) -> bool:
        """Whether the numbers are contributions to the score, with a sign that means something."""
        return self.unit == POINTS

    @property
    def effect(self) -> float:
        """All that raised and all that lowered the score, in points; of the joints' sums."""
        return float(np.abs(self.by_joint()).sum())

    def by_joint(self) -> Array:
        """The sum over time of each joint (V,), in `unit`."""
        total: Array = self.joint_time.sum(axis=0)
        return total

"""A description of each sequence and a regression on it: the base of most closed-form models."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.nn.model import ScoreModel
from zoo.skeleton.layout import Layout


class DescribedModel(ScoreModel, ABC):
    """Describes each sequence by D numbers and leaves the rest to a regression.

    Args:
        regressor: a module with ``fit(features, target)``, from features (N, D) to scores (N,), or
            to a `Prediction` where it knows more; one that draws no random numbers in it says
            ``draws = False``.
        streams: what is described.
    """

    def __init__(
        self, layout: Layout, regressor: nn.Module, streams: str | Sequence[str] = "position"
    ) -> None:
        super().__init__(layout, streams)
        self.regressor = regressor
        self.draws = bool(getattr(regressor, "draws", True))

    @abstractmethod
    def describe(self, batch: Batch) -> Tensor:
        """What the regression sees of each sequence, (N, D)."""

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Fit the regression to all training samples; `target` (N,) in standardised units."""
        self.regressor.fit(self.describe(batch), target)  # type: ignore[operator]

    def forward(self, batch: Batch) -> Prediction:
        """The regression's score for every sequence of the batch.

        Raises:
            TrainingError: it has not been fitted.
        """
        said = self.regressor(self.describe(batch))
        return said if isinstance(said, Prediction) else Prediction(said)

"""Clinical kinematic features and a classical regression on them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from baselines.described import DescribedModel
from baselines.held import edges_and_scale, standardised
from baselines.kinematics_features import KinematicFeatures
from baselines.regressors import BoostedTrees, ExtraTrees, SupportVectors
from baselines.ridge import Ridge
from registry import did_you_mean
from zoo.data.batch import Batch
from zoo.errors import ConfigError, DataError, TrainingError
from zoo.nn.gaussian_process import GaussianProcess
from zoo.skeleton.layout import Layout

REGRESSORS: Mapping[str, Callable[..., nn.Module]] = {
    "ridge": Ridge,
    "svr": SupportVectors,
    "trees": ExtraTrees,
    "boosting": BoostedTrees,
    "gp": GaussianProcess,
}
"""What can stand behind the features; each has ``fit(features, target)``."""


class FeatureRegressor(DescribedModel):
    """Measures each sequence (`KinematicFeatures`) and leaves the rest to a regression.

    Three things come between. A feature that is undefined in a sequence gets its mean over the
    training samples. One outside what most of these have shown, between the quantiles `hold` and
    1 − `hold`, is held at that edge, for a line drawn far beyond its data goes astray. Then it is
    standardised.

    All that is learnt are tensors; scikit-learn is needed for fitting alone, and for the ridge not
    even then. Fitted again with the same random numbers it learns the same.

    Args:
        regressor: one of `REGRESSORS`.
        settings: its arguments; None for its own defaults.
        hold: share of the training samples beyond each edge.

    Raises:
        ConfigError: there is no such regressor, or `hold` is no share below a half.
    """

    raw = True
    low: Tensor
    high: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        layout: Layout,
        *,
        regressor: str = "ridge",
        settings: Mapping[str, Any] | None = None,
        hold: float = 0.05,
    ) -> None:
        if regressor not in REGRESSORS:
            raise ConfigError(
                f"there is no regressor {regressor!r}. {did_you_mean(regressor, REGRESSORS)}"
            )
        if not 0 <= hold < 0.5:
            raise ConfigError(f"hold is {hold!r}, expected a share from 0 to below 0.5")
        super().__init__(layout, REGRESSORS[regressor](**(settings or {})))
        self.hold = hold
        self._features = KinematicFeatures(layout)
        self.derived = {"layout": layout.to_config()}
        for name in ("low", "high", "mean", "scale"):
            self.register_buffer(name, torch.zeros(0))

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Learn from all training samples; `target` (N,) in standardised units.

        Raises:
            DataError: no sequence shows a body.
        """
        raw = self.derive(batch).x["features"][:, 0, 0]
        if raw.isnan().all():
            raise DataError("no sequence shows a body: all bones have length 0")
        self.low, self.high, self.mean, self.scale = edges_and_scale(raw, self.hold)
        self.regressor.fit(self._standardised(raw), target)  # type: ignore[operator]

    def describe(self, batch: Batch) -> Tensor:
        """Standardised features (N, D) of each sequence.

        Raises:
            TrainingError: it has not been fitted.
        """
        if not len(self.mean):
            raise TrainingError("the regression on features has learnt nothing yet: call fit first")
        return self._standardised(self.derive(batch).x["features"][:, 0, 0])

    def derive(self, batch: Batch) -> Batch:
        """The stream ``features`` (N, 1, 1, D) of each sequence, NaN where undefined."""
        if "features" in batch.x:
            return batch
        rows = [
            self._features.measure(seen["position"], rate)
            for seen, rate in batch.sequences(["position"])
        ]
        found = torch.from_numpy(np.stack(rows)).to(batch.stream("position").device, torch.float32)
        return batch._replace(x={"features": found[:, None, None]}, mask=None)

    def _standardised(self, raw: Tensor) -> Tensor:
        return standardised(raw, self.low, self.high, self.mean, self.scale)

"""Regressors of other libraries (scikit-learn, aeon) as models: their state is data, not code.

What such an estimator learned is an object of its library, which could be kept only by pickling
it, and a pickle is code. So what is kept are the numbers it was fitted on and the seed, and it is
fitted again where a run is loaded: any estimator will do, nothing in a run is code, and before a
run is finished it is seen that the estimator, fitted again, scores the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, TrainingError
from zoo.nn.masking import frame_counts, zero_padding
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import resample_frames
from zoo.skeleton.layout import Layout

INPUTS = ("flat", "summary", "series")


class EstimatorModel(ScoreModel, ABC):
    """A regressor with ``fit(X, y)`` and ``predict(X)``, as scikit-learn and aeon have them.

        @register_model("forest")
        class Forest(EstimatorModel):
            def __init__(self, layout, *, trees: int = 100):
                super().__init__(layout, inputs="summary")
                self.trees = trees

            def estimator(self, seed):
                return RandomForestRegressor(self.trees, random_state=seed)

    The training samples' numbers are among the weights of a run, and of a bundle that is exported
    of it.

    Args:
        streams: what is described.
        inputs: what the regressor sees of a sequence: ``flat``, all numbers of `frames` frames side
            by side (N, T·V·C); ``summary``, mean, deviation, lowest and highest value of each
            channel over time (N, 4·V·C); ``series``, as libraries of time series take it,
            (N, V·C, T). `describe` can say otherwise.
        frames: T of ``flat`` and ``series``.
    """

    inputs: Tensor
    target: Tensor
    seed: Tensor

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = "position",
        inputs: Literal["flat", "summary", "series"] = "flat",
        frames: int = 50,
    ) -> None:
        super().__init__(layout, streams)
        if inputs not in INPUTS:
            raise ConfigError(f"inputs are {inputs!r}, expected {', '.join(INPUTS)}")
        if frames < 1:
            raise ConfigError(f"frames is {frames}, expected a whole number of at least 1")
        self.kind, self.frames = inputs, frames
        self.register_buffer("inputs", torch.zeros(0))
        self.register_buffer("target", torch.zeros(0))
        self.register_buffer("seed", torch.zeros((), dtype=torch.int64))
        self._fitted: Any = None
        self.register_load_state_dict_post_hook(lambda model, _: setattr(model, "_fitted", None))

    @abstractmethod
    def estimator(self, seed: int) -> Any:
        """A fresh regressor.

        Args:
            seed: for its ``random_state``, where it has one; the same when it is fitted again.
        """

    def describe(self, batch: Batch) -> Tensor:
        """What the regressor sees of N sequences, (N, …)."""
        x = self.stacked(batch)
        if self.kind == "summary":
            return _summary(x, batch.mask)
        x = resample_frames(x, batch.mask, self.frames).flatten(2)
        return x.flatten(1) if self.kind == "flat" else x.transpose(1, 2)

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Keep the training samples' numbers and fit the regressor to them."""
        self.inputs = self.describe(batch).float().contiguous()
        self.target = target.float().clone()
        self.seed = torch.randint(2**31 - 1, (), device=target.device)
        self._fitted = self._fit_again()

    def forward(self, batch: Batch) -> Prediction:
        """The regressor's scores.

        Raises:
            TrainingError: it has not been fitted, or it gives other than a number a sequence.
        """
        if not len(self.target):
            raise TrainingError(f"{type(self).__name__} has not been fitted yet: call fit first")
        if self._fitted is None:
            self._fitted = self._fit_again()
        given = self.describe(batch).float()
        said = np.asarray(self._fitted.predict(_array(given)), dtype=np.float64)
        if said.shape not in ((batch.size,), (batch.size, 1)):
            raise TrainingError(
                f"{type(self._fitted).__name__}.predict gives shape {said.shape} for "
                f"{batch.size} sequences, expected ({batch.size},)"
            )
        return Prediction(torch.as_tensor(said.reshape(-1)).to(given))

    def _fit_again(self) -> Any:
        seed = int(self.seed)
        made = self.estimator(seed)
        before = np.random.get_state()  # noqa: NPY002 - an estimator may draw from the global one
        try:
            np.random.seed(seed)  # noqa: NPY002
            made.fit(_array(self.inputs), self.target.double().cpu().numpy())
        finally:
            np.random.set_state(before)  # noqa: NPY002
        return made

    def __getstate__(self) -> dict[str, Any]:
        """A copy fits anew: what is fitted is never copied, nor pickled."""
        return {**self.__dict__, "_fitted": None}


def _summary(x: Tensor, mask: Tensor | None) -> Tensor:
    """Mean, deviation, lowest and highest value over real frames, (N, T, V, C) → (N, 4·V·C)."""
    x = x.flatten(2)
    if mask is None:
        parts = [x.mean(1), x.std(1, correction=0), x.amin(1), x.amax(1)]
        return torch.cat(parts, dim=1)
    count = frame_counts(mask)[:, None].to(x)
    real = mask[:, :, None]
    mean = zero_padding(x, mask).sum(1) / count
    spread = (((x - mean[:, None]) * real) ** 2).sum(1) / count
    low = x.masked_fill(~real, float("inf")).amin(1)
    high = x.masked_fill(~real, float("-inf")).amax(1)
    return torch.cat([mean, spread.sqrt(), low, high], dim=1)


def _array(values: Tensor) -> Any:
    return values.double().cpu().numpy()

"""The fold a model is trained and tested on, and its scores."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from zoo.data.batch import Prediction
from zoo.data.cross import CrossDataset
from zoo.data.dataset import SkeletonDataset
from zoo.evaluation.metrics import mad
from zoo.protocol.protocol import FoldData
from zoo.runs.scores import Scores, shortest

FoldDataset = SkeletonDataset | CrossDataset
"""What folds are made of: one dataset, or one to train on and another to test on."""


def true_scores(data: FoldData, part: str) -> Scores:
    """The samples of a part with their true scores, and NaN for the predicted ones."""
    samples = data.subset(part)
    true = shortest(samples.target.numpy())
    return Scores(
        part=[part] * len(samples),
        person=[person or "" for person in samples.subject],
        group=list(samples.group),
        recording=list(samples.recording),
        sample=[int(segment) for segment in samples.segment],
        true=true,
        predicted=np.full_like(true, np.nan),
        binary=data.samples.binary,
    )


def predicted_scores(data: FoldData, part: str, said: Prediction) -> Scores:
    """The samples of a part with a model's scores for them, and deviations where it gives them.

    Args:
        data: the fold.
        part: ``validation`` or ``test``.
        said: what the model says of the N samples it is fed, in standardised units.
    """
    said = data.of_samples(part, said)
    scaler, variance = data.target_scaler, said.log_variance
    deviation = None
    if variance is not None:
        deviation = shortest(scaler.inverse_variance(variance.exp()).sqrt().numpy())
    scores = shortest(scaler.inverse(said.score).numpy())
    return true_scores(data, part).with_predicted(scores, deviation)


def validation_mad(data: FoldData) -> Callable[[Tensor], float]:
    """From standardised validation scores to their MAD per recording, in score units."""
    table, how = true_scores(data, "validation"), data.protocol.aggregate

    def measure(standardised: Tensor) -> float:
        said = data.of_samples("validation", Prediction(standardised))
        scores = shortest(data.target_scaler.inverse(said.score).numpy())
        whole = table.with_predicted(scores).per_recording(how)
        return mad(whole.true, whole.predicted)

    return measure

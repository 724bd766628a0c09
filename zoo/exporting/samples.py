"""Samples in the form that an exported graph takes, and what the run's model says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.batch import Batch
from zoo.data.recording import Recording
from zoo.data.samples import SampleSet
from zoo.errors import UserError
from zoo.exporting.graph import ScoringGraph, source_streams
from zoo.exporting.made_up import made_up_recording
from zoo.nn.model import contract_of
from zoo.prediction import Predictor
from zoo.skeleton.layout import load_layout
from zoo.training.evaluate import TrainedModel

MOST = 64
"""Test recordings that a graph is checked on."""


@dataclass(frozen=True, eq=False)
class Samples:
    """S samples, and whose they are.

    Attributes:
        given: the batch an exported graph takes.
        fed: the batch that the model itself takes, unscaled.
        true: (S,) scores, NaN where unknown.
        of: whose samples these are, in words.
        real: whether they are people's.
    """

    given: Batch
    fed: Batch
    true: NDArray[np.float64]
    of: str
    real: bool

    @classmethod
    def test(cls, predictor: Predictor) -> "Samples":
        """Of the run's test recordings; made-up ones where its dataset is not at hand."""
        run = predictor.run
        try:
            chosen = run.split["test"]["recordings"][:MOST]
            found = [predictor.recordings(name)[0] for name in chosen]
        except UserError:
            found = []
        if not found:
            return cls.made_up(predictor)
        of = f"test recordings of {run.record.dataset.title}"
        return cls.of_recordings(predictor, found, of, real=True)

    @classmethod
    def made_up(cls, predictor: Predictor, count: int = 4) -> "Samples":
        """Of recordings behind which there is nobody, each a little longer than the last."""
        layout = load_layout(predictor.trained.layout)
        found = [made_up_recording(layout, 5.0 + seed, seed) for seed in range(count)]
        return cls.of_recordings(predictor, found, "made-up recordings", real=False)

    @classmethod
    def of_recordings(
        cls, predictor: Predictor, recordings: Sequence[Recording], of: str, *, real: bool
    ) -> "Samples":
        """Of recordings in the model's layout."""
        trained = predictor.trained
        fed = _made(predictor, recordings, trained.streams)
        derive = contract_of(trained.model).derive
        if derive is not None:
            given = fed = derive.of(fed, None)
        else:
            given = _made(predictor, recordings, source_streams(trained.streams))
        return cls(given.batch(), fed.batch(), fed.target.double().numpy(), of, real)

    def select(self, index: Sequence[int]) -> "Samples":
        """Some of the samples."""
        at = torch.tensor(index)
        given, fed = self.given.select(at), self.fed.select(at)
        return Samples(given, fed, self.true[list(index)], self.of, self.real)

    def said_by(self, trained: TrainedModel) -> tuple[Tensor, Tensor | None]:
        """The run's own scores (S,) of these samples in single precision, and deviations."""
        with torch.no_grad():
            said = trained.model(trained.stream_scaler.transform(self.fed))
        scores = trained.target_scaler.inverse(said.score.float())
        if said.log_variance is None or not contract_of(trained.model).learns_variance:
            return scores, None
        variance = trained.target_scaler.inverse_variance(said.log_variance.exp())
        return scores, variance.sqrt()


def _made(
    predictor: Predictor, recordings: Sequence[Recording], streams: Sequence[str]
) -> SampleSet:
    feed = predictor.trained.feed
    return predictor.protocol.samples(recordings, streams, scored=False, feed=feed)


def given_of(predictor: Predictor, recordings: Sequence[Recording]) -> dict[str, NDArray[Any]]:
    """Recordings as inputs of the graph that is exported of a run, by name; a row a sample.

    Raises:
        DataError: another layout, nobody to be seen, or a stream that a recording cannot give.
    """
    seen = [predictor.looked(recording).recording for recording in recordings]
    given = Samples.of_recordings(predictor, seen, "", real=True).given
    graph = ScoringGraph.of(predictor.trained, given)
    ports = zip(graph.inputs, graph.given(given), strict=True)
    return {port.name: x.cpu().numpy() for port, x in ports}

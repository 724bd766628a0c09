"""A trained model in a program's hands: arrays, recordings or files in, scores out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from registry import did_you_mean
from zoo.catalogue import Card
from zoo.data.batch import Batch
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.errors import DataError
from zoo.exporting.samples import given_of
from zoo.prediction import Predictor, ScoredRecording
from zoo.protocol.protocol import Protocol
from zoo.runs.record import RunRecord
from zoo.skeleton.layout import Layout, load_layout
from zoo.training.bundle import card_of_run

Motion = Any
"""Positions (T, V, 3) in metres, or a mapping of `GIVEN` streams to arrays; numpy or torch."""

GIVEN = {"position": "positions", "orientation": "orientations", "angle": "angles"}
"""Streams that a sensor gives, by the name that models know them under; others are derived."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A trained model with all that stands between a recording and its score.

    `zoo.load_model` makes one. The torch module alone is `module`; it takes scaled batches.

    Attributes:
        predictor: reads files and scores recordings, as `zoo.predict` does.
    """

    predictor: Predictor

    @property
    def module(self) -> nn.Module:
        """The trained ``torch.nn.Module``, in evaluation mode: scaled `Batch` → `Prediction`."""
        return self.predictor.trained.model

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.predictor.trained.device

    @cached_property
    def layout(self) -> Layout:
        """The skeleton it was trained on: V joints in the order of its data."""
        return load_layout(self.predictor.trained.layout)

    @property
    def streams(self) -> tuple[str, ...]:
        """What it is fed."""
        return self.predictor.trained.streams

    @property
    def stream_scaler(self) -> StreamScaler:
        """z-score of the streams, as fitted on training people."""
        return self.predictor.trained.stream_scaler

    @property
    def target_scaler(self) -> TargetScaler:
        """From standardised scores to score units and back."""
        return self.predictor.trained.target_scaler

    @property
    def protocol(self) -> Protocol:
        """How recordings become samples, and samples' scores one score."""
        return self.predictor.protocol

    @property
    def record(self) -> RunRecord:
        """What the run said of itself: data, settings, metrics on people it never saw."""
        return self.predictor.run.record

    @cached_property
    def card(self) -> Card:
        """Title, paper, deviations and published numbers of the model."""
        return card_of_run(self.predictor.run)

    @overload
    def predict(self, source: str | Path) -> list[ScoredRecording]: ...
    @overload
    def predict(self, source: Recording) -> ScoredRecording: ...
    @overload
    def predict(self, source: Motion, *, fps: float) -> ScoredRecording: ...
    def predict(
        self, source: Any, *, fps: float | None = None
    ) -> ScoredRecording | list[ScoredRecording]:
        """Score a recording exactly as the run's protocol does.

        Args:
            source: joint positions (T, V, 3) in metres, y up; or a mapping of the streams
                ``position`` (T, V, 3), ``orientation`` (T, V, 4) as unit quaternions w, x, y, z,
                and ``angle`` (T, V, 3) in degrees, to arrays of one length; or a `Recording`; or
                a file, a folder, or the id of a prepared recording.
            fps: frames a second, where `source` is arrays.

        Returns:
            The scored recording; a list of them for a file or an id, as a file may hold several.

        Raises:
            DataError: arrays of another shape or with numbers that are not finite, no `fps`,
                another layout, a stream that is missing, and as `zoo.predict` does.
        """
        if isinstance(source, str | Path):
            return self.predictor.score(source)
        if not isinstance(source, Recording):
            source = self.recording(source, fps=fps)
        return self.predictor.score_recording(source)

    def recording(self, motion: Motion, *, fps: float | None) -> Recording:
        """Arrays as a recording of the model's layout; arguments and errors as in `predict`."""
        streams = motion if isinstance(motion, Mapping) else {"position": motion}
        arrays = {}
        for name, values in streams.items():
            if name not in GIVEN:
                raise DataError(f"there is no stream {name!r} to give. {did_you_mean(name, GIVEN)}")
            arrays[GIVEN[name]] = self._array(name, values)
        rate = getattr(fps, "item", lambda: fps)()
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1e6:
            raise DataError(
                f"fps is {fps!r}, expected the sensor's frames a second, such as fps=30"
            )
        return Recording(
            "given", UNKNOWN_SUBJECT, "", "", "", layout=self.layout.name, fps=float(rate), **arrays
        )

    def graph_inputs(self, source: Any, *, fps: float | None = None) -> dict[str, NDArray[Any]]:
        """What a graph that `zoo.export` wrote takes of a recording, by name; a row a sample.

        Args:
            source: as in `predict`; of a file that holds several recordings all are taken.
            fps: frames a second, where `source` is arrays.

        Raises:
            DataError: as `predict` does.
        """
        if isinstance(source, str | Path):
            recordings = self.predictor.recordings(source)
        elif isinstance(source, Recording):
            recordings = [source]
        else:
            recordings = [self.recording(source, fps=fps)]
        return given_of(self.predictor, recordings)

    def score(self, batch: Batch) -> Tensor:
        """Scores (N,) in score units of N unscaled sequences, made as the protocol makes them."""
        return self.predictor.trained.score(batch)

    def _array(self, name: str, values: Any) -> Any:
        if isinstance(values, Tensor):
            values = values.detach().cpu().numpy()
        width = 4 if name == "orientation" else 3
        try:
            array = np.asarray(values, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(f"{name} is no array of numbers: {error}") from None
        wanted = (self.layout.num_joints, width)
        if array.ndim != 3 or array.shape[1:] != wanted or not len(array):
            raise DataError(
                f"{name} has shape {array.shape}, expected (frames, {wanted[0]}, {wanted[1]}): the "
                f"model was trained on the layout {self.layout.name}"
            )
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            frame, joint = (int(i) for i in bad[0][:2])
            raise DataError(
                f"{name} of {self.layout.joints[joint]} in frame {frame} is "
                f"{array[tuple(bad[0])]}, expected finite numbers"
            )
        return array

    def __repr__(self) -> str:
        return (
            f"LoadedModel({self.record.model.name}, {self.record.dataset.name} exercise "
            f"{self.record.dataset.exercise}, layout={self.layout.name!r})"
        )

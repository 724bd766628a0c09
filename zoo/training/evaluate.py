"""A finished run used again: its model for new recordings, its figures computed anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.errors import CheckpointError
from zoo.files import json_hash
from zoo.models import build_model
from zoo.nn.model import contract_of
from zoo.protocol.feed import Feed
from zoo.protocol.protocol import FoldData
from zoo.runs.folder import SIDECAR
from zoo.runs.key import RunKey
from zoo.runs.run import Run, load_run
from zoo.runs.scores import LevelMetrics, Scores, join
from zoo.tables import Shown, SmallTable, of_rows
from zoo.training.bundle import BundledRun
from zoo.training.checkpoint import Checkpoint, read_checkpoint
from zoo.training.config import TrainerConfig
from zoo.training.device import predict, resolve_device
from zoo.training.fold import predicted_scores
from zoo.training.kept import ROUNDING
from zoo.training.result_files import scaler_tensors
from zoo.training.state import load_weights

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model with everything it was trained with, ready to score.

    Attributes:
        run: the finished run.
        model: in evaluation mode, on `device`.
        layout: name of the skeleton layout it expects.
        stream_scaler: as fitted in training.
        target_scaler: as fitted in training.
        device: where it computes.
    """

    run: Run
    model: nn.Module
    layout: str
    stream_scaler: StreamScaler
    target_scaler: TargetScaler
    device: torch.device
    _settings: TrainerConfig = field(repr=False)
    _checkpoint: Checkpoint = field(repr=False)

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams the model needs."""
        return contract_of(self.model).streams

    @property
    def feed(self) -> Feed:
        """How it is fed."""
        return self._settings.feed(contract_of(self.model).raw)

    def score(self, batch: Batch) -> Tensor:
        """Scores (N,) in score units of N unscaled sequences, made as the protocol makes them."""
        return self.score_scaled(self.stream_scaler.transform(batch))

    def score_scaled(self, batch: Batch) -> Tensor:
        """Scores (N,) in score units of N sequences that `stream_scaler` has scaled."""
        said = predict(self.model, batch, self._settings, self.device)
        return self.target_scaler.inverse(said.score)

    def deviation(self, batch: Batch) -> Tensor | None:
        """Predicted deviations (N,) of the scores, as in `score`; None where there are none."""
        scaled = self.stream_scaler.transform(batch)
        variance = predict(self.model, scaled, self._settings, self.device).log_variance
        if variance is None:
            return None
        return self.target_scaler.inverse_variance(variance.exp()).sqrt()


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Shown):
    """What a finished run's model says now, against what the run kept.

    Attributes:
        run: the finished run; its record has the stored ones.
        metrics: computed anew from the checkpoint and the data, by part and level.
        from_table: computed anew from ``predictions.csv``.
        largest_difference: between a prediction now and the one in the table, in score units.
        tolerance: the difference that other hardware and another number of threads explain.
        altered: files that are no longer what the run wrote.
    """

    run: Run
    metrics: Mapping[str, LevelMetrics]
    from_table: Mapping[str, LevelMetrics]
    largest_difference: float
    tolerance: float
    altered: list[str]

    @property
    def agrees(self) -> bool:
        """Whether the run's figures can be reproduced and no file was altered."""
        return self.largest_difference <= self.tolerance and not self.altered

    def to_dataframe(self) -> "DataFrame":
        """Metrics by part, level and what they were computed from (pandas)."""
        record = self.run.record
        sources = {
            "computed now": self.metrics,
            "from predictions.csv": self.from_table,
            "stored": record.metrics,
            "mean score": record.baseline,
        }
        return of_rows(
            [
                {"part": part, "level": level, "source": source, **found}
                for source, parts in sources.items()
                for part, levels in parts.items()
                for level, found in levels.items()
            ]
        )

    def tables(self) -> list[SmallTable]:
        """The metrics computed now, the stored ones, and the mean score's."""
        said = "come out again" if self.agrees else "do NOT come out again, or files were altered"
        found = {
            "computed now": self.metrics["test"]["recording"],
            "stored": self.run.test,
            "mean score": self.run.baseline_test,
        }
        title = f"{self.run.record.model.name} on its test recordings"
        note = f"The stored predictions {said} (largest difference {self.largest_difference:.2g})"
        return [self.run.metrics_table(title, found, [note])]


def load_trained(
    run: Run | Path | str,
    *,
    device: str = "auto",
    build: Callable[[], nn.Module] | None = None,
) -> TrainedModel:
    """The model of a finished run.

    Args:
        run: the finished run, its folder, or what `zoo.training.bundle.open_trained` gives.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        build: makes the untrained model; if None the registered one is built with the stored
            parameters on the stored layout.

    Raises:
        DataError: no finished run.
        CheckpointError: the checkpoint is damaged, altered, of another run, or of a model whose
            code has changed since.
        RegistryError: the model is no longer registered.
    """
    run = run if isinstance(run, Run) else load_run(run)
    stored = run.checkpoint if isinstance(run, BundledRun) else read_checkpoint(run.path / SIDECAR)
    if json_hash(stored.key) != run.record.key_hash:
        raise CheckpointError(f"the checkpoint in {run.path} belongs to another run")
    layout, block = str(stored.key["layout"]), dict(stored.key["config"]["model"])
    if build is None:
        model = build_model(block.pop("name"), run.record.dataset.skeleton, block)
    else:
        model = build()
    load_weights(model, stored.tensors["model"], free_shapes=contract_of(model).closed_form)
    settings = TrainerConfig.from_dict(stored.key["config"]["trainer"])
    where = resolve_device(device, settings.precision)
    streams, target = StreamScaler(), TargetScaler()
    streams.load_state_dict(stored.tensors["stream_scaler"])
    target.load_state_dict(stored.tensors["target_scaler"])
    return TrainedModel(
        run, model.to(where).eval(), layout, streams, target, where, settings, stored
    )


def evaluate_fold(trained: TrainedModel, data: FoldData, fingerprint: str) -> Evaluation:
    """Predict a finished run's validation and test parts anew and compare.

    Where the model was trained anew on the validation people, only the test part.

    Args:
        trained: its model.
        data: the run's fold.
        fingerprint: of the dataset that `data` comes from.

    Raises:
        CheckpointError: the data, the split or the protocol are not those of the run.
    """
    run, stored = trained.run, trained._checkpoint
    key = RunKey.of(
        run.record.config,
        fingerprint=fingerprint,
        layout=data.samples.layout,
        protocol_hash=data.protocol.hash(),
    )
    tested = data.tested
    stored.require(key, data.split.hash, scaler_tensors(tested))
    how = data.protocol.aggregate
    tables = {}
    for part in ("validation", "test"):
        if len(tested.split.index(part)):
            batch = trained.stream_scaler.transform(data.fed.batch(data.fed_index(part)))
            said = predict(trained.model, batch, trained._settings, trained.device)
            tables[part] = predicted_scores(tested, part, said)
    kept = {part: run.scores.of(part) for part in tables}
    spread = trained.target_scaler.scale
    return Evaluation(
        run=run,
        metrics={part: table.metrics(how) for part, table in tables.items()},
        from_table={part: table.metrics(how) for part, table in kept.items()},
        largest_difference=_largest_difference(
            join(list(tables.values())), join(list(kept.values()))
        ),
        tolerance=spread * ROUNDING[trained._settings.precision],
        altered=run.altered_files(),
    )


def _largest_difference(now: Scores, then: Scores) -> float:
    rows = {(p, r, s): i for i, (p, r, s) in enumerate(then.names)}
    at = [rows.get(name) for name in now.names]
    if None in at or len(now) != len(then):
        return float("inf")
    other = then.at([i for i in at if i is not None])
    differences = np.concatenate([now.predicted - other.predicted, now.true - other.true])
    return float(np.abs(differences).max(initial=0.0))

"""One run from a model and a fold to a finished folder; stopped at any moment, it can go on."""

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.build import to_plain
from zoo.errors import CheckpointError, DataError, ZooError
from zoo.files import StorageError, read_json
from zoo.nn.model import contract_of
from zoo.protocol.protocol import FoldData
from zoo.runs.environment import versions
from zoo.runs.folder import RESUME, RunFolder, Start
from zoo.runs.key import RunKey, differences
from zoo.runs.record import InitFrom
from zoo.runs.run import Run, load_run
from zoo.runs.scores import Scores
from zoo.skeleton.layout import load_layout
from zoo.training.augment import AugmentedSamples, require_augmentable
from zoo.training.checkpoint import Checkpoint, read_checkpoint, save_resumable
from zoo.training.config import TrainerConfig
from zoo.training.cost import count_parameters
from zoo.training.fold import FoldDataset, predicted_scores, true_scores, validation_mad
from zoo.training.kept import require_kept
from zoo.training.plausible import require_plausible
from zoo.training.report import EpochRow, Reporter, RunStart
from zoo.training.result_files import (
    finished_files,
    finished_record,
    part_counts,
    scaler_tensors,
    session,
)
from zoo.training.seeding import reproducible, seed_all
from zoo.training.state import TrainState
from zoo.training.stop import StopRequest, StopSignals, TrainingStopped
from zoo.training.trainer import Trainer, TrainingData
from zoo.training.transfer import start_from, transfer_note, with_source
from zoo.words import some


def run_key(config: Mapping[str, Any], dataset: FoldDataset, protocol_hash: str) -> RunKey:
    """The key of the run that `train_run` would make; for asking whether it is there already.

    Raises:
        DataError: ``trainer.init_from`` names no finished run.
    """
    return RunKey.of(
        with_source(config)[0],
        fingerprint=dataset.fingerprint,
        layout=dataset.layout,
        protocol_hash=protocol_hash,
    )


def train_run(
    build: Callable[[], nn.Module],
    data: FoldData,
    config: Mapping[str, Any],
    *,
    dataset: FoldDataset,
    runs: Path,
    usual: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    reporter: Reporter | None = None,
) -> Run:
    """Train a model on a fold and keep everything that was found in a run folder.

    Args:
        build: makes the model; called after the seed is set, and once more when it is finished, to
            see that the saved state is the whole model.
        data: the fold.
        config: the composed configuration: ``model``, ``dataset``, ``protocol``, ``trainer``,
            ``seed``, ``fold``.
        dataset: the prepared dataset of the fold.
        runs: folder of all runs.
        usual: the configuration that would be composed without a word from the user; the run
            keeps what differs from it. None keeps nothing.
        resume: go on with a half-done run of the same key, return a finished one as it is, begin
            where there is none.
        overwrite: compute it anew; a finished run is replaced when the new one is.
        reporter: is told how it goes.

    Returns:
        The finished run.

    Raises:
        ConfigError: a setting that does not exist or has an impossible value.
        RunExistsError: the run is there, and neither `resume` nor `overwrite` is given.
        BusyError: another process works on it.
        CheckpointError: what is to be resumed or started from does not fit, with the reason.
        TrainingError: the loss is no longer finite, the memory does not suffice.
        StorageError: no room on the disk; the last checkpoint is kept.
        TrainingStopped: Ctrl-C or SIGTERM; an interrupt, not an ordinary exception.
    """
    config, source = with_source(config)
    trainer_config = TrainerConfig.from_dict(config["trainer"])
    key = RunKey.of(
        config,
        fingerprint=dataset.fingerprint,
        layout=dataset.layout,
        protocol_hash=data.protocol.hash(),
    )
    folder = RunFolder(key.path(runs))
    reporter = reporter or Reporter()
    start = folder.begin(resume=resume, overwrite=overwrite)
    if start is Start.FINISHED:
        reporter.on_note(f"this run is finished already: {folder.path}")
        return load_run(folder.path)
    try:
        with StopSignals() as stop, reproducible(trainer_config.threads):
            work = _Training(
                key, folder, data, dataset, config, usual, trainer_config, reporter, stop, source
            )
            if resume and start is Start.NEW:
                _say_nothing_to_resume(key, folder, reporter)
            return work.go(build, start)
    finally:
        reporter.on_end()
        folder.end()


@dataclass
class _Training:
    """One process's work on a run.

    Attributes:
        source: the run whose weights it starts from; None starts afresh.
        init_from: what was taken from there.
        chosen: of a run that is trained anew on everybody, what the first training chose.
        sessions: what the processes before this one, and this one, computed with.
        kept: last epoch that is safe on the disk.
        trainer: at work, or the last that was.
    """

    key: RunKey
    folder: RunFolder
    data: FoldData
    dataset: FoldDataset
    config: Mapping[str, Any]
    usual: Mapping[str, Any] | None
    settings: TrainerConfig
    reporter: Reporter
    stop: StopSignals
    source: Run | None = None
    init_from: InitFrom | None = None
    chosen: "_Chosen | None" = None
    sessions: list[dict[str, Any]] = field(default_factory=list)
    kept: int = 0
    trainer: Trainer | None = None

    def go(self, build: Callable[[], nn.Module], start: Start) -> Run:
        try:
            stored = read_checkpoint(self.folder.resume_file) if start is Start.RESUME else None
            selection = self.data.protocol.selection
            chosen = "last" if self.settings.keep == "last" else "best"
            if selection == "refit" and not (stored and stored.refit_after):
                trainer = self._trained(build, self.data, chosen, stored)
                self.chosen, stored = self._choice(trainer), None
            elif stored and stored.refit_after:
                self.chosen = self._stored_choice(stored)
            if self.chosen is not None:
                self._announce_refit(self.chosen)
            last = chosen if selection == "best" else "last"
            trainer = self._trained(build, self.data.tested, last, stored)
            self._finish(trainer, build)
        except StopRequest as request:
            raise self._stopped(request) from None
        except StorageError as error:
            raise StorageError(f"{error}. {self._how_to_go_on('Make room and run')}") from error
        if self.stop.requested is not None:
            message = f"the run was finished before it could be stopped: {self.folder.path}"
            raise TrainingStopped(message, self.stop.requested, self.kept, self.folder.path)
        return load_run(self.folder.path)

    def _trained(
        self,
        build: Callable[[], nn.Module],
        data: FoldData,
        selection: str,
        stored: Checkpoint | None,
    ) -> Trainer:
        """A training on `data`, from its beginning or from where `stored` has it, to its end."""
        trainer = self.trainer = self._trainer(build, data, selection)
        if stored is not None:
            self._restore(trainer, data, stored)
        self._announce(trainer, data)
        trainer.run(self.reporter, self.stop, lambda state: self._save(state, data))
        return trainer

    def _trainer(self, build: Callable[[], nn.Module], data: FoldData, selection: str) -> Trainer:
        seed, settings = int(self.config["seed"]), self.settings
        if self.chosen is not None:
            settings = replace(settings, early_stopping=None)
        batch, target, parts = data.learnt()
        if len(target) == 0 or len(data.split.test) == 0:
            raise DataError("the split leaves no samples for training or none for the test")
        if not bool(torch.isfinite(target).all()):
            raise DataError("a training sample has no finite score")
        require_plausible(data, self.dataset.score_range)
        training_data = TrainingData(batch, target, parts=parts)
        if len(data.split.validation):
            training_data = training_data._replace(
                validation=data.part("validation")[0], validation_mad=validation_mad(data)
            )
        seed_all(seed)
        model = build()
        if settings.augment.switched_on:
            layout, contract = load_layout(data.samples.layout), contract_of(model)
            require_augmentable(settings.augment, contract, layout)
            samples = data.stream_scaler, batch
            augmented = AugmentedSamples.of(settings.augment, layout, *samples, seed)
            training_data = training_data._replace(augmented=augmented)
        if self.source is not None:
            self.init_from = start_from(
                model, self.source, data, self.key.config["dataset"]["name"], self.settings
            )
            self.reporter.on_note(transfer_note(self.init_from))
        contract_of(model).prepare(batch, data.stream_scaler)
        trainer = Trainer(
            model,
            settings,
            training_data,
            seed=seed,
            selection=selection,
            epochs=None if self.chosen is None else self.chosen.best_epoch,
        )
        if self.chosen is None:
            self.sessions = [session(trainer, self.config["model"]["name"], after_epoch=0)]
        return trainer

    def _choice(self, trainer: Trainer) -> "_Chosen":
        """What the first of two trainings chose, and said of the validation people."""
        said = trainer.predict(self.data.part("validation")[0], self.stop)
        progress = trainer.progress
        epoch, measured = progress.best_epoch, progress.best_mad
        if self.settings.keep == "last":
            epoch, measured = progress.epoch, progress.history[-1].validation_mad or math.inf
        return _Chosen(
            list(progress.history),
            epoch,
            measured,
            predicted_scores(self.data, "validation", said),
        )

    def _stored_choice(self, stored: Checkpoint) -> "_Chosen":
        kept = {name: values.numpy() for name, values in stored.tensors["validation"].items()}
        table = true_scores(self.data, "validation")
        if len(kept.get("predicted", ())) != len(table):
            raise CheckpointError(
                f"the checkpoint {self.folder.resume_file} lacks scores of its validation people"
            )
        return _Chosen(
            stored.history[: stored.refit_after],
            stored.best_epoch,
            stored.best_mad,
            table.with_predicted(kept["predicted"], kept.get("deviation")),
        )

    def _announce_refit(self, chosen: "_Chosen") -> None:
        people = len(self.data.tested.split.persons("train"))
        what = "" if chosen.best_epoch < 2 else f", for {chosen.best_epoch} epochs"
        self.reporter.on_note(
            f"now trained anew on all {people} training people, those of the validation among "
            f"them{what}"
        )

    def _restore(self, trainer: Trainer, data: FoldData, stored: Checkpoint) -> None:
        stored.require(self.key, self.data.split.hash, scaler_tensors(data))
        try:
            trainer.restore(stored.state)
        except CheckpointError as error:
            raise CheckpointError(f"{error}. Use overwrite=True to train anew") from None
        self.kept = stored.epoch
        now = session(trainer, self.config["model"]["name"], after_epoch=self.kept)
        before = {**stored.sessions[-1], "after_epoch": self.kept}
        changed = differences(before, now)
        if changed:
            self.reporter.on_note(
                f"resumed under other conditions ({'; '.join(changed)}): the result may differ "
                "in the last digits from that of a run that was never stopped"
            )
        self.sessions = [*stored.sessions, now]

    def _announce(self, trainer: Trainer, data: FoldData) -> None:
        if self.chosen is None:
            for told in filter(None, (self.data.warning, *self.data.remarks, _cut(self.data))):
                self.reporter.on_note(told)
        self.reporter.on_start(
            RunStart(
                title=self.key.title,
                parameters=count_parameters(trainer.model),
                counts=part_counts(data),
                device=str(trainer.device),
                epochs=1 if trainer.closed_form else trainer.epochs,
                done=trainer.progress.epoch,
            )
        )

    def _save(self, state: TrainState, data: FoldData) -> None:
        best = {} if state.best_epoch == state.epoch else state.best
        tensors = {"model": state.model, "best": best, "optimizer": state.optimizer}
        checkpoint = self._checkpoint(state, data, tensors)
        save_resumable(checkpoint, self.folder.resume_file)
        self.kept = checkpoint.epoch

    def _checkpoint(
        self,
        state: TrainState,
        data: FoldData,
        tensors: Mapping[str, Mapping[str, Tensor]],
    ) -> Checkpoint:
        before = self.chosen or _Chosen([], state.best_epoch, state.best_mad, None)
        return Checkpoint(
            key=self.key.to_dict(),
            split_hash=self.data.split.hash,
            history=[*before.history, *state.history],
            best_epoch=before.best_epoch,
            best_mad=before.best_mad,
            versions=versions(),
            sessions=self.sessions,
            refit_after=len(before.history),
            tensors={**scaler_tensors(data), **before.tensors(), **tensors},
        )

    def _finish(self, trainer: Trainer, build: Callable[[], nn.Module]) -> None:
        begun = time.monotonic()
        if trainer.unlearned_variance:
            self.reporter.on_note(
                "the model says how far off it may be (log_variance), but no loss teaches it that: "
                "it is left out, and intervals are as wide for everybody. A head learns it "
                "(model.head, docs/heads.md)"
            )
        tested, scores = self.data.tested, {}
        if self.chosen is not None and self.chosen.validation is not None:
            scores["validation"] = self.chosen.validation
        for part in ("validation", "test"):
            if len(tested.split.index(part)):
                said = trainer.predict(tested.part(part)[0], self.stop)
                scores[part] = predicted_scores(tested, part, said)
        state = trainer.capture()
        seen = tested.part("test")[0]
        require_kept(build, trainer.model, state.model, seen, self.settings, trainer.device)
        checkpoint = self._checkpoint(state, tested, {"model": state.model})
        record = finished_record(
            self.key,
            self.config,
            self.data,
            self.dataset,
            trainer,
            checkpoint,
            scores,
            usual=self.usual,
            init_from=self.init_from,
            finish_seconds=time.monotonic() - begun,
        )
        self.stop.check()
        files = finished_files(self.config, self.data, checkpoint, scores)
        self.folder.finish(files, to_plain(record))
        self.kept = checkpoint.epoch

    def _stopped(self, request: StopRequest) -> TrainingStopped:
        trainer = self.trainer
        when = "before the first epoch"
        if trainer is not None and trainer.done:
            when = "while the run was being finished"
        elif trainer is not None:
            when = f"in epoch {trainer.progress.epoch + 1} of {trainer.epochs}"
            if self.chosen is not None:
                when += " of the training on everybody"
        message = f"{request.cause} came {when}. {self._how_to_go_on('Run')}"
        return TrainingStopped(message, request.signal_number, self.kept, self.folder.partial)

    def _how_to_go_on(self, verb: str) -> str:
        if not self.kept:
            return f"No epoch is kept yet. {verb} the same again to begin anew"
        return (
            f"Everything up to epoch {self.kept} is kept in {self.folder.partial}. {verb} the "
            "same again with resume=True to go on"
        )


@dataclass(frozen=True)
class _Chosen:
    """What the first of two trainings (``selection: refit``) chose.

    Attributes:
        history: its epochs.
        best_epoch: how many are trained again: up to the one with the lowest validation MAD, or all
            (``trainer.keep: last``).
        best_mad: the validation MAD after these.
        validation: what the weights of that epoch say of the validation people, who did not yet
            belong to those trained on: intervals are calibrated on it.
    """

    history: list[EpochRow]
    best_epoch: int
    best_mad: float
    validation: Scores | None

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """The predicted scores as tensors of a checkpoint."""
        if self.validation is None:
            return {}
        columns = {"predicted": self.validation.predicted, "deviation": self.validation.deviation}
        found = {k: torch.tensor(v) for k, v in columns.items() if v is not None}
        return {"validation": found}


def _cut(data: FoldData) -> str:
    """How many samples the recordings are cut into for the model; empty where they are not."""
    if data.pieces is None:
        return ""
    fed, samples = len(data.pieces), len(data.samples)
    return f"the model is fed {fed} samples, cut from {samples} recordings (trainer.sampling)"


def _say_nothing_to_resume(key: RunKey, folder: RunFolder, reporter: Reporter) -> None:
    """Say that nothing is resumed, and which half-done run of other settings was perhaps meant."""
    reporter.on_note("there is nothing to resume for these settings: the run begins anew")
    for file in sorted(folder.path.parent.glob(f"{key.stem}*.partial/{RESUME}")):
        with contextlib.suppress(ZooError, KeyError, TypeError):
            reasons = key.objections(read_json(file)["key"])
            reporter.on_note(f"{file.parent} is half done, but {some(reasons, between='; ')}")

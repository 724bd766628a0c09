"""The training loop.

Everything that changes while it runs is in the model, the optimiser and `Trainer.progress`; the
learning rate, the batch order and the random numbers of an epoch follow from the configuration,
the seed and the epoch's number. So `capture` after an epoch and `restore` before the next one
make a resumed run equal to one that was never stopped.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, TrainingError
from zoo.nn.model import contract_of
from zoo.training.augment import AugmentedSamples
from zoo.training.config import TrainerConfig
from zoo.training.device import autocast, explained_errors, predict, resolve_device, scores_of
from zoo.training.report import EpochRow, Reporter
from zoo.training.seeding import batches, seed_all
from zoo.training.state import (
    TrainState,
    clone_weights,
    load_optimizer,
    load_weights,
    optimizer_tensors,
)
from zoo.training.stop import StopRequest, StopSignals


class TrainingData(NamedTuple):
    """What the loop sees of a fold.

    Attributes:
        batch: all training samples, scaled.
        target: (S,) their scores in standardised units.
        validation: all validation samples, scaled; None where there are none.
        validation_mad: from standardised predictions of these to the MAD in score units.
        parts: (S,) by name, scores beside the total of the training samples, in its unit; for
            heads that predict them.
        augmented: the training samples as each step sees them, changed; None leaves them as in
            `batch`.
    """

    batch: Batch
    target: Tensor
    validation: Batch | None = None
    validation_mad: Callable[[Tensor], float] | None = None
    parts: Mapping[str, Tensor] = MappingProxyType({})
    augmented: AugmentedSamples | None = None


class Trainer:
    """Trains one model on one fold.

    Args:
        model: any module from `Batch` to `Prediction`. One with a method ``fit(batch, target)``
            is fitted once by it and not by gradients. Its head says what the loss is; that of a
            module without one is the mean squared error of its score.
        config: how.
        data: on what; moved to the device whole.
        seed: of batch order and random layers.
        selection: ``best`` keeps the weights with the lowest validation MAD, ``last`` the last.
        epochs: after how many to end, whatever `config` has; its schedule stays.

    Attributes:
        own: indices of the training samples that show the exercise which is tested; its head takes
            what it knows of scores from them alone.
        unlearned_variance: whether the model predicts variances that no loss teaches it; they are
            left out.

    Raises:
        ConfigError: no such device, or ``best`` without a validation part.
        TrainingError: the model has nothing to train.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainerConfig,
        data: TrainingData,
        *,
        seed: int = 0,
        selection: str = "last",
        epochs: int | None = None,
    ) -> None:
        require_validation(config, selection, data.validation is not None)
        self.config = config
        self.epochs = config.epochs if epochs is None else epochs
        self.device = resolve_device(config.device, config.precision)
        self.model = model.to(self.device)
        self.data = data._replace(
            batch=data.batch.to(self.device),
            target=data.target.to(self.device),
            validation=None if data.validation is None else data.validation.to(self.device),
            augmented=None if data.augmented is None else data.augmented.to(self.device),
        )
        self.seed = seed
        self.selection = selection
        self.progress = TrainState()
        contract = contract_of(model)
        self.closed_form, self.draws = contract.closed_form, contract.draws
        self.head, self.fit = contract.head, contract.fit
        self.learns_variance, self.unlearned_variance = contract.learns_variance, False
        self.target, exercise = self.data.target, self.data.batch.exercise
        everything = torch.arange(len(data.target), device=self.device)
        self.own = everything if exercise is None else everything[exercise == 0]
        if self.head is not None:
            self.target = self.head.targets(data.target, data.parts).to(self.device)
            self.head.prepare(self.target[self.own])
        self.optimizer = None if self.closed_form else make_optimizer(model, config)

    @property
    def done(self) -> bool:
        """Whether no epoch is left to train."""
        p, patience = self.progress, self.config.early_stopping
        if self.closed_form:
            return p.epoch >= 1
        early = patience is not None and p.epoch - max(p.best_epoch, 1) >= patience
        return p.epoch >= self.epochs or early

    def run(
        self,
        reporter: Reporter,
        stop: StopSignals,
        save: Callable[[TrainState], None] = lambda state: None,
    ) -> None:
        """Train to the end and leave the selected weights in the model.

        Args:
            reporter: is told of every epoch.
            stop: asked between batches.
            save: takes the state of every `checkpoint_every`-th epoch and of the last one, and
                of the last whole epoch when the training is stopped between two of these.

        Raises:
            TrainingError: the loss is no longer finite, the memory does not suffice, or the
                model's answer has the wrong shape.
            StopRequest: a signal arrived.
        """
        unsaved: TrainState | None = None
        try:
            while not self.done:
                with explained_errors(self.config):
                    row = self._fit(stop) if self.closed_form else self._epoch(stop)
                self._remember(row)
                state = self.capture()
                if self.done or self.progress.epoch % self.config.checkpoint_every == 0:
                    unsaved = None
                    save(state)
                else:
                    unsaved = state
                reporter.on_epoch(row)
        except StopRequest as request:
            if unsaved is not None and not request.hard:
                save(unsaved)
            raise
        p = self.progress
        if self.selection == "best" and p.best and p.best_epoch != p.epoch:
            load_weights(self.model, p.best)

    def predict(self, batch: Batch, stop: StopSignals | None = None) -> Prediction:
        """Standardised scores (N,) and variances, as `zoo.training.device.predict` gives them.

        Raises:
            TrainingError: a score is not finite, or their shape is wrong.
        """
        with explained_errors(self.config):
            found = predict(self.model, batch, self.config, self.device, stop)
        self._require_finite(found.score, "prediction", self.progress.epoch)
        return found

    def capture(self) -> TrainState:
        """A copy of everything the next epoch depends on."""
        return replace(
            self.progress,
            history=list(self.progress.history),
            model=clone_weights(self.model),
            optimizer=optimizer_tensors(self.model, self.optimizer),
        )

    def restore(self, state: TrainState) -> None:
        """Go on from `state`.

        Raises:
            CheckpointError: its tensors are not those of this model and optimiser.
        """
        load_weights(self.model, state.model, free_shapes=self.closed_form)
        load_optimizer(self.model, self.optimizer, state.optimizer)
        best = state.best if self.selection == "best" else {}
        self.progress = TrainState(
            list(state.history), state.best_epoch, state.best_mad, dict(best)
        )

    def _epoch(self, stop: StopSignals) -> EpochRow:
        assert self.optimizer is not None
        begun = time.monotonic()
        epoch = self.progress.epoch + 1
        lr = learning_rate(self.config, epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        seed_all(self.seed, epoch)
        self.model.train()
        total = torch.zeros((), device=self.device)
        samples = self.data.target.shape[0]
        order = batches(samples, self.config.batch_size, self.seed, epoch)
        for step, index in enumerate(order):
            stop.check()
            loss = self._step(index.to(self.device), epoch, step)
            total += loss * len(index)
            if self.device.type == "cpu":  # elsewhere asking would wait for the device each time
                self._require_finite(loss, "loss", epoch)
        self._require_finite(total, "loss", epoch)
        if self.head is not None:
            self.head.refresh(self._output)
        mad = self._validate(epoch, stop)
        return EpochRow(epoch, lr, float(total) / samples, mad, time.monotonic() - begun)

    def _step(self, index: Tensor, epoch: int, step: int) -> Tensor:
        assert self.optimizer is not None
        if self.data.augmented is None:
            batch = self.data.batch.select(index)
        else:
            batch = self.data.augmented.draw(index, epoch, step)
        with autocast(self.config, self.device):
            answer = self.model(batch.trimmed())
            score = scores_of(answer, len(index))
        if not self.learns_variance and getattr(answer, "log_variance", None) is not None:
            self.unlearned_variance = True
        if not score.requires_grad:
            raise TrainingError(
                "the model's scores do not depend on a parameter that can be trained: does its "
                "forward detach them, or round them to whole numbers? A model without gradients "
                "has a method fit(batch, target)"
            )
        target = self.target[index]
        if self.head is None:
            loss = nn.functional.mse_loss(score.float(), target)
        else:
            total, shown = self.data.target[index], self.data.batch.exercise
            loss = self.head.objective(
                answer.output.float(), target, total, None if shown is None else shown[index]
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.grad_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
        self.optimizer.step()
        return loss.detach()

    def _output(self, index: Tensor) -> Tensor:
        """What the head says of the own exercise's training samples at `index` (M,), as it will.

        In evaluation mode, `eval_batch_size` at a time.
        """
        self.model.eval()
        found: list[Tensor] = []
        with torch.no_grad(), autocast(self.config, self.device):
            for part in self.own[index].split(self.config.eval_batch_size):
                batch = self.data.batch.select(part).trimmed()
                found.append(self.model(batch).output.float())
        return torch.cat(found)

    def _fit(self, stop: StopSignals) -> EpochRow:
        assert self.fit is not None
        begun = time.monotonic()
        seed_all(self.seed, 1)
        before = torch.get_rng_state()
        with stop.immediate(), torch.no_grad():
            self.fit(self.data.batch, self.data.target)
        if not self.draws and not torch.equal(before, torch.get_rng_state()):
            raise TrainingError(
                f"{type(self.model).__name__} says that it draws no random numbers "
                "(draws = False), but its fit does: other seeds would give other scores"
            )
        return EpochRow(1, 0.0, None, self._validate(1, stop), time.monotonic() - begun)

    def _validate(self, epoch: int, stop: StopSignals) -> float | None:
        if self.data.validation is None or self.data.validation_mad is None:
            return None
        score = predict(self.model, self.data.validation, self.config, self.device, stop).score
        self._require_finite(score, "prediction for the validation part", epoch)
        return self.data.validation_mad(score)

    def _remember(self, row: EpochRow) -> None:
        p = self.progress
        p.history.append(row)
        if row.validation_mad is not None and row.validation_mad < p.best_mad:
            p.best_epoch, p.best_mad = row.epoch, row.validation_mad
            if self.selection == "best":
                p.best = clone_weights(self.model)

    def _require_finite(self, values: Tensor, what: str, epoch: int) -> None:
        if not bool(torch.isfinite(values).all()):
            if self.closed_form:
                raise TrainingError(f"after its fit the model's {what} is not finite")
            lr = learning_rate(self.config, epoch)
            tries = [f"a lower rate (trainer.lr={self.config.lr / 10:g})"]
            if self.config.grad_clip is None or self.config.grad_clip > 1:
                tries.append("clipped gradients (trainer.grad_clip=1.0)")
            if self.config.warmup_epochs == 0 and self.config.epochs > 5:
                tries.append("a warm-up (trainer.warmup_epochs=5)")
            if self.config.precision != "fp32":
                tries.append("full precision (trainer.precision=fp32)")
            hint = ""
            if epoch <= 1:
                hint = (
                    ". In the first epoch it may be the model itself: a division by zero, the "
                    "gradient of a root at zero, padded frames (batch.mask) that reach the score"
                )
            raise TrainingError(
                f"the {what} is no longer finite in epoch {epoch} of {self.config.epochs}, "
                f"learning rate {lr:g}. Try {', '.join(tries)}{hint}"
            )


def require_validation(config: TrainerConfig, selection: str, there: bool) -> None:
    """Nothing, if the validation part that a training asks for is `there`.

    Raises:
        ConfigError: it is not.
    """
    if not there and (selection == "best" or config.early_stopping):
        what = "selects the best epoch" if selection == "best" else "stops early"
        raise ConfigError(
            f"the protocol has no validation part, but the training {what} on it: use "
            "protocol.selection=last and trainer.early_stopping=null"
        )


def learning_rate(config: TrainerConfig, epoch: int) -> float:
    """The rate of an epoch, counted from 1.

    In the w warm-up epochs lr·e/(w + 1); after them `lr`, or for the cosine schedule
    lr·(1 + cos(π(e − 1 − w)/(E − w)))/2, which is `lr` at first and ends just above 0.
    """
    warm = config.warmup_epochs
    if epoch <= warm:
        return config.lr * epoch / (warm + 1)
    if config.schedule == "constant":
        return config.lr
    done = (epoch - 1 - warm) / (config.epochs - warm)
    return config.lr * (1 + math.cos(math.pi * done)) / 2


def make_optimizer(model: nn.Module, config: TrainerConfig) -> torch.optim.Optimizer:
    """AdamW or SGD over all parameters that want a gradient.

    Raises:
        TrainingError: there are none.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise TrainingError(
            f"{type(model).__name__} has no parameters to train and no method fit(batch, target)"
        )
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, config.lr, momentum=config.momentum, weight_decay=config.weight_decay
        )
    # One kernel for all parameters instead of a dozen operations each, where they are so many
    # small ones seven times faster. It goes by their memory, in which strides are not seen.
    fused = all(p.is_floating_point() and p.is_contiguous() for p in parameters)
    return torch.optim.AdamW(parameters, config.lr, weight_decay=config.weight_decay, fused=fused)

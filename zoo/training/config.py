"""Settings of the trainer, checked before anything is computed."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from registry import did_you_mean
from zoo.errors import ConfigError

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "constant")
PRECISIONS = ("fp32", "bf16")
INIT_HEADS = ("keep", "fresh")


@dataclass(frozen=True)
class TrainerConfig:
    """How a model is trained; the keys of ``configs/trainer/default.yaml``.

    Attributes:
        epochs: passes over the training samples.
        batch_size: samples of one step. A last batch of one sample joins the one before it.
        eval_batch_size: samples at a time where no gradient is needed.
        optimizer: ``adamw`` or ``sgd``; both apply `weight_decay` to all parameters.
        lr: highest learning rate.
        momentum: of SGD.
        weight_decay: decoupled for AdamW, added to the gradient for SGD.
        schedule: ``cosine`` falls to 0 over the epochs after the warm-up, or ``constant``.
        warmup_epochs: epochs in which the rate rises linearly to `lr`.
        grad_clip: largest Euclidean norm of the whole gradient; None leaves it alone.
        early_stopping: stop after so many epochs without a better validation MAD; None never.
        precision: ``fp32``, or ``bf16`` by autocast (weights and loss stay fp32).
        device: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads of torch; None leaves its choice.
        checkpoint_every: epochs between checkpoints; what a kill can lose at most.
        init_from: folder of a finished run whose weights the training starts from; None starts
            afresh. In a run's own configuration it is the hash of that run's key.
        init_joints: the other run's joint for ours, where their names differ.
        init_head: ``keep`` takes the head's weights too, ``fresh`` leaves them as initialised.
    """

    epochs: int = 60
    batch_size: int = 32
    eval_batch_size: int = 64
    optimizer: str = "adamw"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.01
    schedule: str = "cosine"
    warmup_epochs: int = 0
    grad_clip: float | None = 1.0
    early_stopping: int | None = None
    precision: str = "fp32"
    device: str = "auto"
    threads: int | None = None
    checkpoint_every: int = 5
    init_from: str | None = None
    init_joints: Mapping[str, str] | None = None
    init_head: str = "keep"

    def __post_init__(self) -> None:
        for key in ("epochs", "batch_size", "eval_batch_size", "checkpoint_every"):
            self._whole(key, 1)
        for key in ("early_stopping", "threads"):
            if getattr(self, key) is not None:
                self._whole(key, 1)
        self._whole("warmup_epochs", 0)
        self._number("lr", "above 0", lambda v: v > 0)
        for key in ("weight_decay", "momentum"):
            self._number(key, "0 or above", lambda v: v >= 0)
        if self.grad_clip is not None:
            self._number("grad_clip", "above 0, or null", lambda v: v > 0)
        for key, known in (
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("precision", PRECISIONS),
            ("init_head", INIT_HEADS),
        ):
            if getattr(self, key) not in known:
                self._refuse(key, " or ".join(known))
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", str(self.device)):
            self._refuse("device", "auto, cpu, cuda or cuda:N")
        if self.init_joints is not None and not isinstance(self.init_joints, Mapping):
            self._refuse("init_joints", "our joints and the other run's, {Waist: SpineBase}")
        if self.warmup_epochs >= self.epochs:
            self._refuse("warmup_epochs", f"fewer than trainer.epochs ({self.epochs})")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainerConfig":
        """The settings in `values`; what is not named keeps its default.

        Raises:
            ConfigError: a key that does not exist, or an impossible value.
        """
        known = [f.name for f in fields(cls)]
        for key in values:
            if key not in known:
                near = did_you_mean(str(key), known)
                raise ConfigError(f"no setting is called trainer.{key}. {near}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values."""
        return asdict(self)

    def _whole(self, key: str, least: int) -> None:
        value = getattr(self, key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self._refuse(key, f"a whole number of at least {least}")

    def _number(self, key: str, words: str, fits: Any) -> None:
        value = getattr(self, key)
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if not plain or not abs(value) < float("inf") or not fits(value):
            self._refuse(key, f"a number {words}")

    def _refuse(self, key: str, expected: str) -> None:
        hint = ""
        if isinstance(getattr(self, key), str) and "number" in expected:
            hint = " (YAML reads 1e-3 as text: write 1.0e-3 or 0.001)"
        raise ConfigError(f"trainer.{key} is {getattr(self, key)!r}, expected {expected}{hint}")

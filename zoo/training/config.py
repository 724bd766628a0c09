"""Settings of the trainer, checked before anything is computed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from zoo.build import Index, build
from zoo.data.segment import Sampling
from zoo.errors import ConfigError
from zoo.protocol.feed import Feed


@dataclass(frozen=True)
class Augment:
    """How training samples are changed, anew in every epoch; each switch is off by default.

    What a person is scored for must survive. So nothing changes the speed of a movement, nor how
    far a joint bends: these are what raters look at. Tested samples are never changed.

    Attributes:
        mirror: chance that a sample is mirrored, left and right swapped.
        turn: degrees; the body is turned about its vertical by up to so many, either way.
        limbs: share; the bones of each limb (both arms alike, both legs alike, trunk, head) are
            lengthened or shortened by up to this, in the same pose.
        lost: chance, of each joint, that it is lost for a while (up to half of the sample) and its
            gap closed as readers close them.
        noise: standard deviation of what is added to every coordinate, in the unit of the
            positions: metres, unless the protocol scales bodies.
        crop: the least share of a sample's frames that is kept, in one piece; 1 keeps all.
    """

    mirror: float = 0.0
    turn: float = 0.0
    limbs: float = 0.0
    lost: float = 0.0
    noise: float = 0.0
    crop: float = 1.0

    def __post_init__(self) -> None:
        for key, most in (("mirror", 1.0), ("turn", 180.0), ("limbs", 0.5), ("lost", 1.0)):
            self._require(key, 0 <= getattr(self, key) <= most, f"0 to {most:g}")
        self._require("noise", self.noise >= 0, "a number 0 or above")
        self._require("crop", 0 < self.crop <= 1, "above 0, up to 1")

    @property
    def switched_on(self) -> list[str]:
        """Names of the switches that are on."""
        return [f.name for f in fields(self) if getattr(self, f.name) != f.default]

    def _require(self, key: str, fits: bool, expected: str) -> None:
        if not fits:
            raise ConfigError(
                f"trainer.augment.{key} is {getattr(self, key)!r}, expected {expected}"
            )


@dataclass(frozen=True)
class Start:
    """The run to start from, said by what it is; it is trained where it is not there yet.

    What is left out is as in the run that starts from it; of another dataset it is fold 0.

    Attributes:
        model, dataset, protocol: names of entries, with the settings they come with.
        exercise, fold, seed: its place.
        settings: its own (``set``), such as ``{trainer.epochs: 100}``.
    """

    model: str | None = None
    dataset: str | None = None
    protocol: str | None = None
    exercise: str | None = None
    fold: Index | None = None
    seed: Index | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, metadata={"key": "set"})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Start":
        """The run that `values` describe; errors are those of `zoo.build.build`."""
        return build(cls, values, "trainer.init_from")


@dataclass(frozen=True)
class TrainerConfig:
    """How a model is trained. These are the defaults; an entry's ``trainer:`` says what differs.

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
        threads: CPU threads of torch; None leaves its choice. One, as in a sweep, so that a run is
            the same run however it is started: other numbers add in another order.
        checkpoint_every: epochs between checkpoints; what a kill can lose at most.
        keep: ``chosen`` keeps the weights of the epoch that the protocol lets its validation people
            choose; ``last`` those after all epochs, for a recipe whose length was fixed
            beforehand: fifteen people choose little but noise.
        exercises: ``one`` trains on the run's own exercise; ``all`` on the training people's
            recordings of the dataset's other exercises too, with targets standardised within each.
            What is validated and tested is of the own exercise.
        init_from: folder of a finished run whose weights the training starts from, or what makes
            that run, see `Start`; None starts afresh. In a run's own configuration it is the hash
            of that run's key, or what makes it and the hash as ``run``.
        init_joints: the other run's joint for ours, where their names differ.
        init_head: ``keep`` takes the head's weights too, ``fresh`` leaves them as initialised.
        augment: how training samples are changed; not at all by default.
        rate: frames a second of what the model is fed, each sample at its own length in seconds, in
            place of the protocol's number of frames; None leaves these.
        sampling: samples that the model cuts from recordings which the protocol takes whole; a
            recording's score is the mean (or what else the protocol says) over its samples.
    """

    epochs: int = 60
    batch_size: int = 32
    eval_batch_size: int = 64
    optimizer: Literal["adamw", "sgd"] = "adamw"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.01
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: int = 0
    grad_clip: float | None = 1.0
    early_stopping: int | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    device: str = "auto"
    threads: int | None = 1
    checkpoint_every: int = 5
    keep: Literal["chosen", "last"] = "chosen"
    exercises: Literal["one", "all"] = "one"
    init_from: str | Mapping[str, Any] | None = None
    init_joints: Mapping[str, str] | None = None
    init_head: Literal["keep", "fresh"] = "keep"
    augment: Augment = field(default_factory=Augment)
    rate: float | None = None
    sampling: Sampling | None = None

    def __post_init__(self) -> None:
        for key in ("epochs", "batch_size", "eval_batch_size", "checkpoint_every"):
            self._require(key, getattr(self, key) >= 1, "a whole number of at least 1")
        for key in ("early_stopping", "threads"):
            value = getattr(self, key)
            self._require(key, value is None or value >= 1, "a whole number of at least 1, or null")
        self._require("warmup_epochs", self.warmup_epochs >= 0, "a whole number of at least 0")
        self._require("lr", self.lr > 0, "a number above 0")
        self._require("weight_decay", self.weight_decay >= 0, "a number 0 or above")
        self._require("momentum", self.momentum >= 0, "a number 0 or above")
        self._require("rate", self.rate is None or self.rate > 0, "a number above 0, or null")
        fits = self.grad_clip is None or self.grad_clip > 0
        self._require("grad_clip", fits, "a number above 0, or null")
        fits = bool(re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device))
        self._require("device", fits, "auto, cpu, cuda or cuda:N")
        if isinstance(self.init_from, Mapping):
            Start.from_dict({k: v for k, v in self.init_from.items() if k != "run"})
        fits = self.warmup_epochs < self.epochs
        self._require("warmup_epochs", fits, f"fewer than trainer.epochs ({self.epochs})")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainerConfig":
        """The settings in `values`; errors are those of `zoo.build.build`."""
        return build(cls, values, "trainer")

    def feed(self, raw: bool) -> Feed:
        """How a model is fed that takes samples as recorded, or does not."""
        return Feed(raw, self.rate, self.sampling)

    def _require(self, key: str, fits: bool, expected: str) -> None:
        if not fits:
            raise ConfigError(f"trainer.{key} is {getattr(self, key)!r}, expected {expected}")

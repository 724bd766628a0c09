"""Protocols: how recordings become samples, who is tested, and what may be fitted on what."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from registry import PROTOCOLS
from registry.nearest import did_you_mean
from zoo.config import entry_config
from zoo.data.recording import Recording
from zoo.data.samples import PIPELINE_VERSION, SampleSet, build_samples
from zoo.data.scalers import TARGET_SCALES, StreamScaler, TargetScaler
from zoo.data.segment import Sampling
from zoo.data.transforms import Step, parse_steps
from zoo.errors import ConfigError
from zoo.protocol.fold import FoldData, Split
from zoo.protocol.leakage import check_leakage, gate
from zoo.protocol.splits import SplitRule

SCALER_SCOPES = ("train", "all", "none")
SELECTIONS = ("best", "last")
AGGREGATES = ("mean", "median")


@dataclass(frozen=True)
class Protocol:
    """A way of evaluating, complete: two results compare only under equal protocol hashes.

    Attributes:
        name: name of its configuration.
        summary: one sentence for people.
        leaky: a person or a recording may stand on both sides of the split.
        leak_reason: why, in plain words; required when leaky.
        sampling: what one sample is.
        frames: frames T of each sample after cubic resampling; None keeps lengths and pads.
        transforms: steps applied to each recording before it is cut, in order.
        split: how the samples are dealt to training, validation and test.
        scaler: ``train`` fits scalers on the training part, ``all`` on every sample (which
            leaks), ``none`` leaves the streams as they are.
        target_scale: ``zscore``, ``minmax`` or ``none``; fitted on what `scaler` names
            (``none`` means the training part here).
        selection: ``best`` epoch on the validation part, or the ``last``.
        aggregate: how predictions of one recording's samples become one: mean or median.
        seeds: seeds this protocol's published runs use; information for sweeps.
    """

    name: str
    summary: str = ""
    leaky: bool = False
    leak_reason: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    frames: int | None = 100
    transforms: tuple[Step, ...] = ()
    split: SplitRule = field(default_factory=SplitRule)
    scaler: str = "train"
    target_scale: str = "zscore"
    selection: str = "best"
    aggregate: str = "mean"
    seeds: tuple[int, ...] = (0,)

    @property
    def num_folds(self) -> int:
        """How many folds `fold` accepts, repeats counted."""
        return self.split.num_folds

    def hash(self) -> str:
        """SHA-256 over everything that can change a number; prose is left out."""
        raise NotImplementedError

    def samples(
        self, recordings: Iterable[Recording], streams: Sequence[str], *, scored: bool = True
    ) -> SampleSet:
        """Recordings as samples of this protocol, unscaled (for training and for prediction)."""
        return build_samples(
            recordings, self.sampling, self.transforms, streams, self.frames, scored=scored
        )

    def fold(
        self,
        dataset: Iterable[Recording],
        fold: int,
        streams: Sequence[str],
        *,
        samples: SampleSet | None = None,
    ) -> FoldData:
        """One fold: samples, split, scalers, passed through the leakage gate.

        Args:
            dataset: recordings of one exercise.
            fold: 0 … `num_folds` − 1.
            streams: what the model needs.
            samples: samples this protocol built before from the same data, to save time.

        Raises:
            ConfigError: no such fold.
            DataError: too few people, or unknown ones where the split is by person.
            LeakageError: a person stands on both sides and the protocol does not say so.
        """
        raise NotImplementedError

    @classmethod
    def from_config(cls, name: str, config: Mapping[str, Any]) -> "Protocol":
        """The protocol described by a configuration's ``card`` and ``params``."""
        raise NotImplementedError


def load_protocol(name: str, **overrides: Any) -> Protocol:
    """The protocol called `name`, with some of its parameters replaced.

    Raises:
        ConfigError: a key or a value that a protocol does not have.
    """
    raise NotImplementedError

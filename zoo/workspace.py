"""The one way to make a run: in a folder of runs, from a folder of prepared datasets."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from torch import nn

from zoo.compose import compose
from zoo.data.dataset import SkeletonDataset, load_dataset
from zoo.data.samples import SampleSet
from zoo.models import create_model
from zoo.nn.model import contract_of
from zoo.protocol.protocol import FoldData, Protocol
from zoo.runs.key import RunKey
from zoo.runs.run import Run
from zoo.training.fold import FoldDataset, open_dataset, open_protocol
from zoo.training.report import Reporter
from zoo.training.run import run_key, train_run

T = TypeVar("T")

MOST_BYTES = 300_000_000
"""Samples that a workspace keeps for further runs."""


@dataclass(frozen=True, eq=False)
class Session:
    """A dataset, a protocol and a model, ready for any of the protocol's folds.

    Attributes:
        config: the composed configuration; its ``fold`` is not looked at.
        dataset: the recordings of the chosen exercise, and those of the dataset to test on where
            the protocol names another one.
        protocol: as configured.
        build: makes a freshly initialised model.
        streams: what the model needs.
        raw: whether it takes segments as recorded, neither resampled nor scaled.
    """

    config: Mapping[str, Any]
    dataset: FoldDataset
    protocol: Protocol
    build: Callable[[], nn.Module]
    streams: tuple[str, ...]
    raw: bool
    _samples: "_KeptSamples" = field(repr=False)

    @property
    def num_folds(self) -> int:
        """How many folds the protocol has on these recordings, repeats counted."""
        return self.protocol.split.num_folds({i.subject for i in self.dataset.index if i.scored})

    def fold(self, fold: int) -> FoldData:
        """The data of one fold; the samples are made once."""
        samples = self._samples.of(self)
        return self.protocol.fold(self.dataset, fold, self.streams, samples=samples, raw=self.raw)


class Workspace:
    """A folder of runs and a folder of prepared datasets.

    Opened datasets and samples are kept, so that further runs on the same data begin at once.

    Args:
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.
    """

    def __init__(self, runs: Path | str, data_root: Path | str | None = None) -> None:
        self.runs = Path(runs)
        self.data_root = None if data_root is None else Path(data_root)
        self._made: dict[str, Any] = {}
        self._samples = _KeptSamples()

    def exercises(self, config: Mapping[str, Any]) -> list[str]:
        """Ids of the exercises that have scores in the dataset of `config`."""
        block = config["dataset"]
        params = {k: v for k, v in block.items() if k not in ("name", "exercise")}
        return self._load(block["name"], self.data_root, **params).select(exercise=None).exercises

    def dataset(self, config: Mapping[str, Any]) -> FoldDataset:
        """The scored recordings of the configured exercise, as in `Session`."""
        return self._opened(config).dataset

    def open(self, config: Mapping[str, Any]) -> Session:
        """Everything that `config` names, opened.

        Raises:
            UserError: whatever is unknown, not prepared or does not fit together.
        """
        data = self._opened(config)
        name, layout = config["model"]["name"], data.dataset.layout
        params = {k: v for k, v in config["model"].items() if k != "name"}

        def build() -> nn.Module:
            return create_model(name, layout=layout, **params)

        def inputs() -> tuple[tuple[str, ...], bool]:
            contract = contract_of(build())
            return contract.streams, contract.raw

        inputs_of = self._once("inputs", [config["model"], layout], inputs)
        return Session(config, data.dataset, data.protocol, build, *inputs_of, self._samples)

    def key(self, config: Mapping[str, Any]) -> RunKey:
        """What makes the run of `config` the run it is; nothing is computed, no model built.

        Raises:
            UserError: whatever is unknown, not prepared or does not fit together.
        """
        data = self._opened(config)
        return run_key(config, data.dataset, data.protocol_hash)

    def run(
        self,
        config: Mapping[str, Any],
        *,
        resume: bool = False,
        overwrite: bool = False,
        reporter: Reporter | None = None,
    ) -> Run:
        """Train and test as a composed configuration says; arguments as in `train_run`.

        Raises:
            UserError: what the caller can mend.
            TrainingStopped: Ctrl-C or SIGTERM; an interrupt, not an ordinary exception.
        """
        session = self.open(config)
        return train_run(
            session.build,
            session.fold(int(config["fold"])),
            config,
            dataset=session.dataset,
            runs=self.runs,
            usual=self._without_a_word(config),
            resume=resume,
            overwrite=overwrite,
            reporter=reporter,
        )

    def _opened(self, config: Mapping[str, Any]) -> "_Data":
        """The scored recordings of the configured exercise, and the protocol."""

        def opened() -> _Data:
            protocol = open_protocol(config)
            dataset = open_dataset(config, protocol, self.data_root, self._load)
            return _Data(dataset, protocol, protocol.hash())

        return self._once("data", [config["dataset"], config["protocol"]], opened)

    def _load(self, name: str, data_root: Path | None, **params: Any) -> SkeletonDataset:
        return self._once(
            "dataset", [name, params], lambda: load_dataset(name, data_root, **params)
        )

    def _without_a_word(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """What would be composed of these names without a word from the user."""
        names = {kind: config[kind]["name"] for kind in ("model", "dataset", "protocol")}
        return self._once("usual", names, lambda: compose(**names))

    def _once(self, what: str, key: Any, make: Callable[[], T]) -> T:
        """What `make` makes of `key`, made once."""
        name = json.dumps([what, key], sort_keys=True)
        if name not in self._made:
            self._made[name] = make()
        return cast(T, self._made[name])


class _Data(NamedTuple):
    dataset: FoldDataset
    protocol: Protocol
    protocol_hash: str


class _KeptSamples:
    """Samples by what they are made of, the latest first to stay."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, SampleSet] = OrderedDict()

    def of(self, session: Session) -> SampleSet:
        """The samples of a session, made if need be."""
        config = session.config
        name = json.dumps(
            [config["dataset"], config["protocol"], session.streams, session.raw], sort_keys=True
        )
        samples = self._kept.pop(name, None)
        if samples is None:
            samples = session.protocol.samples(session.dataset, session.streams, raw=session.raw)
        self._kept[name] = samples
        while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > MOST_BYTES:
            self._kept.popitem(last=False)
        return samples


def _size(samples: SampleSet) -> int:
    return sum(stream.nbytes for stream in samples.streams.values())

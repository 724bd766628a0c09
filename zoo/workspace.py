"""The one way to make a run: in a folder of runs, from a folder of prepared datasets."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import nn

from zoo.build import Place, checked, to_plain
from zoo.compose import compose, compose_start
from zoo.data.columns import Columns
from zoo.data.dataset import SkeletonDataset, create_adapter, load_dataset
from zoo.data.derived import Derivation
from zoo.data.paths import data_root
from zoo.data.samples import SampleSet
from zoo.data.store import MANIFEST_FILE
from zoo.errors import ConfigError
from zoo.models import create_model
from zoo.nn.inputs import stream_names
from zoo.nn.model import contract_of
from zoo.protocol.feed import Feed, require_feed
from zoo.protocol.protocol import FoldData, Protocol, load_protocol
from zoo.runs.key import RunKey
from zoo.runs.run import Run
from zoo.skeleton.layout import load_layout
from zoo.training.augment import require_augmentable
from zoo.training.config import TrainerConfig
from zoo.training.device import resolve_device
from zoo.training.fold import FoldDataset
from zoo.training.report import Reporter
from zoo.training.run import run_key, train_run
from zoo.training.trainer import make_optimizer, require_validation
from zoo.training.transfer import with_source

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
        feed: how it is fed.
        draws: whether its seed makes a difference.
        derive: what the model computes of recordings alone; None where nothing.
        beside: the dataset's other exercises, where they are trained on too; else None.
    """

    config: Mapping[str, Any]
    dataset: FoldDataset
    protocol: Protocol
    build: Callable[[], nn.Module]
    streams: tuple[str, ...]
    feed: Feed
    draws: bool
    derive: Derivation | None
    beside: SkeletonDataset | None
    _kept: OrderedDict[str, SampleSet] = field(repr=False)

    @property
    def num_folds(self) -> int:
        """How many folds the protocol has on these recordings, repeats counted."""
        columns = Columns.of(info for info in self.dataset.index if info.scored)
        self.protocol.split.check(columns)
        return self.protocol.split.num_folds(columns)

    def fold(self, fold: int) -> FoldData:
        """The data of one fold; the samples are made once."""
        samples = self._samples(self.dataset, beside=False)
        beside = None if self.beside is None else self._samples(self.beside, beside=True)
        while len(self._kept) > 2 and sum(map(_size, self._kept.values())) > MOST_BYTES:
            self._kept.popitem(last=False)
        return self.protocol.fold(
            self.dataset, fold, self.streams, samples=samples, beside=beside, feed=self.feed
        )

    def _samples(self, dataset: FoldDataset, *, beside: bool) -> SampleSet:
        """All samples of `dataset`, made once."""
        fed = [self.streams, to_plain(self.feed), self.derive and self.derive.key]
        choices = [self.config["dataset"], self.config["protocol"], beside, *fed]
        name = json.dumps(choices, sort_keys=True)
        samples = self._kept.pop(name, None)
        if samples is None:
            samples = self.protocol.samples(dataset, self.streams, feed=self.feed)
            if self.derive is not None:
                folder = dataset.folder if isinstance(dataset, SkeletonDataset) else None
                samples = self.derive.of(samples, folder)
        self._kept[name] = samples
        return samples

    def first_samples(self) -> SampleSet:
        """The samples of the first recording alone."""
        first = list(islice(self.dataset, 1))
        return self.protocol.samples(first, self.streams, feed=self.feed)


class Workspace:
    """A folder of runs and a folder of prepared datasets.

    Opened datasets and samples are kept, so that further runs on the same data begin at once.

    Args:
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.
    """

    @checked
    def __init__(self, runs: Place, data_root: Place | None = None) -> None:
        self.runs = Path(runs)
        self.data_root = None if data_root is None else Path(data_root)
        self._made: dict[str, Any] = {}
        self._samples: OrderedDict[str, SampleSet] = OrderedDict()

    def exercises(self, config: Mapping[str, Any]) -> list[str]:
        """Ids of the exercises that have scores in the dataset of `config`."""
        return self._load(**{**config["dataset"], "exercise": None}).exercises

    def dataset(self, config: Mapping[str, Any]) -> FoldDataset:
        """The scored recordings of the configured exercise, as in `Session`.

        Raises:
            DataError: a dataset is not prepared, has no such exercise, or cannot be compared.
        """
        return self._opened(config)[0]

    def open(self, config: Mapping[str, Any]) -> Session:
        """Everything that `config` names, opened.

        Raises:
            UserError: whatever is unknown, not prepared or does not fit together.
        """
        dataset, protocol, _ = self._opened(config)
        build = partial(create_model, layout=dataset.layout, **config["model"])

        contract = self._once(
            "contract", [config["model"], dataset.layout], lambda: contract_of(build())
        )
        feed = TrainerConfig.from_dict(config.get("trainer", {})).feed(contract.raw)
        require_feed(feed, protocol.name, protocol.sampling, closed_form=contract.closed_form)
        inputs = contract.streams, feed, contract.draws, contract.derive
        beside = self._beside(config, dataset)
        return Session(config, dataset, protocol, build, *inputs, beside, self._samples)

    def fold(
        self, config: Mapping[str, Any], streams: Sequence[str], *, raw: bool = False
    ) -> FoldData:
        """The fold that `config` names, for a model of one's own; `config` need not name it.

        Args:
            config: a composed configuration.
            streams: what the model needs.
            raw: whether it takes segments as recorded.

        Raises:
            UserError: whatever is unknown, not prepared or does not fit together.
        """
        dataset, protocol, _ = self._opened(config)
        return protocol.fold(dataset, int(config["fold"]), stream_names(streams), feed=Feed(raw))

    def key(self, config: Mapping[str, Any]) -> RunKey:
        """What makes the run of `config` the run it is; nothing is computed, no model built.

        Raises:
            UserError: whatever is unknown, not prepared or does not fit together.
        """
        dataset, _, protocol_hash = self._opened(config)
        start = compose_start(config, self.data_root)
        if start is None:
            return run_key(config, dataset, protocol_hash)
        return RunKey.of(
            _starting_from(config, self.key(start).hash),
            fingerprint=dataset.fingerprint,
            layout=dataset.layout,
            protocol_hash=protocol_hash,
        )

    def run(
        self,
        config: Mapping[str, Any],
        *,
        resume: bool = False,
        overwrite: bool = False,
        reporter: Reporter | None = None,
    ) -> Run:
        """Train and test as a composed configuration says; arguments as in `train_run`.

        A run that it starts from and that is not there yet is trained first.

        Raises:
            UserError: what the caller can mend.
            TrainingStopped: Ctrl-C or SIGTERM; an interrupt, not an ordinary exception.
        """
        start = compose_start(config, self.data_root)
        if start is not None:
            source = self.run(start, resume=True, reporter=reporter)
            config = _starting_from(config, str(source.path))
        session = self.open(config)
        names = {kind: config[kind]["name"] for kind in ("model", "dataset", "protocol")}
        return train_run(
            session.build,
            session.fold(int(config["fold"])),
            config,
            dataset=session.dataset,
            runs=self.runs,
            usual=self._once("usual", names, lambda: compose(**names, data_root=self.data_root)),
            resume=resume,
            overwrite=overwrite,
            reporter=reporter,
        )

    def _opened(self, config: Mapping[str, Any]) -> tuple[FoldDataset, Protocol, str]:
        """The scored recordings of the configured exercise, the protocol, and its hash."""

        def opened() -> tuple[FoldDataset, Protocol, str]:
            protocol = load_protocol(**config["protocol"])
            dataset = protocol.split.joined(self._load(**config["dataset"]), self._whole)
            return dataset, protocol, protocol.hash()

        return self._once("data", [config["dataset"], config["protocol"]], opened)

    def _beside(self, config: Mapping[str, Any], dataset: FoldDataset) -> SkeletonDataset | None:
        """The other exercises of `dataset`, where the trainer takes them in and there are some.

        Raises:
            ConfigError: the protocol trains on one dataset and tests on another.
        """
        own = config["dataset"].get("exercise")
        if config.get("trainer", {}).get("exercises", "one") == "one" or own is None:
            return None
        if not isinstance(dataset, SkeletonDataset):
            raise ConfigError(
                "trainer.exercises is 'all', but this protocol trains on one dataset and tests on "
                "another, whose exercises are others: set trainer.exercises=one"
            )
        block = {k: v for k, v in config["dataset"].items() if k != "exercise"}
        return self._whole(**block).without(str(own)) or None

    def _load(self, name: str, exercise: Any = None, **params: Any) -> SkeletonDataset:
        """The scored recordings of an exercise; of all of them if None."""
        chosen = None if exercise is None else str(exercise)
        return self._whole(name, **params).select(exercise=chosen)

    def _whole(self, name: str, **params: Any) -> SkeletonDataset:
        return self._once(
            "dataset", [name, params], lambda: load_dataset(name, self.data_root, **params)
        )

    def _once(self, what: str, key: Any, make: Callable[[], T]) -> T:
        """What `make` makes of `key`, made once."""
        name = json.dumps([what, key], sort_keys=True)
        if name not in self._made:
            self._made[name] = make()
        return cast(T, self._made[name])


def check_run(config: Mapping[str, Any]) -> None:
    """Nothing, if a run of a composed configuration could begin, as far as is seen without data.

    The model is made, the device asked for; where the dataset is prepared in its usual place, the
    exercise, the fold and the streams of the first recording are looked up too.

    Raises:
        UserError: as `Workspace.run` does.
    """
    protocol = load_protocol(**config["protocol"])
    trainer = TrainerConfig.from_dict(config["trainer"])
    start = compose_start(config)
    if start is None:
        with_source(config)
    else:
        check_run(start)
    resolve_device(trainer.device, trainer.precision)
    require_validation(trainer, protocol.selection, protocol.split.has_validation)
    dataset = {k: v for k, v in config["dataset"].items() if k != "exercise"}
    adapter = create_adapter(**dataset)
    with torch.random.fork_rng(devices=[]):
        model = create_model(layout=adapter.layout, **config["model"])
    contract = contract_of(model)
    require_augmentable(trainer.augment, contract, load_layout(adapter.layout))
    feed = trainer.feed(contract.raw)
    require_feed(feed, protocol.name, protocol.sampling, closed_form=contract.closed_form)
    if not contract.closed_form:
        make_optimizer(model, trainer)
    if (data_root() / dataset["name"] / MANIFEST_FILE).is_file():
        session = Workspace("runs").open(config)
        if config["fold"] >= session.num_folds:
            raise ConfigError(
                f"there is no fold {config['fold']}: this protocol has the folds 0 to "
                f"{session.num_folds - 1}"
            )
        session.first_samples()


def _starting_from(config: Mapping[str, Any], run: str) -> dict[str, Any]:
    """`config` that says which run it is that it describes under ``trainer.init_from``."""
    described = {**config["trainer"]["init_from"], "run": run}
    return {**config, "trainer": {**config["trainer"], "init_from": described}}


def _size(samples: SampleSet) -> int:
    return sum(stream.nbytes for stream in samples.streams.values())

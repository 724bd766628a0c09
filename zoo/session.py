"""From a composed configuration to the data of one fold and the builder of its model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from registry.yaml_files import Config
from zoo.data.cross import CrossDataset
from zoo.data.dataset import SkeletonDataset
from zoo.data.samples import SampleSet
from zoo.models import create_model, streams_of
from zoo.protocol.protocol import FoldData, Protocol
from zoo.training.fold import open_dataset, open_protocol, with_test_dataset


@dataclass
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
        samples: of the whole dataset, unscaled; made for the first fold.
    """

    config: Config
    dataset: SkeletonDataset | CrossDataset
    protocol: Protocol
    build: Callable[[], nn.Module]
    streams: tuple[str, ...]
    raw: bool = False
    samples: SampleSet | None = None

    @classmethod
    def open(
        cls,
        config: Config,
        data_root: Path | str | None = None,
        dataset: SkeletonDataset | None = None,
    ) -> "Session":
        """Open what `config` names; `dataset` spares opening it anew.

        Raises:
            UserError: whatever is unknown, not prepared or does not fit together.
        """
        params = {k: v for k, v in config["model"].items() if k != "name"}
        root = None if data_root is None else Path(data_root)
        protocol = open_protocol(config)
        own = open_dataset(config, root) if dataset is None else dataset
        layout = own.layout

        def build() -> nn.Module:
            return create_model(config["model"]["name"], layout=layout, **params)

        model = build()
        return cls(
            config=config,
            dataset=with_test_dataset(own, protocol, root),
            protocol=protocol,
            build=build,
            streams=streams_of(model),
            raw=bool(getattr(model, "raw", False)),
        )

    def on_exercise(
        self, exercise: str, whole: SkeletonDataset, data_root: Path | None = None
    ) -> "Session":
        """The same model and protocol on another exercise of the dataset `whole`.

        Raises:
            DataError: there is no such exercise.
        """
        own = whole.select(exercise=exercise)
        return replace(
            self,
            config={**self.config, "dataset": {**self.config["dataset"], "exercise": exercise}},
            dataset=with_test_dataset(own, self.protocol, data_root),
            samples=None,
        )

    @property
    def num_folds(self) -> int:
        """How many folds the protocol has on these recordings, repeats counted."""
        return self.protocol.num_folds({i.subject for i in self.dataset.index if i.scored})

    def fold(self, fold: int) -> FoldData:
        """The data of one fold; the samples are made once."""
        if self.samples is None:
            self.samples = self.protocol.samples(self.dataset, self.streams, raw=self.raw)
        return self.protocol.fold(
            self.dataset, fold, self.streams, samples=self.samples, raw=self.raw
        )

"""What an experiment is: what is run, what is reported of it, which published numbers stand beside.

The keys of its file, ``configs/experiment/NAME.yaml``, are those of `zoo.experiments.schema`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from registry import FIGURES, MODELS, config_names, did_you_mean, find_config
from registry.yaml_files import Config, merged, read_yaml
from zoo.board.published import published_for
from zoo.build import build
from zoo.catalogue import Card
from zoo.compose import compose, written
from zoo.errors import ConfigError
from zoo.evaluation.metrics import board_metrics
from zoo.experiments.schema import UNKNOWN, Published, Report, Row, UnderProtocol
from zoo.runs.key import MACHINE_KEYS

_SMALL = "-small"


@dataclass(frozen=True)
class Experiment:
    """A grid of runs with a report; the keys of the file, see the module.

    Attributes:
        overrides: settings from the command line, as ``key=value``.
        cuts: in words, how it falls short of what its file describes; empty for all of it.
    """

    rows: tuple[Row, ...]
    card: Card = field(default_factory=lambda: Card(""))
    dataset: str = "synthetic"
    protocols: tuple[UnderProtocol, ...] = (UnderProtocol("person-kfold"),)
    exercises: tuple[str, ...] | None = None
    folds: tuple[int, ...] | None = None
    seeds: tuple[int, ...] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, metadata={"key": "set"})
    report: Report = field(default_factory=Report)
    published: Published | None = None
    name: str = field(default="", metadata={"key": None})
    overrides: tuple[str, ...] = field(default=(), metadata={"key": None})
    cuts: tuple[str, ...] = field(default=(), metadata={"key": None})

    @classmethod
    def load(cls, name: str) -> "Experiment":
        """The experiment that ``configs/experiment/NAME.yaml`` describes.

        Raises:
            ConfigError: there is no such file, or it holds a key or value that is none.
        """
        names = config_names("experiment")
        if name not in names:
            raise ConfigError(f"no experiment is called {name!r}. {did_you_mean(name, names)}")
        where = f"experiment {name}"
        values = _extended(name)
        values["card"] = {"title": name, **values.get("card", {})}
        experiment = replace(build(cls, values, where), name=name)
        experiment._check(where)
        return experiment

    @classmethod
    def of_models(
        cls,
        models: Sequence[str] | None,
        dataset: str | None = None,
        *,
        protocols: Sequence[str] | None = None,
        **given: Sequence[Any] | None,
    ) -> "Experiment":
        """Models as they are on a dataset, as `zoo.bench` names them; what is None is usual.

        Raises:
            ConfigError: no model takes part.
        """
        if not models:
            raise ConfigError("name the models that take part (`zoo models` lists them)")
        chosen: dict[str, Any] = {key: tuple(values) for key, values in given.items() if values}
        return cls(
            rows=tuple(map(Row, models)),
            dataset=dataset or cls.dataset,
            protocols=tuple(map(UnderProtocol, protocols or ())) or cls.protocols,
            **chosen,
        )

    @property
    def protocol_names(self) -> tuple[str, ...]:
        """Of all its protocols."""
        return tuple(under.name for under in self.protocols)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of all rows, each once."""
        return tuple(dict.fromkeys(row.label for row in self.rows))

    def rows_under(self, protocol: str) -> list[Row]:
        """The rows that take part under one protocol."""
        return [row for row in self.rows if row.protocols is None or protocol in row.protocols]

    def config(self, row: Row, under: UnderProtocol, data_root: Path | None = None) -> Config:
        """The composed configuration of a row; its exercise, fold and seed are still open."""
        shared = [*written(self.settings), *written(under.settings), *self.overrides]
        config = self._composed(row, under, shared, data_root)
        if callable(getattr(MODELS.get(row.model).load(), "fit", None)):
            usual = [s for s in shared if not _trains(s)]
            config["trainer"] = self._composed(row, under, usual, data_root)["trainer"]
        return config

    def training(
        self,
        *,
        row: str | None = None,
        protocol: str | None = None,
        overrides: Sequence[str] = (),
        **chosen: Any,
    ) -> Config:
        """The composed configuration of one training as the experiment has it; see `zoo.train`.

        What is None is the experiment's: its first row, protocol, exercise and fold, or else the
        usual ones; the first seed of the row, the experiment or the protocol. `chosen` are other
        arguments of `zoo.compose.compose`; they and `overrides` win.

        Raises:
            ConfigError: there is no such row, or a setting is none.
        """
        from zoo.protocol.protocol import load_protocol

        own = {under.name: under for under in self.protocols}
        under = own.get(protocol, UnderProtocol(protocol)) if protocol else self.protocols[0]
        if row is not None:
            self._require(row, self.labels, "row")
        rows = self.rows_under(under.name) or self.rows
        taken = next((r for r in rows if row in (None, r.label)), rows[0])
        usual = {
            "model": taken.model,
            "dataset": self.dataset,
            "exercise": self.exercises[0] if self.exercises else None,
            "fold": self.folds[0] if self.folds else 0,
            "seed": (taken.seeds or self.seeds or load_protocol(under.name).seeds)[0],
        }
        settings = (self.settings, under.settings, taken.settings)
        return compose(
            **{**usual, **{k: v for k, v in chosen.items() if v is not None}},
            protocol=under.name,
            overrides=[*(s for block in settings for s in written(block)), *overrides],
        )

    def cut(
        self,
        *,
        rows: Sequence[str] | None = None,
        small: bool = False,
        dataset: str | None = None,
        protocols: Sequence[str] | None = None,
        overrides: Sequence[str] = (),
        **given: Sequence[Any] | None,
    ) -> "Experiment":
        """The experiment with some of it left out or replaced, as in `zoo.experiment`.

        `given` are ``exercises``, ``folds`` and ``seeds``. What is None stays. A protocol that is
        not one of the experiment's takes their place, without settings. Seeds are for all
        rows; of a row's own seeds those stay that are among them. `overrides` are for all rows;
        only what a row sets itself wins over them.

        Raises:
            ConfigError: there is no such row or protocol, or nothing is left.
        """
        all_protocols = [*self.protocol_names, *config_names("protocol")]
        known = (("row", rows, self.labels), ("protocol", protocols, all_protocols))
        for kind, wanted, names in known:
            for name in wanted or ():
                self._require(name, names, kind)
        unders = [u for u in self.protocols if protocols is None or u.name in protocols]
        others = (name for name in protocols or () if name not in self.protocol_names)
        unders += map(UnderProtocol, dict.fromkeys(others))
        left = tuple(
            _narrowed(row, small, given.get("seeds"))
            for row in self.rows
            if rows is None or row.label in rows
            if row.protocols is None or any(under.name in row.protocols for under in unders)
        )
        if not left:
            raise ConfigError(f"experiment {self.name}: nothing is left to run")
        cuts = [
            f"{what} {', '.join(map(str, wanted))} only"
            for what, wanted in {"rows": rows, "protocols": protocols, **given}.items()
            if wanted is not None
        ]
        if dataset is not None:
            cuts.append(f"on {dataset}")
        if small:
            cuts.append("small variants of the models")
        kept: dict[str, Any] = {k: tuple(v) for k, v in given.items() if v is not None}
        return replace(
            self,
            rows=left,
            protocols=tuple(unders),
            dataset=dataset or self.dataset,
            overrides=(*self.overrides, *overrides),
            cuts=(*self.cuts, *cuts, *overrides),
            **kept,
        )

    def _composed(
        self, row: Row, under: UnderProtocol, shared: Sequence[str], data_root: Path | None
    ) -> Config:
        return compose(
            data_root=data_root,
            model=row.model,
            dataset=self.dataset,
            protocol=under.name,
            overrides=[*shared, *written(row.settings)],
        )

    def _require(self, name: str, known: Sequence[str], kind: str) -> None:
        if name not in known:
            raise ConfigError(
                f"experiment {self.name} has no {kind} {name!r}. {did_you_mean(name, known)}"
            )

    def _check(self, where: str) -> None:
        """Refuse names of rows, figures and published numbers that are not there."""
        if not self.rows:
            raise ConfigError(f"{where}.rows is empty: name the models that take part")
        for number in (*(self.seeds or ()), *(self.folds or ())):
            if number < 0:
                raise ConfigError(f"{where}: {number} is no whole number from 0")
        for protocol in self.protocol_names:
            labels = [row.label for row in self.rows_under(protocol)]
            for label in labels:
                if labels.count(label) > 1:
                    raise ConfigError(f"{where}: two rows are called {label!r} under {protocol}")
        if self.report.reference:
            self._require(self.report.reference, self.labels, "row")
        for figure in self.report.figures:
            FIGURES.get(figure)
        if self.published is not None:
            self._check_published(self.published, where)

    def _check_published(self, published: Published, where: str) -> None:
        rows = [row.name for row in published_for(self.dataset)]
        for row in self.rows:
            if row.published not in (None, UNKNOWN, *rows):
                raise ConfigError(
                    f"{where}, row {row.label}: no row {row.published!r} is published. "
                    f"{did_you_mean(str(row.published), [*rows, UNKNOWN])}"
                )
        for protocol in filter(None, (published.protocol, published.beside)):
            self._require(protocol, self.protocol_names, "protocol")
        for metric in (*published.metrics, *(change.metric for change in published.changes)):
            if metric not in board_metrics():
                near = did_you_mean(metric, list(board_metrics()))
                raise ConfigError(f"{where}.published: no metric {metric!r}. {near}")
        labels = [row.label for row in self.rows_under(published.protocol)]
        for change in published.changes:
            for label in (change.row, change.to):
                self._require(label, labels, "row")


def _extended(name: str, by: tuple[str, ...] = ()) -> Config:
    """The keys of an experiment's file, laid over those of the one that it extends."""
    if name in by:
        raise ConfigError(f"experiments extend each other: {' -> '.join([*by, name])}")
    file = find_config("experiment", name)
    values = {} if file is None else read_yaml(file)
    base = values.pop("extends", None)
    if base is None:
        return values
    if base not in config_names("experiment"):
        near = did_you_mean(str(base), config_names("experiment"))
        raise ConfigError(f"experiment {name} extends {base!r}, which is none. {near}")
    return merged(_extended(base, (*by, name)), values)


def _trains(setting: str) -> bool:
    """Whether a setting says how a model is trained, not where."""
    block, _, key = setting.partition("=")[0].partition(".")
    return block == "trainer" and key not in MACHINE_KEYS


def _narrowed(row: Row, small: bool, seeds: Sequence[int] | None) -> Row:
    if small and f"{row.model}{_SMALL}" in MODELS:
        row = replace(row, model=f"{row.model}{_SMALL}")
    if row.seeds is not None and seeds is not None:
        row = replace(row, seeds=tuple(seed for seed in row.seeds if seed in seeds))
    return row

"""From a request to jobs: every run of the grid, composed, checked and placed.

Whatever is unknown or does not fit is found here, before anything runs.
"""

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry import MODELS
from zoo.config import Config, compose
from zoo.data.dataset import SkeletonDataset
from zoo.errors import ConfigError
from zoo.session import Session
from zoo.sweep.job import Code, Job
from zoo.sweep.request import Entrant, Request
from zoo.training.config import TrainerConfig
from zoo.training.fold import open_dataset
from zoo.training.outcome import model_source
from zoo.training.run import run_key

_GRID = {
    "fold": "--folds",
    "seed": "--seeds",
    "dataset.exercise": "--exercises",
    "model.name": "--models",
    "dataset.name": "--dataset",
    "protocol.name": "--protocol",
}


@dataclass
class Plan:
    """All runs of a sweep, each once.

    Attributes:
        jobs: in the order of the request: protocols, models, exercises, seeds, folds.
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.
        sessions: an open session for every model, exercise and protocol, by `group_of`.
    """

    jobs: list[Job]
    runs: Path
    data_root: Path | None
    sessions: dict[str, Session] = field(repr=False)


def group_of(config: Mapping[str, Any]) -> str:
    """What the runs of one model on one exercise under one protocol share, as text."""
    blocks = {key: value for key, value in config.items() if key not in ("fold", "seed")}
    return json.dumps(blocks, sort_keys=True, default=str)


def make_plan(request: Request, runs: Path, data_root: Path | None = None) -> Plan:
    """The runs that `request` asks for.

    Raises:
        UserError: an unknown name, setting, exercise or fold, a dataset that is not prepared, a
            model that cannot be built; the message says which.
    """
    for setting in (*request.set, *(s for entrant in request.models for s in entrant.set)):
        option = _GRID.get(setting.partition("=")[0])
        if option:
            raise ConfigError(f"{setting}: a sweep runs over these; use {option}")
    for entrant in request.models:
        MODELS.get(entrant.name)
    planner = _Planner(request, runs.absolute(), data_root)
    jobs = {job.path: job for job in planner.jobs()}
    if not jobs:
        raise ConfigError("there is nothing to run: no model takes part in these protocols")
    return Plan(list(jobs.values()), planner.runs, data_root, planner.sessions)


@dataclass
class _Planner:
    request: Request
    runs: Path
    data_root: Path | None
    sessions: dict[str, Session] = field(default_factory=dict)
    _datasets: dict[str, SkeletonDataset] = field(default_factory=dict)

    def jobs(self) -> Iterator[Job]:
        fold_counts: list[int] = []
        for protocol in self.request.protocols:
            for entrant in self.request.models:
                if entrant.protocols is None or protocol in entrant.protocols:
                    yield from self._entrant_jobs(entrant, protocol, fold_counts)
        most = max(fold_counts, default=0)
        beyond = [fold for fold in self.request.folds or () if fold >= most]
        if beyond and fold_counts:
            raise ConfigError(f"there is no fold {beyond[0]}: the last one is {most - 1}")

    def _entrant_jobs(
        self, entrant: Entrant, protocol: str, fold_counts: list[int]
    ) -> Iterator[Job]:
        config = self._composed(entrant, protocol)
        for exercise in self._exercises(config):
            session = self._session(
                {**config, "dataset": {**config["dataset"], "exercise": exercise}}
            )
            code = Code.now(model_source(entrant.name, _class_of(entrant.name, session)))
            protocol_hash, folds = session.protocol.hash(), session.num_folds
            fold_counts.append(folds)
            for seed in entrant.seeds or self.request.seeds or session.protocol.seeds:
                for fold in range(folds) if self.request.folds is None else self.request.folds:
                    if fold < folds:
                        one = {**session.config, "seed": seed, "fold": fold}
                        key = run_key(one, session.dataset, protocol_hash)
                        yield Job(one, key.path(self.runs), key.hash, key.title, code)

    def _composed(self, entrant: Entrant, protocol: str) -> Config:
        settings = (*self.request.set, *entrant.set)
        try:
            config = compose(
                model=entrant.name,
                dataset=self.request.dataset,
                protocol=protocol,
                overrides=settings,
            )
            TrainerConfig.from_dict(config["trainer"])
        except ConfigError as error:
            raise ConfigError(f"{entrant.name} under {protocol}: {error}") from None
        if not any(setting.startswith("trainer.threads=") for setting in settings):
            config["trainer"]["threads"] = 1
        return config

    def _exercises(self, config: Config) -> list[str]:
        chosen = self.request.exercises
        return self._whole(config["dataset"]).exercises if chosen is None else list(chosen)

    def _session(self, config: Config) -> Session:
        group = group_of(config)
        if group not in self.sessions:
            block = config["dataset"]
            dataset = self._whole(block).select(exercise=block["exercise"])
            self.sessions[group] = Session.open(config, self.data_root, dataset)
        return self.sessions[group]

    def _whole(self, block: Mapping[str, Any]) -> SkeletonDataset:
        """The dataset with all exercises, opened once."""
        block = {**block, "exercise": None}
        name = json.dumps(block, sort_keys=True)
        if name not in self._datasets:
            self._datasets[name] = open_dataset({"dataset": block}, self.data_root)
        return self._datasets[name]


def _class_of(name: str, session: Session) -> type:
    """The model's class: the registered one, or that of what a registered function makes."""
    registered = MODELS.get(name).load()
    return registered if inspect.isclass(registered) else type(session.build())

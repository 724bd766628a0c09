"""From a request to jobs: every run of the grid, composed, checked and placed.

Whatever is unknown or does not fit is found here, before anything runs.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from registry import MODELS, UserError
from registry.yaml_files import Config
from zoo.compose import compose
from zoo.errors import ConfigError
from zoo.sweep.job import Code, Job
from zoo.sweep.request import Entrant, Request
from zoo.training.config import TrainerConfig
from zoo.training.source import model_source
from zoo.workspace import Session, Workspace

_GRID = {
    "fold": "--folds",
    "seed": "--seeds",
    "dataset.exercise": "--exercises",
    "model.name": "--models",
    "dataset.name": "--dataset",
    "protocol.name": "--protocol",
}


@dataclass
class Group:
    """The runs of one model on one exercise under one protocol; they differ in fold and seed."""

    session: Session
    jobs: list[Job]


@dataclass
class Plan:
    """All runs of a sweep, each once.

    Attributes:
        groups: in the order of the request: protocols, models, exercises.
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.
    """

    groups: list[Group]
    runs: Path
    data_root: Path | None

    @property
    def jobs(self) -> list[Job]:
        """The jobs of all groups."""
        return [job for group in self.groups for job in group.jobs]


def make_plan(request: Request, runs: Path, data_root: Path | None = None) -> Plan:
    """The runs that `request` asks for.

    Raises:
        UserError: an unknown name, setting, exercise or fold, a dataset that is not prepared, a
            model that cannot be built; the message says which.
    """
    for setting in (
        *request.settings,
        *(s for entrant in request.models for s in entrant.settings),
    ):
        option = _GRID.get(setting.partition("=")[0])
        if option:
            raise ConfigError(f"{setting}: a sweep runs over these; use {option}")
    for entrant in request.models:
        MODELS.get(entrant.name)
    planner = _Planner(request, Workspace(runs.absolute(), data_root))
    groups = list(planner.groups())
    if not any(group.jobs for group in groups):
        raise ConfigError(
            "there is nothing to run: no model takes part under these protocols, or none has such "
            "a fold"
        )
    return Plan(groups, planner.workspace.runs, data_root)


@dataclass
class _Planner:
    request: Request
    workspace: Workspace
    _planned: set[Path] = field(default_factory=set)

    def groups(self) -> Iterator[Group]:
        for protocol, entrant in product(self.request.protocols, self.request.models):
            if entrant.protocols is not None and protocol not in entrant.protocols:
                continue
            config = self._composed(entrant, protocol)
            code = None
            for exercise in self.request.exercises or self.workspace.exercises(config):
                session = self._session(config, exercise)
                code = code or Code.now(
                    model_source(entrant.name, _class_of(entrant.name, session.build))
                )
                yield Group(session, list(self._jobs(entrant, session, code)))

    def _session(self, config: Config, exercise: str) -> Session:
        """A model and a protocol on an exercise."""
        name, block = config["model"]["name"], {**config["dataset"], "exercise": exercise}
        try:
            return self.workspace.open({**config, "dataset": block})
        except UserError:
            raise
        except Exception as error:
            raise ConfigError(
                f"model {name!r} cannot be built: {type(error).__name__}: {error}"
            ) from error

    def _jobs(self, entrant: Entrant, session: Session, code: Code) -> Iterator[Job]:
        seeds = self.request.seeds if entrant.seeds is None else entrant.seeds
        folds = range(session.num_folds)
        chosen = folds if self.request.folds is None else self.request.folds
        beyond = [fold for fold in chosen if fold not in folds]
        if beyond and len(self.request.protocols) == 1:
            raise ConfigError(
                f"there is no fold {beyond[0]}: {session.protocol.name} has the folds 0 to "
                f"{folds[-1]} here"
            )
        for seed, fold in product(session.protocol.seeds if seeds is None else seeds, chosen):
            config = {**session.config, "seed": seed, "fold": fold}
            job = Job.of(config, self.workspace, code)
            if fold in folds and job.path not in self._planned:
                self._planned.add(job.path)
                yield job

    def _composed(self, entrant: Entrant, protocol: str) -> Config:
        settings = (*self.request.settings, *entrant.settings)
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


def _class_of(name: str, build: Callable[[], object]) -> type:
    """A model's class: the registered one, or that of what a registered function makes."""
    registered = MODELS.get(name).load()
    return registered if inspect.isclass(registered) else type(build())

"""From an experiment to jobs: every run of its grid, composed, checked and placed.

Whatever is unknown or does not fit is found here, before anything runs.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from registry import MODELS, UserError
from registry.yaml_files import Config
from zoo.compose import written
from zoo.errors import ConfigError
from zoo.experiments.definition import Experiment
from zoo.experiments.job import Job
from zoo.experiments.schema import Row, UnderProtocol
from zoo.protocol.references import leak_references
from zoo.runs.record import Source
from zoo.training.config import TrainerConfig
from zoo.training.source import model_source
from zoo.workspace import Session, Workspace

_GRID = {
    "fold": "folds=",
    "seed": "seeds=",
    "dataset.exercise": "exercises=",
    "model.name": "models=",
    "dataset.name": "dataset=",
    "protocol.name": "protocol=",
}


@dataclass
class Group:
    """The runs of one row on one exercise under one protocol; they differ in fold and seed."""

    session: Session
    jobs: list[Job]


@dataclass(frozen=True, eq=False)
class PlannedRow:
    """A row under one protocol, with all runs it is made of.

    Attributes:
        label: what it is called.
        model: name of the registered model.
        protocol: name of the protocol.
        groups: its runs, a group an exercise.
    """

    label: str
    model: str
    protocol: str
    groups: list[Group]

    @property
    def jobs(self) -> list[Job]:
        """All its runs."""
        return [job for group in self.groups for job in group.jobs]


@dataclass
class Plan:
    """All rows of an experiment; they may share runs.

    Attributes:
        dataset: its name.
        rows: in the order of protocols, then of rows.
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.
        notes: what was added to the rows that were asked for, and why.
    """

    dataset: str
    rows: list[PlannedRow]
    runs: Path
    data_root: Path | None
    notes: list[str] = field(default_factory=list)

    @property
    def groups(self) -> list[Group]:
        """The groups of all rows."""
        return [group for row in self.rows for group in row.groups]

    @property
    def jobs(self) -> list[Job]:
        """All runs, each once."""
        return list({job.path: job for row in self.rows for job in row.jobs}.values())


def make_plan(experiment: Experiment, runs: Path, data_root: Path | None = None) -> Plan:
    """The runs of an experiment; under a leaky protocol those that measure the leak are added.

    Args:
        experiment: whole or cut short.
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.

    Raises:
        UserError: an unknown name, setting, exercise or fold, a dataset that is not prepared, a
            model that cannot be built; the message says which.
    """
    blocks = [experiment.settings, *(under.settings for under in experiment.protocols)]
    blocks += [row.settings for row in experiment.rows]
    for setting in (*experiment.overrides, *(s for block in blocks for s in written(block))):
        option = _GRID.get(setting.partition("=")[0])
        if option:
            raise ConfigError(f"{setting}: a sweep runs over these; use {option}")
    for row in experiment.rows:
        MODELS.get(row.model)
    plan = Plan(experiment.dataset, [], runs.absolute(), data_root)
    planner = _Planner(experiment, Workspace(plan.runs, data_root))
    for under in experiment.protocols:
        rows = [planner.row(row, under) for row in experiment.rows_under(under.name)]
        plan.rows += rows
        plan.rows += _measures_of_the_leak(planner, under, rows, plan.notes)
    if not plan.jobs:
        raise ConfigError(
            "there is nothing to run: no model takes part under these protocols, or none has such "
            "a fold"
        )
    return plan


@dataclass
class _Planner:
    experiment: Experiment
    workspace: Workspace

    def row(self, row: Row, under: UnderProtocol) -> PlannedRow:
        config, groups, source = self._composed(row, under), [], None
        for exercise in self.experiment.exercises or self.workspace.exercises(config):
            session = self._session(config, exercise)
            source = source or model_source(row.model, _class_of(row.model, session.build))
            groups.append(Group(session, list(self._jobs(row, session, source))))
        return PlannedRow(row.label, row.model, under.name, groups)

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

    def _jobs(self, row: Row, session: Session, source: Source) -> Iterator[Job]:
        wanted, folds = self.experiment.folds, range(session.num_folds)
        beyond = [fold for fold in wanted or () if fold not in folds]
        if beyond and len(self.experiment.protocols) == 1:
            raise ConfigError(
                f"there is no fold {beyond[0]}: {session.protocol.name} has the folds 0 to "
                f"{folds[-1]} here"
            )
        chosen = folds if wanted is None else [fold for fold in wanted if fold in folds]
        seeds = self.experiment.seeds if row.seeds is None else row.seeds
        seeds = session.protocol.seeds if seeds is None else seeds
        for seed, fold in product(seeds if session.draws else seeds[:1], chosen):
            yield Job.of({**session.config, "seed": seed, "fold": fold}, self.workspace, source)

    def _composed(self, row: Row, under: UnderProtocol) -> Config:
        try:
            config = self.experiment.config(row, under, self.workspace.data_root)
            TrainerConfig.from_dict(config["trainer"])
        except ConfigError as error:
            raise ConfigError(f"{row.model} under {under.name}: {error}") from None
        return config


def _measures_of_the_leak(
    planner: _Planner, under: UnderProtocol, rows: list[PlannedRow], notes: list[str]
) -> Iterator[PlannedRow]:
    """Rows that no leaky protocol's numbers can be read without, where they are not there."""
    if not rows or not rows[0].groups[0].session.protocol.leaky:
        return
    whole = planner.experiment
    bare = replace(
        whole,
        settings=_of_the_data(whole.settings),
        overrides=tuple(s for s in whole.overrides if _of_the_data({s: None})),
    )
    first = tuple(whole.seeds or rows[0].groups[0].session.protocol.seeds)[:1]
    for model in leak_references():
        if any(row.model == model for row in rows):
            continue
        try:
            row = _Planner(bare, planner.workspace).row(
                Row(model, seeds=first), replace(under, settings=_of_the_data(under.settings))
            )
            row.groups[0].session.first_samples()
        except UserError as error:
            notes.append(f"{model} would show what the leak of {under.name} is worth, but: {error}")
            continue
        notes.append(f"{model} is added: it shows what the leak of {under.name} is worth")
        yield row


def _of_the_data(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `settings` that are for every model."""
    return {k: v for k, v in settings.items() if k.startswith(("dataset.", "protocol."))}


def _class_of(name: str, build: Callable[[], object]) -> type:
    """A model's class: the registered one, or that of what a registered function makes."""
    registered = MODELS.get(name).load()
    return registered if inspect.isclass(registered) else type(build())

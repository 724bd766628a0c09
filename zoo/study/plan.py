"""From a study to its runs: every row under every protocol, composed, checked and placed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from zoo.study.definition import Study
from zoo.sweep.job import Job
from zoo.sweep.plan import Group, Plan, make_plan


@dataclass(frozen=True, eq=False)
class Row:
    """A row of a study under one protocol, with all runs it is made of.

    Attributes:
        label: what it is called.
        model: name of the registered model.
        dataset: name of the dataset.
        protocol: name of the protocol.
        groups: its runs, a group an exercise.
    """

    label: str
    model: str
    dataset: str
    protocol: str
    groups: list[Group]

    @property
    def jobs(self) -> list[Job]:
        """All its runs."""
        return [job for group in self.groups for job in group.jobs]


def plan_rows(study: Study, runs: Path, data_root: Path | None = None) -> list[Row]:
    """Every row of a study, a protocol after the other.

    Args:
        study: whole or shortened.
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.

    Raises:
        UserError: what `make_plan` raises, for the first row where something does not fit.
    """
    return [
        Row(
            label,
            request.models[0].name,
            request.dataset,
            protocol,
            make_plan(request, runs, data_root).groups,
        )
        for protocol in study.protocols
        for label, request in study.rows(protocol)
    ]


def whole_plan(rows: Iterable[Row], runs: Path, data_root: Path | None = None) -> Plan:
    """All runs of some rows, each once, to be computed."""
    planned: set[Path] = set()
    groups = []
    for group in (group for row in rows for group in row.groups):
        fresh = [job for job in group.jobs if job.path not in planned]
        planned.update(job.path for job in fresh)
        if fresh:
            groups.append(Group(group.session, fresh))
    return Plan(groups, runs.absolute(), data_root)

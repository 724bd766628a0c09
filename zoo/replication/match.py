"""Which runs of a folder stand for a row of a study, and how they differ from what it asks for."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.yaml_files import Config
from zoo.board.entries import Entry, Group, natural
from zoo.compose import apply_overrides, compose
from zoo.errors import ConfigError
from zoo.evaluation.statistics import Table
from zoo.protocol.protocol import load_protocol
from zoo.runs.pooled import pooled_table
from zoo.runs.record import flat, settings_of
from zoo.runs.run import Run
from zoo.sweep.request import Request

_SMALL = "-small"
_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Found:
    """The runs that come closest to what a row asks for.

    Attributes:
        entry: whose they are; None where there are none.
        differences: how they differ from the row, in words; empty for the row itself.
        tables: predictions by exercise and seed, of exercises that have all folds.
    """

    entry: Entry | None = None
    differences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = field(default=(), repr=False)

    @property
    def exercises(self) -> list[str]:
        """Exercises that have all folds."""
        return sorted({table.exercise for table in self.tables}, key=natural)


class Matcher:
    """Looks for the rows of studies among the runs under one protocol.

    Args:
        group: the runs; None for none.
    """

    def __init__(self, group: Group | None) -> None:
        self.group = group
        self._composed: dict[tuple[str, str, str, tuple[str, ...]], Config] = {}

    def find(self, request: Request) -> Found:
        """The entry that fits a row best.

        The model itself comes before its small variant, then the one with fewer differences, then
        the one with more runs. Only trainer settings may differ: a model of other parameters is
        another row.

        Args:
            request: the row, of one model and one protocol.

        Raises:
            ConfigError: the row asks for a setting that its model does not have.
        """
        if self.group is None:
            return Found()
        best: tuple[tuple[bool, int, int], Entry, list[str]] | None = None
        (entrant,) = request.models
        for name in (entrant.name, f"{entrant.name}{_SMALL}"):
            small = name != entrant.name
            own = [e for e in self.group.entries if e.model == name and e.builtin]
            wanted = self._wanted(name, request) if own else None
            for entry in own:
                differing = _differing(entry, wanted)
                if differing is None:
                    continue
                words = [
                    f"{key} is {json.dumps(ours)} instead of {json.dumps(asked)}"
                    for key, ours, asked in differing
                ]
                if len(words) > _SHOWN:
                    words = [*words[:_SHOWN], f"{len(words) - _SHOWN} more settings differ"]
                if small:
                    words.insert(0, f"the small variant {name} stands in for {entrant.name}")
                place = (small, len(differing), -len(entry.runs))
                if best is None or place < best[0]:
                    best = place, entry, words
        if best is None:
            return Found()
        _, entry, words = best
        if entry.objection:
            words.append(entry.objection)
        return Found(entry, tuple(words), tuple(_whole_tables(entry.runs, self.group.folds)))

    def _wanted(self, model: str, request: Request) -> Mapping[str, Any] | None:
        """Every setting a row asks for, by dotted key; None where the small variant lacks one."""
        (entrant,), (protocol,) = request.models, request.protocols
        try:
            config = self._shared(model, request.dataset, protocol, request.settings)
            if entrant.settings:
                config = apply_overrides(config, entrant.settings)
        except ConfigError:
            if model != entrant.name:
                return None
            raise
        return flat(json.loads(settings_of(config["model"], config["dataset"], config["trainer"])))

    def _shared(self, model: str, dataset: str, protocol: str, settings: tuple[str, ...]) -> Config:
        """What the rows of a block share, composed once: every setting costs milliseconds."""
        key = model, dataset, protocol, settings
        if key not in self._composed:
            self._composed[key] = compose(
                model=model, dataset=dataset, protocol=protocol, overrides=settings
            )
        return self._composed[key]


def group_of(groups: Sequence[Group], protocol: str) -> tuple[Group | None, int]:
    """The runs under a protocol as it is configured here, and how many there are of others.

    Of several prepared forms of the data, that with most runs is taken.
    """
    if not protocol:
        return None, 0
    expected = load_protocol(protocol).hash()
    own = [group for group in groups if group.key.protocol == protocol]
    fitting = [group for group in own if group.key.protocol_hash == expected]
    chosen = fitting[0] if fitting else None
    others = sum(len(e.runs) for group in own if group is not chosen for e in group.entries)
    return chosen, others


def _differing(entry: Entry, wanted: Mapping[str, Any] | None) -> list[tuple[str, Any, Any]] | None:
    """Trainer settings that differ: key, the entry's, the row's; None for another model."""
    if wanted is None:
        return None
    found = [
        (key, value, wanted[key])
        for key, value in entry.chosen.items()
        if key in wanted and value != wanted[key]
    ]
    return found if all(key.startswith("trainer.") for key, _, _ in found) else None


def _whole_tables(runs: Sequence[Run], folds: Mapping[str, Sequence[int]]) -> list[Table]:
    """Tables of the seeds that have most exercises whole, all of the same exercises."""
    parts: dict[tuple[int, str], list[Run]] = defaultdict(list)
    for run in runs:
        parts[run.seed, run.exercise].append(run)
    whole: dict[int, set[str]] = defaultdict(set)
    for (seed, exercise), some in parts.items():
        if {run.fold for run in some} >= set(folds[exercise]):
            whole[seed].add(exercise)
    most = max(map(len, whole.values()), default=0)
    seeds = [seed for seed in sorted(whole) if len(whole[seed]) == most]
    same = set.intersection(*(whole[seed] for seed in seeds)) if seeds else set()
    return [
        pooled_table(parts[seed, exercise])
        for exercise in sorted(same, key=natural)
        for seed in seeds
    ]

"""Finished runs combined into a run folder of their own."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import torch

from registry import MODELS
from registry.yaml_files import to_yaml
from zoo.board.entries import Entry, Group, entries_called, fold_words, read_groups
from zoo.board.naming import Identity, names
from zoo.build import to_plain
from zoo.errors import ConfigError, DataError
from zoo.runs.ensemble import COMBINATIONS, combined, require_combinable, weights_of
from zoo.runs.environment import ZOO, hardware, versions
from zoo.runs.find import open_finished
from zoo.runs.folder import CONFIG, HISTORY, PREDICTIONS, SPLIT, RunFolder
from zoo.runs.key import RunKey
from zoo.runs.record import Epochs, Member, RunModel, Source
from zoo.runs.run import Run, load_run
from zoo.training.checkpoint import Checkpoint, trained_files
from zoo.training.result_files import history_csv
from zoo.words import natural


@dataclass(frozen=True)
class Part:
    """One run that is to be combined, and what tells it from the others.

    Attributes:
        run: the finished run.
        name: as the leaderboard would name it among the others.
        identity: its model and the settings that differ from the model's defaults.
    """

    run: Run
    name: str
    identity: Mapping[str, Any]


def ensemble_of_runs(
    folders: Sequence[Path | str], *, how: str = "mean", name: str | None = None, runs: Path
) -> Run:
    """Combine finished runs of one dataset, exercise, protocol and fold; seeds may differ.

    Args:
        folders: of at least two runs.
        how: ``mean``, or ``fitted`` for weights with the least squared error on the validation
            people.
        name: what the board calls it; made of the members' names if None.
        runs: folder of all runs, where the ensemble's is put.

    Raises:
        DataError: a folder holds no finished run, or they cannot be combined.
        ConfigError: an unknown `how`, or `name` is a registered model's.
    """
    found = [open_finished(folder) for folder in folders]
    require_combinable(found)
    return _make(_parts(found), how, name, runs)


def ensembles_of_models(
    models: Sequence[str],
    *,
    dataset: str | None = None,
    protocol: str | None = None,
    exercise: str | None = None,
    how: str = "mean",
    name: str | None = None,
    runs: Path,
) -> tuple[list[Run], list[str]]:
    """Combine entries of a board, one ensemble for every exercise, fold and seed they all have.

    `models` are at least two, as the leaderboard names them, or the model's name alone where only
    one entry has it. `dataset`, `protocol` and `exercise` are as in `zoo.leaderboard`, the other
    arguments as in `ensemble_of_runs`.

    Returns:
        The ensembles, and in words the places that were left out because a member is missing.

    Raises:
        DataError: no board has all of these entries, several have, or they share no place.
        ConfigError: as in `ensemble_of_runs`.
    """
    groups, _ = read_groups(runs, dataset, protocol, exercise=exercise)
    entries = _entries(models, groups)
    places = [{run.place: run for run in entry.runs} for entry in entries]
    shared = set.intersection(*(set(known) for known in places))
    if not shared:
        raise DataError(f"{', '.join(models)} have no exercise, fold and seed in common")
    order = sorted(shared, key=lambda place: (natural(place[0]), *place[1:]))
    made = []
    for place in order:
        found = [known[place] for known in places]
        require_combinable(found)
        parts = [
            Part(run, entry.name, {"model": entry.model, "settings": dict(entry.settings)})
            for run, entry in zip(found, entries, strict=True)
        ]
        made.append(_make(parts, how, name, runs))
    return made, _left_out(set.union(*(set(known) for known in places)) - shared)


def _entries(models: Sequence[str], groups: Sequence[Group]) -> list[Entry]:
    boards = []
    for group in groups:
        found = [entries_called(model, group.entries) for model in models]
        if all(len(some) == 1 for some in found):
            boards.append((group.key, [entry for (entry,) in found]))
    if not boards:
        known = sorted({entry.name for group in groups for entry in group.entries})
        raise DataError(
            f"no board has all of {', '.join(models)}. There are: {'; '.join(known) or 'none'}"
        )
    if len(boards) > 1:
        shown = "; ".join(
            f"dataset={key.dataset!r} protocol={key.protocol!r} (data {key.fingerprint[:8]}, "
            f"protocol {key.protocol_hash[:8]})"
            for key, _ in boards
        )
        raise DataError(f"{len(boards)} boards have all of these: {shown}. Choose one")
    return boards[0][1]


def _left_out(places: set[tuple[str, int, int]]) -> list[str]:
    grouped: dict[tuple[str, int], set[int]] = {}
    for exercise, fold, seed in places:
        grouped.setdefault((exercise, seed), set()).add(fold)
    return [
        f"exercise {exercise}, seed {seed}, {fold_words(folds)}"
        for (exercise, seed), folds in sorted(grouped.items(), key=lambda g: natural(g[0][0]))
    ]


def _parts(runs: Sequence[Run]) -> list[Part]:
    """Single runs with their names; runs of one entry are told apart by their seed."""
    identities = [Identity.of(run) for run in runs]
    named = names(
        {
            identity: [run for run, its in zip(runs, identities, strict=True) if its == identity]
            for identity in identities
        }
    )
    parts = []
    for run, identity in zip(runs, identities, strict=True):
        name, settings = named[identity]
        about: dict[str, Any] = {"model": identity.model, "settings": settings}
        if identities.count(identity) > 1 or len({other.seed for other in runs}) > 1:
            name, about = f"{name} seed {run.seed}", {**about, "seed": run.seed}
        parts.append(Part(run, name, about))
    return parts


def _make(parts: Sequence[Part], how: str, name: str | None, root: Path) -> Run:
    if how not in COMBINATIONS:
        raise ConfigError(f"ensembles combine by {' or '.join(COMBINATIONS)}, not {how!r}")
    if name is not None and name in MODELS:
        raise ConfigError(f"{name!r} is a model's name; call the ensemble something else")
    members = [part.run for part in parts]
    first = members[0].record
    weights = weights_of(members, how).tolist()
    name = name or f"{how} of {', '.join(part.name for part in parts)}"
    record = replace(
        first,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        key_hash="",
        seed=min(run.seed for run in members),
        model=RunModel(
            name=name,
            params={"combine": how, "members": [dict(part.identity) for part in parts]},
            title=name,
            summary="",
            tags=(),
            paper="",
            doi="",
            streams=(),
            parameters=_sum(run.record.model.parameters for run in members),
            flops=_sum(run.record.model.flops for run in members),
            latency_ms=_sum(run.record.model.latency_ms for run in members),
            closed_form=True,
            draws=any(run.record.model.draws for run in members),
            source=Source(f"{ZOO} {versions()[ZOO]}", "zoo.runs.ensemble:combined", None),
        ),
        trainer={},
        changed={},
        epochs=Epochs(trained=0, best=None, selected=0),
        metrics={},
        durations={"train": 0.0},
        hardware=hardware(),
        versions=versions(),
        sessions=(),
        files={},
        init_from=None,
        members=tuple(
            Member(part.name, part.run.record.key_hash, weight)
            for part, weight in zip(parts, weights, strict=True)
        ),
    )
    key = RunKey.of(
        record.config,
        fingerprint=first.dataset.fingerprint,
        layout=first.dataset.layout,
        protocol_hash=first.protocol.hash,
    )
    checkpoint = Checkpoint(
        key=key.to_dict(),
        split_hash=first.split_hash,
        history=[],
        best_epoch=0,
        best_mad=math.inf,
        versions=versions(),
        sessions=[],
        tensors={"model": {"weights": torch.tensor(weights, dtype=torch.float64)}},
    )
    scores = combined(members, weights)
    files = {
        CONFIG: to_yaml(record.config).encode(),
        SPLIT: (members[0].path / SPLIT).read_bytes(),
        PREDICTIONS: scores.to_csv(),
        HISTORY: history_csv([]),
        **trained_files(checkpoint),
    }
    metrics = {part: scores.of(part).metrics(first.protocol.aggregate) for part in first.metrics}
    folder = RunFolder(key.path(root))
    folder.begin(overwrite=True)  # made in no time, and the members may have been trained anew
    try:
        folder.finish(files, to_plain(replace(record, key_hash=key.hash, metrics=metrics)))
    finally:
        folder.end()
    return load_run(folder.path)


_Number = TypeVar("_Number", int, float)


def _sum(costs: Iterable[_Number | None]) -> _Number | None:
    """What all members cost together; None where it is not known of one."""
    known = list(costs)
    return None if None in known else sum(cost for cost in known if cost is not None)

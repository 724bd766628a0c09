"""Finished runs combined into a run folder of their own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from registry import MODELS
from registry.yaml_files import to_yaml
from zoo.board import facts
from zoo.board.collect import Entry, Group, collect_groups, fold_words, natural
from zoo.board.naming import names
from zoo.errors import ConfigError, DataError
from zoo.runs.ensemble import COMBINATIONS, combined, require_combinable, weights_of
from zoo.runs.environment import hardware, versions
from zoo.runs.find import open_finished
from zoo.runs.folder import CONFIG, HISTORY, PREDICTIONS, SPLIT, RunFolder
from zoo.runs.key import RunKey
from zoo.runs.run import RunResult, load_run, without_nan
from zoo.runs.stored import StoredRun, read_stored
from zoo.training.checkpoint import Checkpoint, trained_files
from zoo.training.outcome import history_csv

_PARTS = ("validation", "test")


@dataclass(frozen=True)
class Part:
    """One run that is to be combined, and what tells it from the others.

    Attributes:
        run: the finished run.
        name: as the leaderboard would name it among the others.
        identity: its model and the settings that differ from the model's defaults.
    """

    run: RunResult
    name: str
    identity: Mapping[str, Any]


def ensemble_of_runs(
    folders: Sequence[Path | str], *, how: str = "mean", name: str | None = None, runs: Path
) -> RunResult:
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
) -> tuple[list[RunResult], list[str]]:
    """Combine entries of a board, one ensemble for every exercise, fold and seed they all have.

    Args:
        models: at least two entries, as the leaderboard names them; the model's name alone where
            only one entry has it.
        dataset: whose board, where there are several.
        protocol: the same.
        exercise: only this one.
        how: as in `ensemble_of_runs`.
        name: as in `ensemble_of_runs`.
        runs: folder of all runs.

    Returns:
        The ensembles, and in words the places that were left out because a member is missing.

    Raises:
        DataError: no board has all of these entries, several have, or they share no place.
        ConfigError: as in `ensemble_of_runs`.
    """
    groups, _ = collect_groups(runs, dataset, protocol, exercise=exercise)
    entries = _entries(models, groups)
    places = [{run.place: run for run in entry.runs} for entry in entries]
    shared = set.intersection(*(set(known) for known in places))
    if not shared:
        raise DataError(f"{', '.join(models)} have no exercise, fold and seed in common")
    order = sorted(shared, key=lambda place: (natural(place[0]), *place[1:]))
    made = []
    for place in order:
        found = [load_run(known[place].path) for known in places]
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
        found = [entry for model in models if (entry := _entry(model, group)) is not None]
        if len(found) == len(models):
            boards.append((group.key, found))
    if not boards:
        known = sorted({entry.name for group in groups for entry in group.entries})
        raise DataError(
            f"no board has all of {', '.join(models)}. There are: {'; '.join(known) or 'none'}"
        )
    if len(boards) > 1:
        shown = "; ".join(
            f"--dataset {key.dataset} --protocol {key.protocol} (data {key.fingerprint[:8]}, "
            f"protocol {key.protocol_hash[:8]})"
            for key, _ in boards
        )
        raise DataError(f"{len(boards)} boards have all of these: {shown}. Choose one")
    return boards[0][1]


def _entry(name: str, group: Group) -> Entry | None:
    """The entry of this name, else the only one of this model."""
    exact = [entry for entry in group.entries if entry.name == name]
    found = exact or [entry for entry in group.entries if entry.model == name]
    return found[0] if len(found) == 1 else None


def _left_out(places: set[tuple[str, int, int]]) -> list[str]:
    grouped: dict[tuple[str, int], set[int]] = {}
    for exercise, fold, seed in places:
        grouped.setdefault((exercise, seed), set()).add(fold)
    return [
        f"exercise {exercise}, seed {seed}, {fold_words(folds)}"
        for (exercise, seed), folds in sorted(grouped.items(), key=lambda g: natural(g[0][0]))
    ]


def _parts(runs: Sequence[RunResult]) -> list[Part]:
    """Single runs with their names; runs of one entry are told apart by their seed."""
    stored = [read_stored(run.path) for run in runs]
    identities = [_identity(run) for run in stored]
    named = names(list(dict.fromkeys(identities)), stored)
    parts = []
    for run, kept, identity in zip(runs, stored, identities, strict=True):
        name, settings = named[identity]
        about: dict[str, Any] = {"model": kept.model, "settings": settings}
        if identities.count(identity) > 1 or len({other.seed for other in stored}) > 1:
            name, about = f"{name} seed {kept.seed}", {**about, "seed": kept.seed}
        parts.append(Part(run, name, about))
    return parts


def _identity(run: StoredRun) -> tuple[str, str, str]:
    return run.model, facts.provider(run.owner), run.settings


def _make(parts: Sequence[Part], how: str, name: str | None, root: Path) -> RunResult:
    if how not in COMBINATIONS:
        raise ConfigError(f"ensembles combine by {' or '.join(COMBINATIONS)}, not {how!r}")
    if name is not None and name in MODELS:
        raise ConfigError(f"{name!r} is a model's name; call the ensemble something else")
    members = [part.run for part in parts]
    first = members[0]
    weights = weights_of(members, how).tolist()
    hashes = [run.record["key_hash"] for run in members]
    config = {
        "model": {
            "name": name or f"{how} of {', '.join(part.name for part in parts)}",
            "combine": how,
            "members": [dict(part.identity) for part in parts],
        },
        "dataset": first.config["dataset"],
        "protocol": first.config["protocol"],
        "trainer": {},
        "seed": min(run.record["seed"] for run in members),
        "fold": first.record["fold"],
        "members": hashes,
    }
    key = RunKey.of(
        config,
        fingerprint=first.record["dataset"]["fingerprint"],
        layout=first.record["dataset"]["layout"],
        protocol_hash=first.record["protocol"]["hash"],
    )
    checkpoint = Checkpoint(
        key=key.to_dict(),
        split_hash=first.record["split_hash"],
        history=[],
        best_epoch=0,
        best_mad=math.inf,
        tensors={"model": {"weights": torch.tensor(weights, dtype=torch.float64)}},
    )
    table = combined(members, weights)
    files = {
        CONFIG: to_yaml(config).encode(),
        SPLIT: (first.path / SPLIT).read_bytes(),
        PREDICTIONS: table.to_csv(),
        HISTORY: history_csv([]),
        **trained_files(checkpoint),
    }
    aggregate = first.record["protocol"]["aggregate"]
    scored = {part: table.of(part) for part in _PARTS if part in first.metrics}
    record = {
        **{k: first.record[k] for k in ("schema", "split_hash", "counts", "dataset", "protocol")},
        **{k: first.record[k] for k in ("fold", "baseline", "baseline_score")},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "key_hash": key.hash,
        "seed": config["seed"],
        "model": {
            "name": config["model"]["name"],
            "params": {k: v for k, v in config["model"].items() if k != "name"},
            **{k: _sum(members, k) for k in ("parameters", "flops", "latency_ms")},
            "closed_form": True,
            "source": {
                "owner": f"{facts.OWN} {versions()[facts.OWN]}",
                "class": "zoo.runs.ensemble:combined",
                "sha256": None,
            },
        },
        "members": [
            {"model": part.name, "key_hash": digest, "weight": weight}
            for part, digest, weight in zip(parts, hashes, weights, strict=True)
        ],
        "epochs": {"trained": 0, "best": None, "selected": 0},
        "metrics": {part: rows.metrics(aggregate) for part, rows in scored.items()},
        "durations": {"train": 0.0},
        "hardware": hardware(),
        "versions": versions(),
        "sessions": [],
    }
    folder = RunFolder(key.path(root))
    folder.begin(overwrite=True)  # made in no time, and the members may have been trained anew
    try:
        folder.finish(files, without_nan(record))
    finally:
        folder.end()
    return load_run(folder.path)


def _sum(members: Sequence[RunResult], what: str) -> float | None:
    """What all members cost together; None where it is not known of one."""
    costs = [run.record["model"].get(what) for run in members]
    return None if None in costs else sum(costs)

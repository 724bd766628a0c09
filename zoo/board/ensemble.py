"""Finished runs combined into a run folder of their own."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.board.derived import write_derived
from zoo.board.entries import Entry, Group, entries_called, fold_words, read_groups
from zoo.board.naming import names
from zoo.errors import ConfigError, DataError
from zoo.runs.ensemble import COMBINATIONS, combined, require_combinable, weights_of
from zoo.runs.find import open_finished
from zoo.runs.identity import Identity
from zoo.runs.run import Run
from zoo.words import natural

Place = tuple[str, int, int | None]
"""Exercise, fold and seed; None for all seeds together."""


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
    parts = _parts(found)
    return _make(parts, how, name or _called(how, [part.name for part in parts]), runs)


def ensembles_of_models(
    models: Sequence[str],
    *,
    dataset: str | None = None,
    protocol: str | None = None,
    exercise: str | None = None,
    how: str = "mean",
    all_seeds: bool = False,
    name: str | None = None,
    runs: Path,
) -> tuple[list[Run], list[str]]:
    """Combine entries of a board, one ensemble for every exercise, fold and seed they all have.

    `models` are at least two, as the leaderboard names them, or the model's name alone where only
    one entry has it; with `all_seeds`, which combines all seeds of each entry to one ensemble for
    every exercise and fold, one with several seeds will do. `dataset`, `protocol` and `exercise`
    are as in `zoo.leaderboard`, the other arguments as in `ensemble_of_runs`.

    Returns:
        The ensembles, and in words the places that were left out because a member is missing.

    Raises:
        DataError: no board has all of these entries, several have, or they share no place.
        ConfigError: as in `ensemble_of_runs`.
    """
    groups, _ = read_groups(runs, dataset, protocol, exercise=exercise)
    entries = entries_on_one_board(models, groups)
    places = [_places(entry, all_seeds) for entry in entries]
    shared = set.intersection(*(set(known) for known in places))
    if not shared:
        what = "exercise and fold" if all_seeds else "exercise, fold and seed"
        raise DataError(f"{', '.join(models)} have no {what} in common")
    called = name or _called(how, [_with_seeds(e) if all_seeds else e.name for e in entries])
    made = []
    for place in sorted(shared, key=_order):
        parts = [
            _part(run, entry, all_seeds)
            for known, entry in zip(places, entries, strict=True)
            for run in known[place]
        ]
        require_combinable([part.run for part in parts])
        made.append(_make(parts, how, called, runs))
    return made, _left_out(set.union(*(set(known) for known in places)) - shared)


def entries_on_one_board(models: Sequence[str], groups: Sequence[Group]) -> list[Entry]:
    """The entries of these names, on the one board that has them all.

    Raises:
        DataError: there is none, or there are several.
    """
    boards = []
    alone = [group for group in groups if group.key.sees == "recording"]
    for group in alone:
        found = [entries_called(model, group.entries) for model in models]
        if all(len(some) == 1 for some in found):
            boards.append((group.key, [entry for (entry,) in found]))
    if not boards:
        known = sorted({entry.name for group in alone for entry in group.entries})
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


def _places(entry: Entry, all_seeds: bool) -> dict[Place, list[Run]]:
    """The entry's runs by place; with all seeds together, the places that have all of them."""
    if not all_seeds:
        return {run.place: [run] for run in entry.runs}
    found: dict[Place, list[Run]] = defaultdict(list)
    for run in entry.runs:
        found[run.exercise, run.fold, None].append(run)
    return {place: runs for place, runs in found.items() if len(runs) == len(entry.seeds)}


def _part(run: Run, entry: Entry, all_seeds: bool) -> Part:
    about: dict[str, Any] = {"model": entry.model, "settings": dict(entry.settings)}
    if all_seeds and len(entry.seeds) > 1:
        return Part(run, f"{entry.name} seed {run.seed}", {**about, "seed": run.seed})
    return Part(run, entry.name, about)


def _with_seeds(entry: Entry) -> str:
    return f"{entry.name} ({len(entry.seeds)} seeds)" if len(entry.seeds) > 1 else entry.name


def _called(how: str, members: Sequence[str]) -> str:
    return f"{how} of {', '.join(members)}"


def _order(place: Place) -> Any:
    exercise, fold, seed = place
    return natural(exercise), fold, seed or 0


def _left_out(places: set[Place]) -> list[str]:
    grouped: dict[tuple[str, int | None], set[int]] = defaultdict(set)
    for exercise, fold, seed in places:
        grouped[exercise, seed].add(fold)
    return [
        f"exercise {exercise}, {'' if seed is None else f'seed {seed}, '}{fold_words(folds)}"
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


def _make(parts: Sequence[Part], how: str, name: str, root: Path) -> Run:
    if how not in COMBINATIONS:
        raise ConfigError(f"ensembles combine by {' or '.join(COMBINATIONS)}, not {how!r}")
    members = [part.run for part in parts]
    weights = weights_of(members, how).tolist()
    return write_derived(
        {part.name: part.run for part in parts},
        weights,
        combined(members, weights),
        name=name,
        params={"combine": how, "members": [dict(part.identity) for part in parts]},
        made_by="zoo.runs.ensemble:combined",
        root=root,
    )

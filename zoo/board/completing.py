"""What completes a board: the commands that make the runs its entries lack."""

import shlex
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry import PROTOCOLS, UserError
from zoo.board.entries import Entry, Group
from zoo.catalogue import parameters
from zoo.compose import written
from zoo.runs.find import failures
from zoo.runs.record import RunProtocol

RUNS = Path("runs")
"""The usual folder of runs, which a command need not name."""


def commands(group: Group, root: Path, *, public: bool = False) -> list[str]:
    """One command for all entries that lack runs and share settings and seeds.

    An entry that no command makes is left out: an ensemble, one that began with the weights of
    another run, one that cannot be compared, one of exercises taken together.

    Args:
        group: the entries of one dataset and protocol.
        root: folder of all runs.
        public: leave out what names a folder of this machine.
    """
    alike: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    exercises = list(group.folds)
    for entry in group.entries:
        record = entry.runs[0].record
        owner = record.model.source.owner or ""
        file = owner if owner.endswith(".py") else ""
        if entry.complete or entry.objection or record.members or "all" in exercises:
            continue
        folder = isinstance(record.changed.get("trainer.init_from"), str)
        if folder or (public and file):
            continue
        settings = [*written(_keys(record.changed)), *_of_protocol(record.protocol)]
        again = ["--retry-failed"] if failures(entry.runs, entry.seeds) else []
        plugin = ["--plugin", file] if file else []
        seeds = list(map(str, entry.seeds))
        alike[(*plugin, "--seeds", *seeds, *again, *settings)].append(entry)
    where = [] if public or root == RUNS else ["--runs", str(root)]
    found = []
    for words, entries in alike.items():
        models = dict.fromkeys(entry.model for entry in entries)
        key = group.key
        grid = ["--models", *models, "--dataset", key.dataset, "--protocol", key.protocol]
        said = ["zoo", "bench", *grid, "--exercises", *exercises, *where, *words]
        found.append(shlex.join(said))
    return found


def _keys(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by the key that a command takes."""
    return {key if "." in key else f"model.{key}": value for key, value in changed.items()}


def _of_protocol(protocol: RunProtocol) -> list[str]:
    """In which settings a protocol differs from the one of this name today."""
    try:
        usual = parameters(PROTOCOLS.get(protocol.name))
    except UserError:
        return []
    differing = {key: v for key, v in protocol.params.items() if v != usual.get(key)}
    return written({f"protocol.{key}": value for key, value in differing.items()})

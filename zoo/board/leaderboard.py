"""From a folder of runs to the leaderboard."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zoo.board.board import Board, Entry, Section
from zoo.board.collect import Group, collect_groups
from zoo.board.published import published_for
from zoo.board.ranking import section
from zoo.errors import DataError
from zoo.runs.find import Unreadable

HONEST, LEAKY = "person-kfold", "d2sta-paper"
"""Protocols that are shown side by side where a dataset has boards of both."""


@dataclass(frozen=True)
class Choice:
    """What of a folder of runs is to be ranked.

    Attributes:
        runs: folder of all runs.
        dataset: only this dataset.
        protocol: only this protocol.
        exercise: only this exercise.
        fingerprint: beginning of a dataset's fingerprint.
        protocol_hash: beginning of a protocol's hash.
    """

    runs: Path
    dataset: str | None = None
    protocol: str | None = None
    exercise: str | None = None
    fingerprint: str | None = None
    protocol_hash: str | None = None

    def read(self) -> tuple[list[Group], list[Unreadable]]:
        """One group for each dataset and protocol, and the folders that cannot be read.

        A group has one fingerprint and one protocol hash: those with most runs, unless they are
        named. A note on its board says what else there is.

        Raises:
            DataError: no such folder, or nothing in it fits.
        """
        every, unreadable = collect_groups(
            self.runs, self.dataset, self.protocol, exercise=self.exercise
        )
        found: dict[tuple[str, str], Group] = {}
        for group in every:
            key = group.key
            if key.fingerprint.startswith(self.fingerprint or "") and key.protocol_hash.startswith(
                self.protocol_hash or ""
            ):
                found.setdefault((key.dataset, key.protocol), group)
        if not found:
            asked = {k: v for k, v in vars(self).items() if v is not None and k != "runs"}
            wanted = ", ".join(f"{what.replace('_', ' ')} {v}" for what, v in asked.items())
            raise DataError(
                f"{self.runs} holds no finished run{f' of {wanted}' if wanted else ''} that can be "
                f"ranked{f'; {len(unreadable)} cannot be read' if unreadable else ''}"
            )
        return list(found.values()), unreadable


def build_board(
    root: Path,
    groups: Sequence[Group],
    unreadable: Sequence[Unreadable] = (),
    *,
    public: bool = False,
) -> Board:
    """Rank each group for itself.

    Args:
        root: folder of all runs.
        groups: of `Choice.read`.
        unreadable: of the same.
        public: leave out whatever belongs to a single person.
    """
    from zoo import __version__

    sections = [
        section(group, root, public=public, published=published_for(group.key.dataset))
        for group in groups
    ]
    return Board(
        generated=datetime.now(UTC).isoformat(timespec="seconds"),
        zoo_version=__version__,
        public=public,
        boards=sections,
        pairs=_pairs(sections),
        unreadable=[
            {
                "path": bad.path.relative_to(root).as_posix(),
                "reason": bad.reason.replace(f"{root}{os.sep}", ""),
            }
            for bad in unreadable
        ],
    )


def _pairs(sections: Sequence[Section]) -> list[Mapping[str, Any]]:
    """Models on an honest and on a leaky board of the same data, by their honest rank."""
    pairs = []
    for leaky in sections:
        if leaky.protocol["name"] != LEAKY:
            continue
        for honest in sections:
            same = (honest.dataset, honest.fingerprint) == (leaky.dataset, leaky.fingerprint)
            if honest.protocol["name"] == HONEST and same:
                pairs.append(_pair(honest, leaky))
    return pairs


def _pair(honest: Section, leaky: Section) -> Mapping[str, Any]:
    """Entries of one name; or, where settings differ, the only ones of one model."""
    named = {entry.name: entry for entry in leaky.entries}
    here, there = _only_of_model(honest), _only_of_model(leaky)
    couples = []
    for entry in honest.entries:
        if entry.name in named:
            couples.append((entry.name, entry, named[entry.name]))
        elif entry.model in here and entry.model in there:
            couples.append((entry.model, entry, there[entry.model]))
    return {
        "dataset": honest.dataset,
        "score_range": honest.score_range,
        "honest": honest.protocol["name"],
        "leaky": leaky.protocol["name"],
        "entries": [
            {
                "name": name,
                "honest_mad": one.metrics["mean"]["mad"].value,
                "leaky_mad": other.metrics["mean"]["mad"].value,
                "honest_rank": one.rank,
                "leaky_rank": other.rank,
            }
            for name, one, other in couples
        ],
    }


def _only_of_model(section: Section) -> dict[str, Entry]:
    """The entry of each model that has one."""
    count = Counter(entry.model for entry in section.entries)
    return {entry.model: entry for entry in section.entries if count[entry.model] == 1}

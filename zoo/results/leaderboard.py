"""From a folder of runs to the leaderboard."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zoo.errors import DataError
from zoo.results.board import Board, Section
from zoo.results.collect import Group, collect_groups
from zoo.results.published import published_for
from zoo.results.ranking import section

HONEST, LEAKY = "person-kfold", "d2sta-paper"
"""Protocols that are shown side by side where a dataset has boards of both."""


def build_board(
    runs: Path | str,
    dataset: str | None = None,
    protocol: str | None = None,
    *,
    exercise: str | None = None,
    fingerprint: str | None = None,
    protocol_hash: str | None = None,
    public: bool = False,
) -> Board:
    """Rank what is below a folder of runs.

    Each dataset and protocol gets one board, of one fingerprint and one protocol hash: those with
    most runs, unless they are named. A note on the board says what else there is.

    Args:
        runs: folder of all runs.
        dataset: only this dataset.
        protocol: only this protocol.
        exercise: only this exercise.
        fingerprint: beginning of a dataset's fingerprint.
        protocol_hash: beginning of a protocol's hash.
        public: leave out whatever belongs to a single person.

    Raises:
        DataError: no such folder, or nothing in it fits.
    """
    from zoo import __version__

    root = Path(runs).expanduser()
    groups, unreadable = collect_groups(root, dataset, protocol, exercise=exercise)
    chosen = main_groups(groups, fingerprint or "", protocol_hash or "")
    if not chosen:
        asked = {
            "dataset": dataset,
            "protocol": protocol,
            "exercise": exercise,
            "fingerprint": fingerprint,
            "protocol hash": protocol_hash,
        }
        wanted = ", ".join(f"{what} {value}" for what, value in asked.items() if value)
        raise DataError(
            f"{root} holds no finished run{f' of {wanted}' if wanted else ''} that can be ranked"
            + (f"; {len(unreadable)} cannot be read" if unreadable else "")
        )
    sections = [
        section(group, root, public=public, published=published_for(group.key.dataset))
        for group in chosen
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
                "reason": bad.reason.replace(f"{root}/", ""),
            }
            for bad in unreadable
        ],
    )


def main_groups(
    groups: Sequence[Group], fingerprint: str = "", protocol_hash: str = ""
) -> list[Group]:
    """One group for each dataset and protocol: the first whose hashes begin as named."""
    found: dict[tuple[str, str], Group] = {}
    for group in groups:
        key = group.key
        fits = key.fingerprint.startswith(fingerprint) and key.protocol_hash.startswith(
            protocol_hash
        )
        if fits:
            found.setdefault((key.dataset, key.protocol), group)
    return list(found.values())


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
    there = {entry.name: entry for entry in leaky.entries}
    return {
        "dataset": honest.dataset,
        "honest": honest.protocol["name"],
        "leaky": leaky.protocol["name"],
        "entries": [
            {
                "name": entry.name,
                "honest_mad": entry.metrics["mean"]["mad"].value,
                "leaky_mad": there[entry.name].metrics["mean"]["mad"].value,
                "honest_rank": entry.rank,
                "leaky_rank": there[entry.name].rank,
            }
            for entry in honest.entries
            if entry.name in there
        ],
    }

"""From a folder of runs to the leaderboard."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from zoo.board.board import Board, LeftOut, Pair, PairedModel, Ranked, Section
from zoo.board.entries import Group, read_groups
from zoo.board.ranking import section
from zoo.errors import DataError
from zoo.runs.find import no_collection


@no_collection()
def build_board(
    root: Path,
    dataset: str | None = None,
    protocol: str | None = None,
    *,
    exercise: str | None = None,
    fingerprint: str | None = None,
    protocol_hash: str | None = None,
    public: bool = False,
) -> Board:
    """Rank finished runs, each dataset and protocol for itself.

    A section has one fingerprint and one protocol hash: those with most runs, unless they are
    named; a note on it says what else there is. Entries that saw a person's other recordings have a
    section of their own.

    Arguments and errors are those of `zoo.leaderboard`.
    """
    from zoo import __version__

    every, unreadable = read_groups(root, dataset, protocol, exercise=exercise)
    found: dict[tuple[str, str, str], Group] = {}
    for group in every:
        key = group.key
        if key.fingerprint.startswith(fingerprint or "") and key.protocol_hash.startswith(
            protocol_hash or ""
        ):
            found.setdefault((key.dataset, key.protocol, key.sees), group)
    if not found:
        asked = {
            "dataset": dataset,
            "protocol": protocol,
            "exercise": exercise,
            "fingerprint": fingerprint,
            "protocol hash": protocol_hash,
        }
        wanted = ", ".join(f"{what} {value}" for what, value in asked.items() if value is not None)
        raise DataError(
            f"{root} holds no finished run{f' of {wanted}' if wanted else ''} that can be "
            f"ranked{f'; {len(unreadable)} cannot be read' if unreadable else ''}"
        )
    sections = [section(group, root, public=public) for group in found.values()]
    return Board(
        generated=datetime.now(UTC).isoformat(timespec="seconds"),
        zoo_version=__version__,
        public=public,
        sections=sections,
        pairs=_pairs(sections),
        unreadable=[
            LeftOut(
                bad.path.relative_to(root).as_posix(), bad.reason.replace(f"{root}{os.sep}", "")
            )
            for bad in unreadable
        ],
    )


def _pairs(sections: Sequence[Section]) -> list[Pair]:
    """Each leaky section beside the honest one of the same data that shares most models with it."""
    pairs = []
    for leaky in sections:
        honest = [
            s
            for s in sections
            if (s.dataset, s.fingerprint) == (leaky.dataset, leaky.fingerprint)
            and not s.protocol.leaky
            and s.protocol.sees == "recording"
        ]
        if leaky.protocol.leaky and honest:
            pairs.append(max((_pair(s, leaky) for s in honest), key=lambda pair: len(pair.models)))
    return pairs


def _pair(honest: Section, leaky: Section) -> Pair:
    """Entries of one name; or, where settings differ, the only ones of one model."""
    named = {entry.name: entry for entry in leaky.ranked}
    here, there = _only_of_model(honest), _only_of_model(leaky)
    models = []
    for entry in honest.ranked:
        name, other = entry.name, named.get(entry.name)
        if other is None and entry.model in here:
            name, other = entry.model, there.get(entry.model)
        if other is not None:
            models.append(
                PairedModel(
                    name,
                    entry.family,
                    entry.mean_score,
                    entry.leak_reference,
                    entry.mad,
                    other.mad,
                    entry.rank,
                    other.rank,
                )
            )
    return Pair(
        honest.dataset,
        honest.dataset_title,
        honest.score_range,
        honest.protocol.name,
        leaky.protocol.name,
        models,
    )


def _only_of_model(section: Section) -> dict[str, Ranked]:
    """The entry of each model that has one."""
    count = Counter(entry.model for entry in section.ranked)
    return {entry.model: entry for entry in section.ranked if count[entry.model] == 1}

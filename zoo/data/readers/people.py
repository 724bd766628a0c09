"""One person of the several that a camera sees: who is in sight, and moves."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

IN_SIGHT = 0.5
"""Whoever is seen half as much as the one seen most may be the one who exercises."""

_NEAR = 0.5
"""A body half its own size away is another one."""


def linked(frames: Sequence[Sequence[Floats]]) -> list[dict[int, Floats]]:
    """People of every frame under a number that stays the same from frame to frame.

    Programs that find people in every frame anew give them in no stable order. A person goes on
    as who was nearest in the frame where that one was last seen.

    Args:
        frames: for every frame the people in it, each joints (J, C), NaN where lost.

    Returns:
        For every frame its people by number, counted from 0.
    """
    last: dict[int, Floats] = {}
    found: list[dict[int, Floats]] = []
    for people in frames:
        pairs = sorted(
            (_distance(before, person), number, i)
            for number, before in last.items()
            for i, person in enumerate(people)
        )
        named: dict[int, int] = {}
        for distance, number, i in pairs:
            if distance < _NEAR and i not in named and number not in named.values():
                named[i] = number
        for i in range(len(people)):
            named.setdefault(i, max([-1, *last, *named.values()]) + 1)
        here = {named[i]: person for i, person in enumerate(people)}
        last.update(here)
        found.append(here)
    return found


def named(frames: Sequence[Sequence[tuple[Floats, Hashable]]]) -> Sequence[Mapping[Any, Floats]]:
    """People of every frame by the track that the file gives them, else as `linked`.

    Args:
        frames: for every frame the joints (J, C) and the track of its people, None without one.
    """
    if all(track is not None for people in frames for _, track in people):
        return [{track: points for points, track in people} for people in frames]
    return linked([[points for points, _ in people] for people in frames])


def chosen(
    frames: Sequence[Mapping[Any, Floats]], joints: int, width: int
) -> tuple[Floats, list[str]]:
    """The person who exercises: of those who are in sight, who moves most.

    Args:
        frames: for every frame its people by number or id, each joints (J, C), NaN where lost.
        joints: number of joints J.
        width: of a joint's numbers C.

    Returns:
        Values (T, J, C), NaN in frames without this person, and a note where there were others.
    """
    seen: dict[Any, Floats] = {}
    for t, people in enumerate(frames):
        for who, person in people.items():
            if who not in seen:
                seen[who] = np.full((len(frames), joints, width), np.nan)
            seen[who][t] = person
    if not seen:
        return np.full((len(frames), joints, width), np.nan), []
    amount = {who: int(np.isfinite(values[..., 0]).sum()) for who, values in seen.items()}
    most = max(amount.values())
    rivals = [who for who, count in amount.items() if count and count >= IN_SIGHT * most]
    best = max(rivals or list(seen), key=lambda who: _movement(seen[who]))
    notes = []
    if len(seen) > 1:
        frames_seen = int(np.isfinite(seen[best][..., 0]).any(axis=1).sum())
        why = "who moves most" if len(rivals) > 1 else "who is seen most"
        notes.append(
            f"{len(seen)} people were seen; the one {why} is kept, in {frames_seen} of "
            f"{len(frames)} frames"
        )
    return seen[best], notes


def _distance(before: Floats, now: Floats) -> float:
    """Median distance of the joints in parts of the body's size; infinite without a common one."""
    gaps = np.linalg.norm((before - now)[:, :2], axis=-1)
    gaps = gaps[np.isfinite(gaps)]
    size = max(_size(before), _size(now))
    return float(np.median(gaps)) / size if len(gaps) and size > 0 else np.inf


def _size(person: Floats) -> float:
    known = person[np.isfinite(person[:, :2]).all(-1), :2]
    return float(np.linalg.norm(np.ptp(known, axis=0))) if len(known) > 1 else 0.0


def _movement(values: Floats) -> float:
    """Spread of the joints in time in parts of the body's size."""
    shown = np.isfinite(values[..., 0])
    enough = shown.sum(axis=0) > 1
    if not enough.any():
        return 0.0
    spread = np.nanstd(values[:, enough, :2], axis=0)
    sizes = [size for size in map(_size, values) if size > 0]
    return float(np.nanmean(spread)) / float(np.median(sizes)) if sizes else 0.0

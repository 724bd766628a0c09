"""Recordings that are one under two names: equal frames, or bones of equal length.

Ids cannot tell that somebody was recorded under two of them, or that a file was copied. Joints can.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.signature import BONE_TOLERANCE, Signature
from zoo.protocol.split import Split


@dataclass(frozen=True)
class NearDuplicate:
    """A recording of the test that seems to be one of training or validation.

    Attributes:
        test: its id.
        seen: id of the other one.
        why: what is equal, in words.
    """

    test: str
    seen: str
    why: str

    def __str__(self) -> str:
        return f"{self.test} is like {self.seen}: {self.why}"


def near_duplicates(signatures: Mapping[str, Signature], split: Split) -> tuple[NearDuplicate, ...]:
    """For each test recording the one it resembles most on the other side, if there is one.

    Recordings of one known person are not compared: their ids already show that they stand
    on both sides, and that they share a body is no surprise.

    Args:
        signatures: by recording id; a recording without one resembles none.
        split: who stands where.

    Returns:
        Sorted by test recording.
    """
    sides = _Sides(signatures, split)
    found = {**_equal_bones(sides), **_equal_frames(sides)}
    return tuple(found[name] for name in sorted(found))


class _Sides:
    """The recordings with a signature, by number, and on which sides they stand."""

    def __init__(self, signatures: Mapping[str, Signature], split: Split) -> None:
        person = {r: p for part in split.members.values() for p, r, _ in part}
        self.names = sorted(r for r in person if r in signatures)
        self.signatures = [signatures[name] for name in self.names]
        test = set(split.recordings("test"))
        seen = {*split.recordings("train"), *split.recordings("validation")}
        self.is_test = np.array([name in test for name in self.names], dtype=bool)
        self.is_seen = np.array([name in seen for name in self.names], dtype=bool)
        # Every recording of nobody knows whom is a person of its own.
        known = [person[n] if person[n] != UNKNOWN_SUBJECT else f"\0{n}" for n in self.names]
        self.person = np.unique(known, return_inverse=True)[1]

    def on_the_other_side(self, test: int, others: np.ndarray) -> np.ndarray:
        """Those of `others` (numbers) that are seen and of another person than `test`."""
        return others[self.is_seen[others] & (self.person[others] != self.person[test])]


def _equal_frames(sides: _Sides) -> dict[str, NearDuplicate]:
    frames = [s.frames for s in sides.signatures]
    if not frames:
        return {}
    owner = np.repeat(np.arange(len(frames)), [len(f) for f in frames])
    number = np.concatenate(frames)
    order = np.argsort(number, kind="stable")
    number, owner = number[order], owner[order]
    start = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
    stop = np.r_[start[1:], len(number)]
    several = stop - start > 1
    shared: dict[int, Counter[int]] = defaultdict(Counter)
    for a, b in zip(start[several], stop[several], strict=True):
        owners = owner[a:b]
        for test in owners[sides.is_test[owners]]:
            shared[int(test)].update(sides.on_the_other_side(test, owners).tolist())
    found = {}
    for test, counts in shared.items():
        if counts:
            seen, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
            name, of = sides.names[test], len(frames[test])
            found[name] = NearDuplicate(
                name, sides.names[seen], f"{count} of {of} frames are equal"
            )
    return found


def _equal_bones(sides: _Sides) -> dict[str, NearDuplicate]:
    lengths = {i: s.bones for i, s in enumerate(sides.signatures) if s.bones is not None}
    if not lengths:
        return {}
    at, bones = np.array(list(lengths)), np.stack(list(lengths.values()))  # (R,), (R, B)
    size = bones.sum(axis=1)
    order = np.argsort(size, kind="stable")
    at, bones, size = at[order], bones[order], size[order]
    # Lengths that differ by no more than this, bone by bone, have sums that differ by no more
    # than B times as much: only neighbours in the order of size need to be looked at.
    tolerance = BONE_TOLERANCE * size
    low = np.searchsorted(size, size - bones.shape[1] * tolerance, side="left")
    high = np.searchsorted(size, size + bones.shape[1] * tolerance, side="right")
    found = {}
    for k in np.flatnonzero((high - low > 1) & sides.is_test[at]):
        near = slice(low[k], high[k])
        equal = (np.abs(bones[near] - bones[k]) <= tolerance[k]).all(axis=1)
        others = sides.on_the_other_side(at[k], at[near][equal])
        if len(others):
            name = sides.names[at[k]]
            found[name] = NearDuplicate(
                name, sides.names[others.min()], "all bones have the same length"
            )
    return found

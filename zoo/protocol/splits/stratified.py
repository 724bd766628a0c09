"""People or samples in even folds and parts, the same on every machine.

Order comes from hashes, not from a random generator: items are sorted by SHA-256 of the seed, a
purpose and their own id. The result depends on ids, groups, scores and seed alone, not on
the order of the data, the platform or a library's version.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain, pairwise

from zoo.errors import DataError


def hash_order(ids: Sequence[str], seed: int, purpose: str) -> list[int]:
    """Indices of `ids` in the order of SHA-256(``SEED:PURPOSE:ID``)."""
    keys = [hashlib.sha256(f"{seed}:{purpose}:{i}".encode()).digest() for i in ids]
    return sorted(range(len(ids)), key=lambda i: (keys[i], ids[i]))


def stratified_folds(
    persons: Sequence[str],
    groups: Sequence[str],
    scores: Sequence[float],
    folds: int,
    seed: int,
) -> list[int]:
    """A fold for each person, groups spread evenly and scores alike.

    Within each group people are ranked by score and taken `folds` at a time; each such set puts
    one person into every fold, in hashed order. What is left over at the end of a group goes to
    the folds that have fewest people so far. So folds differ by at most one person, in all and
    within each group.

    Args:
        persons: P different ids.
        groups: their groups (P,).
        scores: their scores (P,), for the ranking.
        folds: number of folds k ≤ P.
        seed: of the order.

    Returns:
        Fold of each person (P,), 0 … k − 1.

    Raises:
        DataError: fewer people than folds.
    """
    if len(persons) < folds:
        raise DataError(
            f"{len(persons)} people cannot be split into {folds} folds: every fold needs at least "
            f"one. Use fewer folds (protocol.split.folds={max(2, len(persons))})"
        )
    fold = [0] * len(persons)
    sizes = [0] * folds
    for group, members in _ranked(persons, groups, scores, seed).items():
        for start in range(0, len(members), folds):
            block = members[start : start + folds]
            names = [f"{group}/{start}/{f}" for f in range(folds)]
            order = hash_order(names, seed, "fold")
            order.sort(key=lambda f: sizes[f])
            for person, chosen in zip(block, order, strict=False):
                fold[person] = chosen
                sizes[chosen] += 1
    return fold


def validation_subset(
    persons: Sequence[str],
    groups: Sequence[str],
    scores: Sequence[float],
    share: float,
    seed: int,
    of: str = "people",
) -> list[int]:
    """Indices of the people (or samples) set aside, spread over groups and scores.

    They are ranked by group, then score; the ranking is cut into as many equal brackets as are
    wanted, round(`share` · P) but at least one, and one is taken of each by hash.

    Args:
        persons: P different ids.
        groups: their groups (P,).
        scores: their scores (P,), for the ranking.
        share: from 0 to below 1; 0 sets nobody aside.
        seed: of the order.
        of: what they are, for the message.

    Raises:
        DataError: nobody would be left to train on.
    """
    if share == 0:
        return []
    count = max(1, round(share * len(persons)))
    if count >= len(persons):
        raise DataError(
            f"{len(persons)} {of} to train on are too few to set {count} of them aside for "
            "validation. Use fewer folds, or protocol.split.validation=0 with "
            "protocol.selection=last"
        )
    ranked = list(chain.from_iterable(_ranked(persons, groups, scores, seed).values()))
    edges = [round(k * len(ranked) / count) for k in range(count + 1)]
    chosen = []
    for a, b in pairwise(edges):
        bracket = ranked[a:b]
        first = hash_order([persons[i] for i in bracket], seed, "validation")[0]
        chosen.append(bracket[first])
    return sorted(chosen)


def stratified_parts(
    ids: Sequence[str], strata: Sequence[str], fractions: Sequence[int], seed: int
) -> list[int]:
    """A part for each item, every stratum in the same proportions.

    Items in order of stratum, then hash, are given one by one to the part that lags furthest
    behind its share, so that counts are right to within one.

    Args:
        ids: N different ids.
        strata: their strata (N,).
        fractions: whole-numbered shares of the parts.
        seed: of the order.

    Returns:
        Part of each item (N,), 0 … len(fractions) − 1.
    """
    hashed = hash_order(ids, seed, "part")
    order = sorted(hashed, key=lambda i: strata[i])
    total = sum(fractions)
    counts = [0] * len(fractions)
    part = [0] * len(ids)
    for assigned, i in enumerate(order, start=1):
        lag = [
            share * assigned - count * total for share, count in zip(fractions, counts, strict=True)
        ]
        chosen = lag.index(max(lag))
        part[i] = chosen
        counts[chosen] += 1
    return part


def quantile_labels(groups: Sequence[str], scores: Sequence[float], bins: int) -> list[str]:
    """``GROUP/QUANTILE`` of each item: alike are those of one group and one quantile of scores."""
    ranked = sorted(scores)
    quantiles = [bisect_left(ranked, score) * bins // len(scores) for score in scores]
    return [f"{group}/{q}" for group, q in zip(groups, quantiles, strict=True)]


def _ranked(
    persons: Sequence[str], groups: Sequence[str], scores: Sequence[float], seed: int
) -> dict[str, list[int]]:
    """The members of each group by score, then hash; groups sorted."""
    ranked: dict[str, list[int]] = {group: [] for group in sorted(set(groups))}
    order = hash_order(persons, seed, "rank")
    for i in sorted(order, key=lambda i: scores[i]):
        ranked[groups[i]].append(i)
    return ranked

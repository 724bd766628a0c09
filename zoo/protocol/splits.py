"""Who is trained on and who is tested, the same on every machine.

Order comes from hashes, not from a random generator: items are sorted by SHA-256 of the seed, a
purpose and their own id. A split so depends on ids, groups, scores and seed alone, not on the
order of the data, the platform or a library's version.
"""

import hashlib
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError, DataError
from zoo.protocol.split import Split

STRATA = ("group", "score")


@dataclass(frozen=True)
class SplitRule:
    """How samples are dealt to training, validation and test.

    Attributes:
        kind: ``person-kfold`` deals whole people to `folds` folds; ``random`` deals single
            samples and so puts pieces of one recording on both sides.
        folds: number of folds, for ``person-kfold``; at least 2.
        repeats: how often everything is dealt anew; `num_folds` counts all of them.
        seed: seed of the order.
        stratify: what the parts should be alike in: ``group``, ``score`` or both.
        validation: share of the training people set aside to choose the best epoch, for
            ``person-kfold``; 0 sets none aside.
        fractions: shares of training, validation and test, for ``random``, in any unit.
        score_bins: number of score quantiles that count as alike, for ``random``.
    """

    kind: str = "person-kfold"
    folds: int = 5
    repeats: int = 1
    seed: int = 0
    stratify: tuple[str, ...] = ("group", "score")
    validation: float = 0.2
    fractions: tuple[int, int, int] = (8, 1, 1)
    score_bins: int = 5

    def __post_init__(self) -> None:
        if self.kind not in _SPLITTERS:
            raise ConfigError(
                f"split.kind is {self.kind!r}, expected one of {', '.join(_SPLITTERS)}"
            )
        for key, least in (("folds", 2), ("repeats", 1), ("seed", 0), ("score_bins", 1)):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(
                    f"split.{key} is {value!r}, expected a whole number of at least {least}"
                )
        unknown = [s for s in self.stratify if s not in STRATA]
        if unknown:
            raise ConfigError(f"split.stratify has {unknown[0]!r}, expected {' and '.join(STRATA)}")
        share = self.validation
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise ConfigError(f"split.validation is {share!r}, expected a share from 0 to below 1")
        parts = self.fractions
        whole = all(isinstance(p, int) and not isinstance(p, bool) and p >= 0 for p in parts)
        if len(parts) != 3 or not whole or not parts[0] or not parts[2]:
            raise ConfigError(
                f"split.fractions is {list(parts)}, expected three whole numbers for training, "
                "validation and test, such as [8, 1, 1], training and test above 0"
            )

    @property
    def num_folds(self) -> int:
        """Number of folds, repeats counted."""
        return self.repeats * (self.folds if self.kind == "person-kfold" else 1)

    @property
    def has_validation(self) -> bool:
        """Whether a part is set aside to choose the best epoch."""
        return bool(self.validation if self.kind == "person-kfold" else self.fractions[1])

    def to_dict(self) -> dict[str, Any]:
        """Those of the values that mean something for the kind."""
        common = {"kind": self.kind, "repeats": self.repeats, "seed": self.seed}
        common["stratify"] = list(self.stratify)
        if self.kind == "person-kfold":
            return {**common, "folds": self.folds, "validation": float(self.validation)}
        return {**common, "fractions": list(self.fractions), "score_bins": self.score_bins}

    def apply(self, samples: SampleSet, fold: int) -> Split:
        """The split of fold number `fold`.

        Raises:
            ConfigError: no such fold.
            DataError: too few people or samples, or unknown people where they matter.
        """
        if not 0 <= fold < self.num_folds:
            raise ConfigError(
                f"there is no fold {fold}: this protocol has the folds 0 to {self.num_folds - 1}"
            )
        return _SPLITTERS[self.kind](self, samples, fold)


def hash_order(ids: Sequence[str], seed: int, purpose: str) -> list[int]:
    """Indices of `ids` in the order of SHA-256(``SEED:PURPOSE:ID``)."""
    keys = [hashlib.sha256(f"{seed}:{purpose}:{i}".encode()).digest() for i in ids]
    return sorted(range(len(ids)), key=lambda i: (keys[i], ids[i]))


def deal_folds(
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
    for group in sorted(set(groups)):
        members = _ranked([i for i, g in enumerate(groups) if g == group], persons, scores, seed)
        for start in range(0, len(members), folds):
            block = members[start : start + folds]
            names = [f"{group}/{start}/{f}" for f in range(folds)]
            order = hash_order(names, seed, "fold")
            order.sort(key=lambda f: sizes[f])
            for person, chosen in zip(block, order, strict=False):
                fold[person] = chosen
                sizes[chosen] += 1
    return fold


def pick_validation(
    persons: Sequence[str],
    groups: Sequence[str],
    scores: Sequence[float],
    share: float,
    seed: int,
) -> list[int]:
    """Indices of the people set aside, spread over groups and scores.

    People are ranked by group, then score; the ranking is cut into as many equal brackets as
    people are wanted, round(`share` · P) but at least one, and one is taken of each by hash.

    Raises:
        DataError: nobody would be left to train on.
    """
    if share == 0:
        return []
    count = max(1, round(share * len(persons)))
    if count >= len(persons):
        raise DataError(
            f"{len(persons)} people to train on are too few to set {count} of them aside for "
            "validation. Use fewer folds, or protocol.split.validation=0 with "
            "protocol.selection=last"
        )
    ranked = [
        i
        for group in sorted(set(groups))
        for i in _ranked([j for j, g in enumerate(groups) if g == group], persons, scores, seed)
    ]
    edges = [round(k * len(ranked) / count) for k in range(count + 1)]
    chosen = []
    for a, b in pairwise(edges):
        bracket = ranked[a:b]
        first = hash_order([persons[i] for i in bracket], seed, "validation")[0]
        chosen.append(bracket[first])
    return sorted(chosen)


def deal_parts(
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
    for dealt, i in enumerate(order, start=1):
        lag = [
            share * dealt - count * total for share, count in zip(fractions, counts, strict=True)
        ]
        chosen = lag.index(max(lag))
        part[i] = chosen
        counts[chosen] += 1
    return part


def _ranked(
    members: list[int], persons: Sequence[str], scores: Sequence[float], seed: int
) -> list[int]:
    hashed = hash_order([persons[i] for i in members], seed, "rank")
    return sorted((members[i] for i in hashed), key=lambda i: scores[i])


def _person_kfold(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    people = _people(samples)
    names = list(people)
    groups = [g if "group" in rule.stratify else "" for g, _ in people.values()]
    scores = [s if "score" in rule.stratify else 0.0 for _, s in people.values()]
    repeat, part = divmod(fold, rule.folds)
    seed = rule.seed + repeat
    of = deal_folds(names, groups, scores, rule.folds, seed)
    rest = [i for i, f in enumerate(of) if f != part]
    aside = pick_validation(
        [names[i] for i in rest],
        [groups[i] for i in rest],
        [scores[i] for i in rest],
        rule.validation,
        seed * rule.folds + part,
    )
    place = {name: "train" if f != part else "test" for name, f in zip(names, of, strict=True)}
    place.update({names[rest[i]]: "validation" for i in aside})
    index = defaultdict(list)
    for i, person in enumerate(samples.subject):
        index[place[person]].append(i)
    return Split.of(samples, index["train"], index["validation"], index["test"])


def _random(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    strata = _strata(rule, samples)
    part = deal_parts(samples.ids, strata, rule.fractions, rule.seed + fold)
    train, validation, test = ([i for i, p in enumerate(part) if p == k] for k in range(3))
    if not train or not test or (rule.fractions[1] and not validation):
        raise DataError(
            f"{len(samples)} samples are too few to be split {':'.join(map(str, rule.fractions))}"
        )
    return Split.of(samples, train, validation, test)


_SPLITTERS: Mapping[str, Callable[[SplitRule, SampleSet, int], Split]] = {
    "person-kfold": _person_kfold,
    "random": _random,
}


def _people(samples: SampleSet) -> dict[str, tuple[str, float]]:
    """Group and mean score of each person, in order of name.

    Raises:
        DataError: people are unknown, or of two groups at once.
    """
    unknown = sum(person == UNKNOWN_SUBJECT for person in samples.subject)
    if unknown:
        raise DataError(
            f"{unknown} of {len(samples)} samples do not say whose they are: they cannot be split "
            "by person, so no honest score can be measured on this data. Use a dataset that names "
            "its people, or a protocol that is marked leaky"
        )
    groups: dict[str, set[str]] = defaultdict(set)
    scores: dict[str, list[float]] = defaultdict(list)
    for person, group, score in zip(
        samples.subject, samples.group, samples.target.tolist(), strict=True
    ):
        groups[person].add(group)
        scores[person].append(score)
    for person, found in groups.items():
        if len(found) > 1:
            raise DataError(f"{person} is in the groups {' and '.join(sorted(found))} at once")
    return {
        p: (next(iter(groups[p])), math.fsum(scores[p]) / len(scores[p])) for p in sorted(groups)
    }


def _strata(rule: SplitRule, samples: SampleSet) -> list[str]:
    strata = [""] * len(samples)
    if "group" in rule.stratify:
        strata = list(samples.group)
    if "score" in rule.stratify:
        scores = samples.target.tolist()
        ranked = sorted(scores)
        bins = [bisect_left(ranked, score) * rule.score_bins // len(scores) for score in scores]
        strata = [f"{s}/{b}" for s, b in zip(strata, bins, strict=True)]
    return strata

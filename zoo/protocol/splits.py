"""Who is trained on and who is tested: the kinds of splits, each a rule with its settings.

How people and samples are dealt is in `zoo.protocol.deal`: the same on every machine.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from zoo.data.cross import PEOPLE, foreign_prefix
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError, DataError
from zoo.protocol.deal import deal_folds, deal_parts, pick_validation, strata_of
from zoo.protocol.split import PARTS, Split

STRATA = ("group", "score")


@dataclass(frozen=True)
class SplitRule:
    """How samples are dealt to training, validation and test.

    Attributes:
        kind: ``person-kfold`` deals whole people to `folds` folds; ``leave-one-person-out`` tests
            each person once, by a model trained on all others; ``person-holdout`` deals whole
            people to three parts; ``cross-dataset`` tests everybody of another dataset;
            ``random`` deals single samples to three parts and ``random-kfold`` to `folds` folds,
            and so both put pieces of one recording on both sides.
        folds: number of folds, for the two k-folds; at least 2.
        repeats: how often everything is dealt anew; `num_folds` counts all of them.
        seed: seed of the order.
        stratify: what the parts should be alike in: ``group``, ``score`` or both.
        validation: share of what is trained on that is set aside to choose the best epoch; people,
            or samples for ``random-kfold``; 0 sets none aside.
        fractions: shares of training, validation and test, in any unit, for ``person-holdout``
            and ``random``.
        score_bins: number of score quantiles that count as alike, where scores are not ranked.
        dataset: the one to test on, for ``cross-dataset``, as the next three.
        exercise: exercise of it to test on; the one trained on if None.
        joints: its joint for ours, where their names do not show it.
        people: ``same`` if people of one name in both datasets are one person, ``apart`` if not.
    """

    kind: str = "person-kfold"
    folds: int = 5
    repeats: int = 1
    seed: int = 0
    stratify: tuple[str, ...] = ("group", "score")
    validation: float = 0.2
    fractions: tuple[int, int, int] = (8, 1, 1)
    score_bins: int = 5
    dataset: str | None = None
    exercise: str | None = None
    joints: Mapping[str, str] = field(default_factory=dict, hash=False)
    people: str = "same"

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ConfigError(f"split.kind is {self.kind!r}, expected one of {', '.join(_KINDS)}")
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
        for key in ("dataset", "exercise"):
            name = getattr(self, key)
            if name is not None and (not isinstance(name, str) or not name):
                raise ConfigError(f"split.{key} is {name!r}, expected a name in quotes, or null")
        if not isinstance(self.joints, Mapping):
            raise ConfigError(
                f"split.joints is {self.joints!r}, expected their joint for ours, such as "
                "{SpineBase: Waist}"
            )
        if self.people not in PEOPLE:
            raise ConfigError(f"split.people is {self.people!r}, expected {' or '.join(PEOPLE)}")

    @property
    def deals_samples(self) -> bool:
        """Whether single samples are dealt, so that a person can stand on both sides."""
        return _KINDS[self.kind].deals_samples

    @property
    def has_validation(self) -> bool:
        """Whether a part is set aside to choose the best epoch."""
        return bool(self.fractions[1] if self._means("fractions") else self.validation)

    def num_folds(self, persons: Collection[str]) -> int:
        """Number of folds, repeats counted.

        Args:
            persons: the people of the samples; repetitions do no harm.
        """
        if self.kind == "leave-one-person-out":
            return len(set(persons))
        repeats = self.repeats if self._means("repeats") else 1
        return repeats * (self.folds if self._means("folds") else 1)

    def to_dict(self) -> dict[str, Any]:
        """Those of the values that mean something for the kind."""
        values: dict[str, Any] = {"kind": self.kind}
        for key in _KINDS[self.kind].settings:
            value = getattr(self, key)
            values[key] = _plain(value)
        if "validation" in values:
            values["validation"] = float(self.validation)
        return values

    def apply(self, samples: SampleSet, fold: int) -> Split:
        """The split of fold number `fold`.

        Raises:
            ConfigError: no such fold.
            DataError: too few people or samples, or unknown people where they matter.
        """
        folds = self.num_folds(samples.subject)
        if not 0 <= fold < folds:
            raise ConfigError(
                f"there is no fold {fold}: this protocol has the folds 0 to {folds - 1}"
            )
        return _KINDS[self.kind].deal(self, samples, fold)

    def _means(self, key: str) -> bool:
        return key in _KINDS[self.kind].settings


class _People(NamedTuple):
    """The people of some samples, sorted by name; `groups` and `scores` as the rule stratifies."""

    names: list[str]
    groups: list[str]
    scores: list[float]


def _person_kfold(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    people = _people(rule, samples)
    repeat, part = divmod(fold, rule.folds)
    seed = rule.seed + repeat
    of = deal_folds(*people, rule.folds, seed)
    return _tested(rule, samples, people, [f == part for f in of], seed * rule.folds + part)


def _leave_one_person_out(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    people = _people(rule, samples)
    if len(people.names) < 2:
        raise DataError("one person alone cannot be left out: nobody is left to train on")
    left_out = [i == fold for i in range(len(people.names))]
    return _tested(rule, samples, people, left_out, rule.seed * len(left_out) + fold)


def _person_holdout(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    people = _people(rule, samples)
    strata = strata_of(people.groups, people.scores, rule.score_bins)
    part = deal_parts(people.names, strata, rule.fractions, rule.seed + fold)
    _require_parts(rule, part, "people")
    return _placed(samples, {name: PARTS[p] for name, p in zip(people.names, part, strict=True)})


def _random(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    part = deal_parts(samples.ids, _strata(rule, samples), rule.fractions, rule.seed + fold)
    _require_parts(rule, part, "samples")
    train, validation, test = ([i for i, p in enumerate(part) if p == k] for k in range(3))
    return Split.of(samples, train, validation, test)


def _random_kfold(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    if len(samples) < rule.folds:
        raise DataError(
            f"{len(samples)} samples cannot be split into {rule.folds} folds. Use fewer folds "
            f"(protocol.split.folds={max(2, len(samples))})"
        )
    repeat, part = divmod(fold, rule.folds)
    seed = rule.seed + repeat
    ids, strata = samples.ids, _strata(rule, samples)
    of = deal_parts(ids, strata, [1] * rule.folds, seed)
    rest = [i for i, f in enumerate(of) if f != part]
    chosen = pick_validation(
        [ids[i] for i in rest],
        [strata[i] for i in rest],
        [0.0] * len(rest),
        rule.validation,
        seed * rule.folds + part,
        of="samples",
    )
    validation = {rest[i] for i in chosen}
    return Split.of(
        samples,
        [i for i in rest if i not in validation],
        sorted(validation),
        [i for i, f in enumerate(of) if f == part],
    )


def _cross_dataset(rule: SplitRule, samples: SampleSet, fold: int) -> Split:
    if rule.dataset is None:
        raise ConfigError(
            "split.dataset does not say which dataset to test on: protocol.split.dataset=NAME"
        )
    prefix = foreign_prefix(rule.dataset)
    test = [i for i, name in enumerate(samples.recording) if name.startswith(prefix)]
    own = sorted(set(range(len(samples))) - set(test))
    for found, dataset in ((test, rule.dataset), (own, "the dataset to train on")):
        if not found:
            raise DataError(f"there are no samples of {dataset}")
    people = _people(rule, samples, own)
    everybody = range(len(people.names))
    validation = _set_aside(rule, people, everybody, rule.seed + fold)
    chosen = [i for i in own if samples.subject[i] in validation]
    return Split.of(samples, sorted(set(own) - set(chosen)), chosen, test)


class _Kind(NamedTuple):
    """A kind of split: what deals, which settings mean something, what is dealt."""

    deal: Callable[[SplitRule, SampleSet, int], Split]
    settings: tuple[str, ...]
    deals_samples: bool = False


_KINDS: Mapping[str, _Kind] = {
    "person-kfold": _Kind(_person_kfold, ("repeats", "seed", "stratify", "folds", "validation")),
    "leave-one-person-out": _Kind(_leave_one_person_out, ("seed", "stratify", "validation")),
    "person-holdout": _Kind(
        _person_holdout, ("repeats", "seed", "stratify", "fractions", "score_bins")
    ),
    "cross-dataset": _Kind(
        _cross_dataset,
        ("repeats", "seed", "stratify", "validation", "dataset", "exercise", "joints", "people"),
    ),
    "random": _Kind(
        _random, ("repeats", "seed", "stratify", "fractions", "score_bins"), deals_samples=True
    ),
    "random-kfold": _Kind(
        _random_kfold,
        ("repeats", "seed", "stratify", "folds", "validation", "score_bins"),
        deals_samples=True,
    ),
}


def _people(rule: SplitRule, samples: SampleSet, among: Sequence[int] | None = None) -> _People:
    """Everybody in `samples`, or in those at `among`, with their group and mean score.

    Raises:
        DataError: people are unknown, or of two groups at once.
    """
    rows = range(len(samples)) if among is None else among
    unknown = sum(samples.subject[i] == UNKNOWN_SUBJECT for i in rows)
    if unknown:
        raise DataError(
            f"{unknown} of {len(rows)} samples do not say whose they are: they cannot be split "
            "by person, so no honest score can be measured on this data. Use a dataset that names "
            "its people, or a protocol that is marked leaky"
        )
    groups: dict[str, set[str]] = defaultdict(set)
    scores: dict[str, list[float]] = defaultdict(list)
    targets = samples.target.tolist()
    for i in rows:
        groups[samples.subject[i]].add(samples.group[i])
        scores[samples.subject[i]].append(targets[i])
    for person, found in groups.items():
        if len(found) > 1:
            raise DataError(f"{person} is in the groups {' and '.join(sorted(found))} at once")
    names = sorted(groups)
    by_group, by_score = "group" in rule.stratify, "score" in rule.stratify
    return _People(
        names,
        [next(iter(groups[p])) if by_group else "" for p in names],
        [math.fsum(scores[p]) / len(scores[p]) if by_score else 0.0 for p in names],
    )


def _tested(
    rule: SplitRule, samples: SampleSet, people: _People, tested: Sequence[bool], seed: int
) -> Split:
    """The split that tests those people and sets some of the others aside for validation."""
    others = [i for i, is_tested in enumerate(tested) if not is_tested]
    validation = _set_aside(rule, people, others, seed)
    place = {
        name: "test" if is_tested else "validation" if name in validation else "train"
        for name, is_tested in zip(people.names, tested, strict=True)
    }
    return _placed(samples, place)


def _set_aside(rule: SplitRule, people: _People, among: Sequence[int], seed: int) -> set[str]:
    """Names of those at `among` who choose the best epoch."""
    names = [people.names[i] for i in among]
    chosen = pick_validation(
        names,
        [people.groups[i] for i in among],
        [people.scores[i] for i in among],
        rule.validation,
        seed,
    )
    return {names[i] for i in chosen}


def _placed(samples: SampleSet, place: Mapping[str, str]) -> Split:
    """The split in which every person's samples stand in that person's part."""
    index = defaultdict(list)
    for i, person in enumerate(samples.subject):
        index[place[person]].append(i)
    return Split.of(samples, *(index[part] for part in PARTS))


def _require_parts(rule: SplitRule, part: Sequence[int], of: str) -> None:
    for k, share in enumerate(rule.fractions):
        if share and k not in part:
            raise DataError(
                f"{len(part)} {of} are too few to be split {':'.join(map(str, rule.fractions))}"
            )


def _strata(rule: SplitRule, samples: SampleSet) -> list[str]:
    """What each sample should be spread by: its group, its score's quantile, both or nothing."""
    groups = samples.group if "group" in rule.stratify else [""] * len(samples)
    if "score" not in rule.stratify:
        return list(groups)
    return strata_of(groups, samples.target.tolist(), rule.score_bins)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value

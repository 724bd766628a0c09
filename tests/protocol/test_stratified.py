import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo.protocol.splits.stratified import (
    hash_order,
    stratified_folds,
    stratified_parts,
    validation_subset,
)


def people(sizes: dict[str, int], seed: int = 0):
    generator = np.random.default_rng(seed)
    names = [f"{group}_{i}" for group, size in sizes.items() for i in range(size)]
    groups = [group for group, size in sizes.items() for _ in range(size)]
    return names, groups, generator.uniform(0, 50, len(names)).round(1).tolist()


SIZES = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 20), min_size=1)


@given(sizes=SIZES, folds=st.integers(2, 8), seed=st.integers(0, 5))
def test_folds_are_even_in_all_and_in_every_group(sizes, folds, seed):
    names, groups, scores = people(sizes, seed)
    if len(names) < folds:
        with pytest.raises(DataError, match=f"{len(names)} people cannot be split into {folds}"):
            stratified_folds(names, groups, scores, folds, seed)
        return
    fold = stratified_folds(names, groups, scores, folds, seed)
    assert set(fold) == set(range(folds))
    assert max(Counter(fold).values()) - min(Counter(fold).values()) <= 1
    for group in sizes:
        counts = [
            sum(f == k and g == group for f, g in zip(fold, groups, strict=True))
            for k in range(folds)
        ]
        assert max(counts) - min(counts) <= 1


@given(sizes=SIZES, seed=st.integers(0, 5))
def test_the_order_of_the_people_does_not_matter(sizes, seed):
    names, groups, scores = people({**sizes, "z": 6}, seed)
    order = np.random.default_rng(seed).permutation(len(names))
    shuffled = [[column[i] for i in order] for column in (names, groups, scores)]
    a = dict(zip(names, stratified_folds(names, groups, scores, 3, seed), strict=True))
    b = dict(zip(shuffled[0], stratified_folds(*shuffled, 3, seed), strict=True))
    assert a == b


def test_scores_are_balanced_better_than_by_chance():
    names, groups, scores = people({"a": 60}, 1)
    y = np.array(scores)

    def spread(rank_by):
        found = []
        for seed in range(20):
            fold = np.array(stratified_folds(names, groups, rank_by, 5, seed))
            found.append(np.std([y[fold == k].mean() for k in range(5)]))
        return np.mean(found)

    assert spread(scores) < 0.4 * spread([0.0] * 60)


@given(sizes=SIZES, share=st.sampled_from([0.1, 0.15, 0.2, 0.34, 0.5]), seed=st.integers(0, 5))
def test_validation_takes_its_share_of_every_group(sizes, share, seed):
    names, groups, scores = people({**sizes, "z": 4}, seed)
    chosen = validation_subset(names, groups, scores, share, seed)
    assert len(chosen) == len(set(chosen)) == max(1, round(share * len(names)))
    for group, size in sizes.items():
        taken = sum(groups[i] == group for i in chosen)
        assert abs(taken - share * size) < 2


def test_validation_leaves_somebody_to_train_on():
    assert validation_subset(["a"], ["g"], [1.0], 0, 0) == []
    with pytest.raises(DataError, match="too few to set 1 of them aside"):
        validation_subset(["a"], ["g"], [1.0], 0.2, 0)


@given(
    sizes=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 60), min_size=1),
    fractions=st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(1, 4)),
    seed=st.integers(0, 5),
)
def test_parts_have_their_shares_in_all_and_in_every_stratum(sizes, fractions, seed):
    names, strata, _ = people(sizes)
    part = stratified_parts(names, strata, fractions, seed)
    total = sum(fractions)
    for k, share in enumerate(fractions):
        assert abs(part.count(k) - len(names) * share / total) <= 1
        for stratum, size in sizes.items():
            taken = sum(p == k and s == stratum for p, s in zip(part, strata, strict=True))
            assert abs(taken - size * share / total) <= 2


def test_hash_order_is_sha256():
    ids = ["b", "a", "c"]
    keys = {i: hashlib.sha256(f"7:fold:{i}".encode()).digest() for i in ids}
    assert [ids[k] for k in hash_order(ids, 7, "fold")] == sorted(ids, key=keys.__getitem__)

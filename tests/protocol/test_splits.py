import numpy as np
import pytest
import torch

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError, DataError
from zoo.protocol.splits import SplitRule, split_rule


def rule_of(kind: str = "person-kfold", **settings) -> SplitRule:
    return split_rule({"kind": kind, **settings})


def people(sizes: dict[str, int], seed: int = 0):
    generator = np.random.default_rng(seed)
    names = [f"{group}_{i}" for group, size in sizes.items() for i in range(size)]
    groups = [group for group, size in sizes.items() for _ in range(size)]
    return names, groups, generator.uniform(0, 50, len(names)).round(1).tolist()


def samples(sizes: dict[str, int], pieces: int = 1) -> SampleSet:
    names, groups, scores = people(sizes)
    rows = [
        (n, g, s, k) for n, g, s in zip(names, groups, scores, strict=True) for k in range(pieces)
    ]
    return SampleSet(
        streams={"position": torch.zeros(len(rows), 2, 3, 3)},
        mask=None,
        target=torch.tensor([s for _, _, s, _ in rows]),
        recording=[f"{n}/Es5" for n, *_ in rows],
        segment=[k for *_, k in rows],
        subject=[n for n, *_ in rows],
        group=[g for _, g, *_ in rows],
        exercise=["5"] * len(rows),
        frames=[(0, 2)] * len(rows),
        fps=[30.0] * len(rows),
        layout="three",
    )


KIMORE = {
    "CG/Expert": 17,
    "CG/NotExpert": 27,
    "GPP/BackPain": 8,
    "GPP/Parkinson": 15,
    "GPP/Stroke": 10,
}


def test_every_person_is_tested_exactly_once():
    data = samples(KIMORE, pieces=3)
    rule = rule_of(folds=5, repeats=2)
    assert rule.num_folds(data.columns) == 10
    for repeat in range(2):
        tested = []
        for fold in range(5):
            split = rule.apply(data, repeat * 5 + fold)
            parts = [set(split.persons(p)) for p in ("train", "validation", "test")]
            assert not parts[0] & parts[1]
            assert not (parts[0] | parts[1]) & parts[2]
            assert set().union(*parts) == set(data.subject)
            assert len(parts[1]) == round(0.2 * (77 - len(parts[2])))
            assert {g.split("_")[0] for g in parts[2]} == set(KIMORE)
            tested += split.persons("test")
        assert sorted(tested) == sorted(set(data.subject))
    assert rule.apply(data, 0).hash != rule.apply(data, 5).hash


STORED = {
    ("person-kfold", 0, 0): "e89edf1ae240d2e65cf541f620c16f355011994233480383cbeb2d7e724cad4f",
    ("person-kfold", 0, 4): "62131d31568ba38e4221dd41ebdf82111486b7e96078fbe72028fe4dcb221ab2",
    ("person-kfold", 3407, 0): "842e424d7013755ec4a92b15fcb0a694b6db84cb45af0ab1c70af539d1d2b39a",
    ("random", 3407, 0): "128bb63ed2fb39255fe668775839a3a8f04f7b63f51f0073832d22d5902acbd4",
    (
        "leave-one-person-out",
        0,
        0,
    ): "0e6cf409136c24c1424d354fae19bbccf16656700877132ecfe819c76be3c071",
    (
        "leave-one-person-out",
        0,
        76,
    ): "907aaf23a654bad3c889dbf7fc0d3465030cc7d32f932cd9a2afb38d8d798cfa",
    ("person-holdout", 0, 0): "6fedccabc54363b29acff5c5a1a0354305b490d6f8ad614a278bda26bd87492a",
    ("random-kfold", 3407, 0): "612319449db0e0059e7fe415c2ef97cd59e2ffd10d83e0e6cd6e773616e497b4",
    ("random-kfold", 3407, 4): "a563f502b611aceb062acbda647447b5efafc34c57e672ecdba502c0e7e6b03a",
    ("cross-dataset", 0, 0): "2abe90dea6c802309b96409ee7f8527d8670ae4e3481ae23b1b57fa3a82acaeb",
}
"""Hashes of these splits as first made. They must never change: stored runs name them."""


@pytest.mark.parametrize("key", list(STORED), ids=str)
def test_splits_are_the_same_on_every_machine(key):
    kind, seed, fold = key
    data = joined() if kind == "cross-dataset" else samples(KIMORE, pieces=10)
    other = {"dataset": "other"} if kind == "cross-dataset" else {}
    assert rule_of(kind=kind, seed=seed, **other).apply(data, fold).hash == STORED[key]


def test_splits_do_not_depend_on_the_order_of_the_samples():
    data = samples(KIMORE, pieces=4)
    mixed = data.subset(torch.randperm(len(data), generator=torch.Generator().manual_seed(0)))
    for kind in (
        "person-kfold",
        "leave-one-person-out",
        "person-holdout",
        "random",
        "random-kfold",
    ):
        rule = rule_of(kind=kind)
        assert rule.apply(data, 0).hash == rule.apply(mixed, 0).hash


def test_random_parts_are_8_1_1_and_leak():
    data = samples(KIMORE, pieces=10)
    split = rule_of(kind="random", seed=3407).apply(data, 0)
    assert [len(split.index(p)) for p in ("train", "validation", "test")] == [616, 77, 77]
    together = torch.cat([split.train, split.validation, split.test]).sort().values
    assert torch.equal(together, torch.arange(770))
    assert set(split.persons("test")) <= set(split.persons("train"))
    scores = data.target[split.test].mean() - data.target.mean()
    assert abs(float(scores)) < 1.5


def joined() -> SampleSet:
    """Samples of KIMORE's people and of ten people of another dataset."""
    data = samples({**KIMORE, "x": 10}, pieces=2)
    data.recording[:] = [f"other:{r}" if r.startswith("x") else r for r in data.recording]
    return data


def test_everybody_is_left_out_once():
    data = samples({"b": 5, "a": 4}, pieces=2)
    rule = rule_of(kind="leave-one-person-out")
    assert rule.num_folds(data.columns) == 9
    tested = []
    for fold in range(9):
        split = rule.apply(data, fold)
        assert len(split.test) == 2
        assert len(split.persons("validation")) == round(0.2 * 8)
        assert len(split.persons("train")) == 6
        tested += split.persons("test")
    assert tested == sorted(set(data.subject))
    choices = {tuple(rule.apply(data, fold).persons("validation")) for fold in range(9)}
    assert len(choices) > 3
    with pytest.raises(ConfigError, match="no fold 9: this protocol has the folds 0 to 8"):
        rule.apply(data, 9)


def test_a_holdout_deals_whole_people():
    data = samples(KIMORE, pieces=3)
    rule = rule_of(kind="person-holdout", fractions=(3, 1, 1), repeats=2)
    assert rule.num_folds(data.columns) == 2
    assert rule.has_validation
    assert not rule_of(kind="person-holdout", fractions=(4, 0, 1)).has_validation
    for fold in range(2):
        split = rule.apply(data, fold)
        parts = [split.persons(p) for p in ("train", "validation", "test")]
        assert [len(p) for p in parts] == [46, 16, 15]
        assert sorted(p for part in parts for p in part) == sorted(set(data.subject))
        for part in parts:
            assert {p.split("_")[0] for p in part} == set(KIMORE)
        target = data.target
        assert abs(float(target[split.test].mean() - target.mean())) < 3
    assert rule.apply(data, 0).hash != rule.apply(data, 1).hash


def test_random_folds_test_every_sample_once_and_leak():
    data = samples(KIMORE, pieces=10)
    rule = rule_of(kind="random-kfold", folds=10, repeats=2, stratify=(), validation=0)
    assert rule.num_folds([]) == 20
    for repeat in range(2):
        tested = torch.cat([rule.apply(data, repeat * 10 + k).test for k in range(10)])
        assert torch.equal(tested.sort().values, torch.arange(770))
    split = rule.apply(data, 0)
    assert [len(split.train), len(split.validation), len(split.test)] == [693, 0, 77]
    assert set(split.recordings("test")) <= set(split.recordings("train"))
    assert split.hash != rule.apply(data, 10).hash
    aside = rule_of(kind="random-kfold", folds=7, validation=0.1).apply(data, 0)
    assert [len(aside.train), len(aside.validation), len(aside.test)] == [594, 66, 110]


def test_another_dataset_is_tested_whole():
    data = joined()
    rule = rule_of(kind="cross-dataset", dataset="other", repeats=2)
    assert rule.num_folds(data.columns) == 2
    split = rule.apply(data, 0)
    assert len(split.test) == 20
    assert all(r.startswith("other:") for r in split.recordings("test"))
    assert len(split.persons("validation")) == 15
    assert len(split.persons("train")) == 62
    other = rule.apply(data, 1)
    assert torch.equal(other.test, split.test)
    assert other.persons("validation") != split.persons("validation")
    with pytest.raises(ConfigError, match="split.dataset does not say which dataset to test on"):
        rule_of(kind="cross-dataset").apply(data, 0)
    with pytest.raises(DataError, match="there are no samples of elsewhere"):
        rule_of(kind="cross-dataset", dataset="elsewhere").apply(data, 0)
    with pytest.raises(DataError, match="no samples of the dataset to train on"):
        rule.apply(data.subset(split.test), 0)


def test_only_what_means_something_is_written_down():
    for kind in ("person-kfold", "leave-one-person-out", "random-kfold", "cross-dataset"):
        values = rule_of(kind=kind).to_dict()
        assert "fractions" not in values
        assert ("dataset" in values) == (kind == "cross-dataset")
        assert ("folds" in values) == kind.endswith("kfold")


def test_unknown_people_cannot_be_split_honestly():
    data = samples({"a": 8})
    data.subject[3] = data.subject[4] = UNKNOWN_SUBJECT
    with pytest.raises(DataError, match="2 of 8 samples do not say whose they are"):
        rule_of(folds=2).apply(data, 0)
    assert len(rule_of(kind="random", fractions=(6, 1, 1)).apply(data, 0).test) == 1


def test_small_data():
    rule = rule_of(folds=3)
    with pytest.raises(DataError, match=r"2 people cannot be split into 3 folds.*split.folds=2"):
        rule.apply(samples({"a": 2}), 0)
    lonely = samples({"a": 1, "b": 1, "c": 1})
    assert len(rule_of(folds=3, validation=0.3).apply(lonely, 0).train) == 1
    with pytest.raises(DataError, match="too few to set"):
        rule_of(folds=2).apply(samples({"a": 2}), 0)
    with pytest.raises(DataError, match="3 samples are too few to be split 8:1:1"):
        rule_of(kind="random").apply(samples({"a": 3}), 0)
    with pytest.raises(DataError, match="3 people are too few to be split 8:1:1"):
        rule_of(kind="person-holdout").apply(samples({"a": 3}, pieces=9), 0)
    with pytest.raises(DataError, match=r"4 samples cannot be split into 5 folds.*folds=4"):
        rule_of(kind="random-kfold").apply(samples({"a": 4}), 0)
    with pytest.raises(DataError, match="1 samples to train on are too few to set 1 of them"):
        rule_of(kind="random-kfold", folds=2).apply(samples({"a": 2}), 0)
    with pytest.raises(DataError, match="one person alone cannot be left out"):
        rule_of(kind="leave-one-person-out").apply(samples({"a": 1}, pieces=4), 0)


def test_a_person_of_two_groups_is_a_fault_of_the_data():
    data = samples({"a": 6}, pieces=2)
    data.group[1] = "b"
    with pytest.raises(DataError, match="a_0 is in the groups a and b at once"):
        rule_of(folds=2).apply(data, 0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "kfold"}, "split.kind is 'kfold'"),
        ({"folds": 1}, "split.folds is 1"),
        ({"folds": 2.0}, "split.folds is 2.0"),
        ({"repeats": 0}, "split.repeats is 0"),
        ({"seed": -1}, "split.seed is -1"),
        ({"validation": 1}, "split.validation is 1"),
        ({"validation": "0.2"}, "split.validation is '0.2'"),
        ({"kind": "random", "fractions": (8, 2)}, "split.fractions"),
        ({"kind": "random", "fractions": (0.8, 0.1, 0.1)}, "split.fractions"),
        ({"kind": "random", "fractions": (8, 1, 0)}, "split.fractions"),
        ({"kind": "cross-dataset", "dataset": ""}, "split.dataset is ''"),
        ({"kind": "cross-dataset", "joints": ["SpineBase"]}, "split.joints is"),
        (
            {"kind": "cross-dataset", "people": "other"},
            "split.people is 'other', expected same or apart",
        ),
        ({"kind": "person-holdout", "folds": 3}, "split has no key 'folds'"),
    ],
)
def test_impossible_rules_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        rule_of(**config)


def test_a_stratum_that_is_nowhere_is_told_with_what_there_is():
    expected = "split.stratify has 'scores', which is no stratum and no column .* mean 'score'"
    with pytest.raises(ConfigError, match=expected):
        rule_of(stratify=("scores",)).apply(samples(KIMORE), 0)


def test_a_fold_that_is_not_there():
    with pytest.raises(ConfigError, match="no fold 5: this protocol has the folds 0 to 4"):
        rule_of().apply(samples(KIMORE), 5)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_fewer_people_are_trained_on_and_the_same_ones_tested(share):
    data = samples(KIMORE, pieces=2)
    whole, rule = rule_of(), rule_of("person-kfold-fewer", people=share)
    for fold in range(5):
        full, fewer = whole.apply(data, fold), rule.apply(data, fold)
        assert fewer.persons("test") == full.persons("test")
        for part in ("train", "validation"):
            everybody, taken = full.persons(part), fewer.persons(part)
            assert set(taken) <= set(everybody)
            assert len(taken) == round(share * len(everybody))
            assert len(fewer.index(part)) == 2 * len(taken)
        if share >= 0.5:
            assert {g.split("_")[0] for g in fewer.persons("train")} == set(KIMORE)
    assert (rule.apply(data, 0).hash == whole.apply(data, 0).hash) == (share == 1)


def test_who_takes_no_part_is_said():
    assert (
        "Of those not tested, 25% take part"
        in rule_of("person-kfold-fewer", people=0.25).describe()
    )
    assert rule_of("person-kfold-fewer", people=1.0).describe() == rule_of().describe()
    assert (
        rule_of("person-kfold-fewer", validation=0.0)
        .apply(samples(KIMORE), 0)
        .persons("validation")
        == []
    )
    with pytest.raises(ConfigError, match="split.people is 0.0, expected a share above 0"):
        rule_of("person-kfold-fewer", people=0.0)

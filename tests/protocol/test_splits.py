import numpy as np
import pytest
import torch

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError, DataError
from zoo.protocol.splits import SplitRule


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
    rule = SplitRule(folds=5, repeats=2)
    assert rule.num_folds(data.subject) == 10
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
}
"""Hashes of these splits as first made. They must never change: stored runs name them."""


@pytest.mark.parametrize("key", list(STORED), ids=str)
def test_splits_are_the_same_on_every_machine(key):
    kind, seed, fold = key
    data = samples(KIMORE, pieces=10)
    assert SplitRule(kind=kind, seed=seed).apply(data, fold).hash == STORED[key]


def test_splits_do_not_depend_on_the_order_of_the_samples():
    data = samples(KIMORE, pieces=4)
    mixed = data.subset(torch.randperm(len(data), generator=torch.Generator().manual_seed(0)))
    for kind in ("person-kfold", "random"):
        rule = SplitRule(kind=kind)
        assert rule.apply(data, 0).hash == rule.apply(mixed, 0).hash


def test_random_parts_are_8_1_1_and_leak():
    data = samples(KIMORE, pieces=10)
    split = SplitRule(kind="random", seed=3407).apply(data, 0)
    assert [len(split.index(p)) for p in ("train", "validation", "test")] == [616, 77, 77]
    together = torch.cat([split.train, split.validation, split.test]).sort().values
    assert torch.equal(together, torch.arange(770))
    assert set(split.persons("test")) <= set(split.persons("train"))
    scores = data.target[split.test].mean() - data.target.mean()
    assert abs(float(scores)) < 1.5


def test_unknown_people_cannot_be_split_honestly():
    data = samples({"a": 8})
    data.subject[3] = data.subject[4] = UNKNOWN_SUBJECT
    with pytest.raises(DataError, match="2 of 8 samples do not say whose they are"):
        SplitRule(folds=2).apply(data, 0)
    assert len(SplitRule(kind="random", fractions=(6, 1, 1)).apply(data, 0).test) == 1


def test_small_data():
    rule = SplitRule(folds=3)
    with pytest.raises(DataError, match=r"2 people cannot be split into 3 folds.*split.folds=2"):
        rule.apply(samples({"a": 2}), 0)
    lonely = samples({"a": 1, "b": 1, "c": 1})
    assert len(SplitRule(folds=3, validation=0.3).apply(lonely, 0).train) == 1
    with pytest.raises(DataError, match="too few to set"):
        SplitRule(folds=2).apply(samples({"a": 2}), 0)
    with pytest.raises(DataError, match="3 samples are too few to be split 8:1:1"):
        SplitRule(kind="random").apply(samples({"a": 3}), 0)


def test_a_person_of_two_groups_is_a_fault_of_the_data():
    data = samples({"a": 6}, pieces=2)
    data.group[1] = "b"
    with pytest.raises(DataError, match="a_0 is in the groups a and b at once"):
        SplitRule(folds=2).apply(data, 0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "kfold"}, "split.kind is 'kfold'"),
        ({"folds": 1}, "split.folds is 1"),
        ({"folds": 2.0}, "split.folds is 2.0"),
        ({"repeats": 0}, "split.repeats is 0"),
        ({"seed": -1}, "split.seed is -1"),
        ({"stratify": ("age",)}, "split.stratify has 'age'"),
        ({"validation": 1}, "split.validation is 1"),
        ({"validation": "0.2"}, "split.validation is '0.2'"),
        ({"fractions": (8, 2)}, "split.fractions"),
        ({"fractions": (0.8, 0.1, 0.1)}, "split.fractions"),
        ({"fractions": (8, 1, 0)}, "split.fractions"),
    ],
)
def test_impossible_rules_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        SplitRule(**config)


def test_a_fold_that_is_not_there():
    with pytest.raises(ConfigError, match="no fold 5: this protocol has the folds 0 to 4"):
        SplitRule().apply(samples(KIMORE), 5)

"""Two runs stand in one table only when data, protocol and split agree."""

from copy import deepcopy

import pytest

from zoo.runs.comparable import incomparable

RUN = {
    "model": {"name": "d2sta"},
    "seed": 0,
    "fold": 2,
    "split_hash": "5" * 64,
    "dataset": {"name": "kimore", "params": {"exercise": "5"}, "fingerprint": "f" * 64},
    "protocol": {
        "name": "person-kfold",
        "params": {"frames": 100, "split": {"folds": 5}},
        "hash": "a" * 64,
    },
}


def changed(**paths):
    run = deepcopy(RUN)
    for path, value in paths.items():
        *above, key = path.split("__")
        node = run
        for step in above:
            node = node[step]
        node[key] = value
    return run


@pytest.mark.parametrize(
    "other",
    [
        changed(model__name="stgcn", seed=7),
        changed(protocol__name="my-kfold", dataset__name="my-kimore"),
        changed(fold=3, split_hash="6" * 64),
    ],
    ids=["model and seed", "names", "another fold"],
)
def test_comparable(other):
    assert incomparable(RUN, other) == []


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (
            changed(dataset__fingerprint="e" * 64),
            "they are computed on different data: fingerprint ffffffffffff… of kimore and "
            "eeeeeeeeeeee… of kimore",
        ),
        (
            changed(dataset__params={"exercise": "3"}),
            "they are of different exercises: 5 and 3",
        ),
        (
            changed(
                protocol__hash="b" * 64, protocol__params={"frames": 50, "split": {"folds": 4}}
            ),
            "they follow different protocols: hash aaaaaaaaaaaa… of person-kfold and "
            "bbbbbbbbbbbb… of person-kfold; they differ in frames, split.folds",
        ),
        (
            changed(split_hash="6" * 64),
            "fold 2 is split differently: hash 555555555555… and 666666666666…",
        ),
    ],
    ids=["data", "exercise", "protocol", "split"],
)
def test_every_reason_is_told(other, reason):
    assert incomparable(RUN, other) == [reason]
    assert len(incomparable(other, RUN)) == 1


def test_several_reasons():
    other = changed(dataset__fingerprint="e" * 64, protocol__hash="b" * 64, split_hash="6" * 64)
    assert len(incomparable(RUN, other)) == 2  # another split is no wonder then

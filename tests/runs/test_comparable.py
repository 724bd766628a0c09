"""Two runs stand in one table only when data, protocol and split agree."""

import pytest

from zoo.runs.run import incomparable


@pytest.mark.parametrize(
    "other",
    [
        {"model__name": "stgcn", "seed": 7},
        {"protocol__name": "my-kfold", "dataset__name": "my-kimore"},
        {"fold": 3, "split_hash": "6" * 64},
    ],
    ids=["model and seed", "names", "another fold"],
)
def test_comparable(make_record, other):
    assert incomparable(make_record(), make_record(**other)) == []


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (
            {"dataset__fingerprint": "e" * 64},
            "they are computed on different data: fingerprint ffffffffffff… of kimore and "
            "eeeeeeeeeeee… of kimore",
        ),
        (
            {"dataset__params": {"exercise": "3"}},
            "they are of different exercises: 5 and 3",
        ),
        (
            {"protocol__hash": "b" * 64, "protocol__params": {"frames": 50, "split": {"folds": 4}}},
            "they follow different protocols: hash aaaaaaaaaaaa… of person-kfold and "
            "bbbbbbbbbbbb… of person-kfold; they differ in frames, split.folds",
        ),
        (
            {"split_hash": "6" * 64},
            "fold 2 is split differently: hash 555555555555… and 666666666666…",
        ),
    ],
    ids=["data", "exercise", "protocol", "split"],
)
def test_every_reason_is_told(make_record, other, reason):
    one, two = make_record(), make_record(**other)
    assert incomparable(one, two) == [reason]
    assert len(incomparable(two, one)) == 1


def test_several_reasons(make_record):
    other = make_record(dataset__fingerprint="e" * 64, protocol__hash="b" * 64, split_hash="6" * 64)
    assert len(incomparable(make_record(), other)) == 2  # another split is no wonder then

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo.evaluation.aggregate import aggregate, rows_by_recording


def test_samples_of_a_recording_become_one():
    names = ["b", "a", "b", "b", "a"]
    assert aggregate(names, [1.0, 4.0, 2.0, 9.0, 6.0]).tolist() == [4, 5]
    assert rows_by_recording(names) == {"b": [0, 2, 3], "a": [1, 4]}
    assert list(rows_by_recording(names)) == ["b", "a"]


def test_the_median_is_the_middle_one():
    assert aggregate(["a"] * 3, [1.0, 2.0, 90.0], how="median").tolist() == [2]


@given(
    rows=st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-10, 60)), max_size=40),
    how=st.sampled_from(["mean", "median"]),
)
def test_agrees_with_the_plain_way(rows, how):
    names = [name for name, _ in rows]
    values = np.array([value for _, value in rows])
    found = aggregate(names, values, how)
    members = rows_by_recording(names)
    assert list(members) == list(dict.fromkeys(names))
    for (name, at), value in zip(members.items(), found, strict=True):
        mine = [v for n, v in rows if n == name]
        assert value == pytest.approx(getattr(np, how)(mine))
        assert len(at) == len(mine)


def test_single_samples_pass_unchanged():
    assert aggregate(["a", "b"], [1.1, 2.2]).tolist() == [1.1, 2.2]


def test_samples_can_stand_for_themselves():
    assert aggregate(["b", "a", "b"], [1.0, 4.0, 2.0], how="none").tolist() == [1, 4, 2]


def test_misuse_is_told():
    with pytest.raises(ConfigError, match="aggregate is 'max', expected one of mean, median, none"):
        aggregate(["a"], [1.0], how="max")

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError
from zoo.evaluation.aggregate import aggregate


def test_samples_of_a_recording_become_one():
    found = aggregate(
        ["b", "a", "b", "b", "a"], [3.0, 5.0, 3.0, 3.0, 5.0], [1.0, 4.0, 2.0, 9.0, 6.0]
    )
    assert found.recording == ["b", "a"]
    assert found.true.tolist() == [3, 5]
    assert found.predicted.tolist() == [4, 5]
    assert found.first.tolist() == [0, 1]
    assert found.samples.tolist() == [3, 2]
    assert len(found) == 2


def test_the_median_is_the_middle_one():
    found = aggregate(["a"] * 3, [0.0] * 3, [1.0, 2.0, 90.0], how="median")
    assert found.predicted.tolist() == [2]


@given(
    rows=st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-10, 60)), max_size=40),
    how=st.sampled_from(["mean", "median"]),
)
def test_agrees_with_the_plain_way(rows, how):
    names = [name for name, _ in rows]
    values = np.array([value for _, value in rows])
    truth = [float(ord(name)) for name in names]
    found = aggregate(names, truth, values, how)
    assert found.recording == list(dict.fromkeys(names))
    for name, value, count in zip(found.recording, found.predicted, found.samples, strict=True):
        mine = [v for n, v in rows if n == name]
        assert value == pytest.approx(getattr(np, how)(mine))
        assert count == len(mine)


def test_single_samples_pass_unchanged():
    found = aggregate(["a", "b"], [1.0, 2.0], [1.1, 2.2])
    assert found.predicted.tolist() == [1.1, 2.2]


def test_samples_can_stand_for_themselves():
    found = aggregate(["b", "a", "b"], [3.0, 5.0, 3.0], [1.0, 4.0, 2.0], how="none")
    assert found.recording == ["b", "a", "b"]
    assert found.true.tolist() == [3, 5, 3]
    assert found.predicted.tolist() == [1, 4, 2]
    assert found.first.tolist() == [0, 1, 2]
    assert found.samples.tolist() == [1, 1, 1]


def test_misuse_is_told():
    with pytest.raises(DataError, match="different true scores"):
        aggregate(["a", "a"], [1.0, 2.0], [1.0, 1.0], how="none")
    with pytest.raises(ConfigError, match="aggregate is 'max', expected one of mean, median, none"):
        aggregate(["a"], [1.0], [1.0], how="max")
    with pytest.raises(DataError, match="recording a have different true scores: 1 and 2"):
        aggregate(["a", "a"], [1.0, 2.0], [1.0, 1.0])
    with pytest.raises(DataError, match="do not belong together"):
        aggregate(["a", "b"], [1.0], [1.0])

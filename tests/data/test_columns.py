"""Columns of recordings: own ones, extra ones, what is no column, what is empty."""

import numpy as np
import pytest

from zoo.data.columns import Columns
from zoo.data.recording import Recording
from zoo.data.samples import build_samples
from zoo.data.segment import Sampling
from zoo.errors import DataError


def recording(i, session="1", **extra):
    return Recording(
        id=f"P{i}/{session}", subject=f"P{i}", group="g", exercise="5", session=session,
        layout="kinect-v2", fps=30.0, positions=np.full((8, 25, 3), i, np.float32),
        scores={"total": float(i)}, extra=extra,
    )  # fmt: skip


def test_every_dataset_has_five_columns_and_extra_ones_are_texts_or_numbers():
    columns = Columns.of(
        [
            recording(1, device="two", age=30, calm=True, truth={"x": 1}, note=None),
            recording(2, "2", device="one", age=41.5, calm=False, truth={"x": 2}, note=""),
        ]
    )
    assert columns.names == [
        "recording", "person", "group", "exercise", "age", "calm", "device", "session",
    ]  # fmt: skip
    assert len(columns) == 2
    assert columns["person"] == ["P1", "P2"]
    assert columns["session"] == ["1", "2"]
    assert columns["age"] == [30.0, 41.5]
    assert columns.labels("age") == ["30", "41.5"]
    assert columns["calm"] == ["yes", "no"]
    assert columns.levels("device") == ["one", "two"]
    with pytest.raises(DataError, match="no column 'devise'. Did you mean 'device'"):
        columns["devise"]
    with pytest.raises(DataError, match="no column 'truth'"):
        columns["truth"]


def test_an_empty_cell_is_told_with_the_recording():
    columns = Columns.of([recording(1, site="A"), recording(2), recording(3, site=float("nan"))])
    with pytest.raises(DataError, match="'site' is empty for 2 of 3 recordings: P2/1, P3/1"):
        columns["site"]


def test_texts_and_numbers_together_are_texts():
    columns = Columns.of([recording(1, room="A"), recording(2, room=10), recording(3, room=9)])
    assert columns["room"] == ["A", "10", "9"]
    assert columns.levels("room") == ["9", "10", "A"]


def test_categories_are_what_people_share():
    rows = [recording(i, site="AB"[i % 2], age=20 + i, name=f"n{i}", sensor="x") for i in range(6)]
    assert Columns.of(rows).categories() == {"site": ["A", "B"] * 3}


def test_samples_have_the_columns_of_their_recordings():
    rows = [recording(1, device="two"), recording(2, device="one")]
    made = build_samples(rows, Sampling(kind="pieces", pieces=2), (), ["position"], 4)
    assert made.columns["device"] == ["two", "two", "one", "one"]
    assert made.columns["session"] == ["1"] * 4
    assert made.subset([3, 0]).columns["device"] == ["one", "two"]

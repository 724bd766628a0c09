import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zoo.errors import DataError
from zoo.evaluation.metrics import measure
from zoo.runs.predictions import COLUMNS, Predictions, join, read_predictions, written


def make(n=4, **changes):
    values = {
        "part": ["test"] * n,
        "person": [f"P{i // 2}" for i in range(n)],
        "group": ["CG"] * n,
        "recording": [f"P{i // 2}/Es5" for i in range(n)],
        "segment": [i % 2 for i in range(n)],
        "true": np.array([10.0 + 5 * (i // 2) for i in range(n)]),
        "predicted": np.array([11.0 + i for i in range(n)]),
    }
    return Predictions(**{**values, **changes})


def same(a, b):
    lists = all(
        getattr(a, name) == getattr(b, name)
        for name in ("part", "person", "group", "recording", "segment")
    )
    return lists and np.array_equal(a.true, b.true) and np.array_equal(a.predicted, b.predicted)


def test_the_table_comes_back_exactly(tmp_path):
    names = ['<script>alert("1")</script>', "a,b", 'quo"te', "line\nbreak"]
    table = make(person=names, predicted=np.array([0.1 + 0.2, 1e-17, -3.0, 1 / 3]))
    file = tmp_path / "predictions.csv"
    file.write_bytes(table.to_csv())
    assert same(read_predictions(file), table)
    assert file.read_text().splitlines()[0] == ",".join(COLUMNS)


@given(arrays(np.float32, 5, elements=st.floats(-1e6, 1e6, width=32)))
def test_scores_are_written_as_they_were_computed(values):
    shortest = written(values)
    assert np.array_equal(shortest.astype(np.float32), values)
    again = np.array([float(repr(v)) for v in shortest.tolist()])
    assert np.array_equal(again, shortest)


def test_a_score_of_37_3_is_written_so():
    assert written([37.3]).tolist() == [37.3] != [float(np.float32(37.3))]


def test_metrics_per_recording_and_per_segment():
    table = make()
    metrics = table.metrics("mean")
    assert metrics["recording"] == measure(np.array([10, 15]), np.array([11.5, 13.5]))
    assert metrics["segment"] == measure(table.true, table.predicted)
    assert table.per_recording("median").recording == ["P0/Es5", "P1/Es5"]
    assert table.with_predicted(12.5).metrics("mean")["recording"]["mad"] == 2.5
    by_sample = table.metrics("none")
    assert by_sample["recording"] == by_sample["segment"] == metrics["segment"]


def test_parts_are_told_apart_and_joined():
    table = make(part=["validation", "test", "test", "validation"])
    assert table.of("test").predicted.tolist() == [12.0, 13.0]
    assert len(table.of("train")) == 0
    assert same(join([table.of("test"), table.of("validation")]), table.at([1, 2, 0, 3]))
    assert len(join([])) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("test,P,CG,r,0,1.0", "line 2: 6 fields, expected 7"),
        ("test,P,CG,r,0,1.0,nan", "line 2: 'nan' is no finite number"),
        ("test,P,CG,r,0,x,1.0", "line 2: 'x' is no finite number"),
        ("test,P,CG,r,-1,1.0,1.0", "line 2: segment '-1' is no whole number"),
        ("test,P,CG,r,²,1.0,1.0", "line 2: segment '²' is no whole number"),
        ('test,P,CG,"r', "line 2: 4 fields"),
    ],
)
def test_a_damaged_table_is_refused_by_line(tmp_path, line, words):
    file = tmp_path / "predictions.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{line}\n")
    with pytest.raises(DataError, match=words):
        read_predictions(file)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    file = tmp_path / "predictions.csv"
    with pytest.raises(DataError, match="does not exist"):
        read_predictions(file)
    file.write_bytes(b"")
    with pytest.raises(DataError, match="line 1: expected the columns part"):
        read_predictions(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="no table of predictions"):
        read_predictions(file)

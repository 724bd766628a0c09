import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zoo.errors import DataError
from zoo.evaluation.metrics import measure
from zoo.runs.scores import COLUMNS, Scores, join, read_scores, shortest


def make(n=4, **changes):
    values = {
        "part": ["test"] * n,
        "person": [f"P{i // 2}" for i in range(n)],
        "group": ["CG"] * n,
        "recording": [f"P{i // 2}/Es5" for i in range(n)],
        "sample": [i % 2 for i in range(n)],
        "true": np.array([10.0 + 5 * (i // 2) for i in range(n)]),
        "predicted": np.array([11.0 + i for i in range(n)]),
    }
    return Scores(**{**values, **changes})


def same(a, b):
    lists = all(
        getattr(a, name) == getattr(b, name)
        for name in ("part", "person", "group", "recording", "sample")
    )
    return lists and np.array_equal(a.true, b.true) and np.array_equal(a.predicted, b.predicted)


def test_the_table_comes_back_exactly(tmp_path):
    names = ['<script>alert("1")</script>', "a,b", 'quo"te', "line\nbreak"]
    table = make(person=names, predicted=np.array([0.1 + 0.2, 1e-17, -3.0, 1 / 3]))
    file = tmp_path / "predictions.csv"
    file.write_bytes(table.to_csv())
    assert same(read_scores(file), table)
    assert file.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert read_scores(file).deviation is None
    deviating = make(deviation=np.array([0.1 + 0.2, 1e-17, 3.0, 1 / 3]))
    file.write_bytes(deviating.to_csv())
    assert np.array_equal(read_scores(file).deviation, deviating.deviation)


def test_samples_of_a_recording_have_one_true_score():
    assert make().per_recording("mean").true.tolist() == [10.0, 15.0]
    two = make(true=np.array([1.0, 2.0, 3.0, 3.0]))
    for how in ("mean", "none"):
        with pytest.raises(DataError, match="P0/Es5 have different true scores: 1 and 2"):
            two.per_recording(how)


def test_deviations_of_a_recordings_samples_are_averaged():
    table = make(deviation=np.array([1.0, 3.0, 2.0, 2.0]))
    for how in ("mean", "median"):
        whole = table.per_recording(how)
        assert (whole.deviation.tolist(), whole.sample) == ([2.0, 2.0], [0, 0])
    assert table.per_recording("none") is table
    assert join([table.at([0]), table.at([2, 3])]).deviation.tolist() == [1.0, 2.0, 2.0]


def test_a_row_of_nobody_stands_for_its_recording():
    assert make(person=["P", "", "unknown", "Q"]).who == ["P", "P0/Es5", "P1/Es5", "Q"]


@given(arrays(np.float32, 5, elements=st.floats(-1e6, 1e6, width=32)))
def test_scores_are_written_as_they_were_computed(values):
    short = shortest(values)
    assert np.array_equal(short.astype(np.float32), values)
    again = np.array([float(repr(v)) for v in short.tolist()])
    assert np.array_equal(again, short)


def test_a_score_of_37_3_is_written_so():
    assert shortest([37.3]).tolist() == [37.3] != [float(np.float32(37.3))]


def test_metrics_per_recording_and_per_segment():
    table = make()
    metrics = table.metrics("mean")
    assert metrics["recording"] == measure(np.array([10, 15]), np.array([11.5, 13.5]))
    assert metrics["sample"] == measure(table.true, table.predicted)
    assert table.per_recording("median").recording == ["P0/Es5", "P1/Es5"]
    assert table.with_predicted(12.5).metrics("mean")["recording"]["mad"] == 2.5
    by_sample = table.metrics("none")
    assert by_sample["recording"] == by_sample["sample"] == metrics["sample"]


def test_parts_are_told_apart_and_joined():
    table = make(part=["validation", "test", "test", "validation"])
    assert table.of("test").predicted.tolist() == [12.0, 13.0]
    assert len(table.of("train")) == 0
    assert same(join([table.of("test"), table.of("validation")]), table.at([1, 2, 0, 3]))
    assert len(join([])) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("test,P,CG,r,0,1.0,", "line 2: 7 fields, expected 8"),
        ("test,P,CG,r,0,1.0,nan,", "line 2: 'nan' is no finite number"),
        ("test,P,CG,r,0,x,1.0,", "line 2: 'x' is no finite number"),
        ("test,P,CG,r,0,1.0,1.0,x", "line 2: 'x' is no finite number"),
        ("test,P,CG,r,0,1.0,1.0,1.0\ntest,P,CG,r,1,1.0,1.0,", "line 3: '' is no finite number"),
        ("test,P,CG,r,-1,1.0,1.0,", "line 2: sample '-1' is no whole number"),
        ("test,P,CG,r,²,1.0,1.0,", "line 2: sample '²' is no whole number"),
        ('test,P,CG,"r', "line 2: 4 fields"),
    ],
)
def test_a_damaged_table_is_refused_by_line(tmp_path, line, words):
    file = tmp_path / "predictions.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{line}\n")
    with pytest.raises(DataError, match=words):
        read_scores(file)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    file = tmp_path / "predictions.csv"
    with pytest.raises(DataError, match="does not exist"):
        read_scores(file)
    file.write_bytes(b"")
    with pytest.raises(DataError, match="line 1: expected the columns part"):
        read_scores(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="line 1: found byte 0xff, expected UTF-8"):
        read_scores(file)


def test_a_name_that_fills_a_page_is_refused(tmp_path):
    file = tmp_path / "predictions.csv"
    row = "test,P1,G,{},0,10.0,11.0,"
    file.write_text("\n".join([",".join(COLUMNS), row.format("a"), row.format("b" * 5000)]) + "\n")
    with pytest.raises(DataError, match="line 3: a name has more than 300 characters"):
        read_scores(file)

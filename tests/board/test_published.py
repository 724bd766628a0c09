"""The numbers of papers: complete files, and spot checks against the tables they come from."""

import pytest

from zoo.board.published import published_for, read_published
from zoo.errors import ConfigError

GOOD = """
datasets: [kimore]
unit: points of 50
rows:
  - name: A
    paper: Somebody 2020
    year: 2020
    protocol: random pieces
    leaky: true
    leak_reason: pieces on both sides
    source: Table 1
    metrics:
      "1": {mad: 1.0, rmse: 2.0}
      "2": {mad: 2.0}
  - name: B
    paper: Somebody else 2021
    doi: 10.1/2
    year: 2021
    protocol: by person
    leaky: false
    source: Table 2
    note: fine
    unit: points of 100
    metrics: {mean: {spearman: 0.5}}
"""


def rows(dataset):
    return {row.name: row for row in published_for(dataset)}


def of(row, metric):
    return [row.metrics[str(e)].get(metric) for e in range(1, 6)]


def test_d2sta_and_what_it_was_compared_with():
    found = rows("kimore")
    d2sta = found["D2STA"]
    assert of(d2sta, "mad") == [0.102, 0.119, 0.100, 0.163, 0.110]
    assert of(d2sta, "mape") == [0.187, 0.297, 0.207, 0.257, 0.585]
    assert of(d2sta, "spearman") == [0.9497, 0.9643, 0.9849, 0.9635, 0.9631]
    assert d2sta.metrics["mean"] == {
        "mad": 0.119, "mape": 0.307, "rmse": 0.221, "spearman": 0.9651
    }  # fmt: skip
    assert d2sta.leaky
    assert d2sta.doi == "10.3390/s26010287"
    assert "second hand" in d2sta.source
    assert of(found["HCR (Kuang 2025)"], "mad") == [0.186, 0.235, 0.111, 0.053, 0.223]
    assert found["FTF-HGCN (Zhang 2025)"].metrics["mean"] == {"mad": 0.383, "mape": 0.918}
    assert of(found["STGCN-rehab (in D2STA)"], "mad")[2] == 0.374
    assert sum("Table 3" in row.source for row in found.values()) == 7


def test_the_table_of_stgcn_rehab():
    found = rows("kimore")
    own = found["STGCN-rehab"]
    assert of(own, "mad") == [0.799, 0.774, 0.369, 0.347, 0.621]
    assert of(own, "rmse") == [2.024, 2.120, 0.556, 0.644, 1.181]
    assert own.metrics["mean"]["mad"] == pytest.approx(0.582)
    assert "computed here" in own.note
    assert found["SGN (Zhang)"].metrics["2"] == {"mad": 3.139, "rmse": 4.140, "mape": 10.436}
    assert found["HBRNN (Du)"].metrics["5"]["rmse"] == 3.158
    assert sum(row.source.startswith("STGCN-rehab") for row in found.values()) == 7


def test_others_on_kimore():
    found = rows("kimore")
    assert of(found["PCT"], "mad") == [0.185, 0.560, 0.128, 0.256, 0.388]
    assert of(found["D-STGCNT"], "mape") == [1.623, 0.974, 0.613, 0.541, 1.217]
    assert found["D-STGCNT"].metrics["5"]["rmse"] == 0.735
    assert found["Liao 2020"].metrics == {"5": {"mad": 2.06, "rmse": 3.73}}
    assert of(found["Karlov 2024"], "spearman") == [0.79, 0.62, 0.77, 0.80, 0.74]
    assert found["Abedi 2023"].metrics["mean"]["spearman"] == 0.662
    assert of(found["Guo & Khan 2021"], "spearman") == [0.55, 0.64, 0.63, 0.37, 0.42]
    assert of(found["Karagoz 2023"], "spearman")[4] == 0.41
    assert not found["Karlov 2024"].leaky


def test_rehab_pile_keeps_its_own_scale():
    lite = rows("kimore")["LITE-MV (Rehab-Pile)"]
    assert lite.unit == "points of 100"
    assert of(lite, "mad") == [15.62, 18.30, 19.38, 18.28, 24.40]
    assert lite.metrics["mean"] == {"mad": 19.20, "rmse": 22.90}
    assert not lite.leaky
    assert rows("kimore")["STGCN-LSTM (Rehab-Pile)"].metrics["5"]["mad"] == 22.02


def test_uiprmd():
    found = rows("uiprmd-vicon")
    assert found["STGCN-rehab"].metrics["m10"]["mad"] == 0.031
    assert found["HBRNN (Du)"].metrics["m07"]["mad"] == 0.193
    assert found["D-STGCNT"].metrics["mean"] == {"mad": 0.012, "rmse": 0.020, "mape": 1.444}
    assert found["PCT"].metrics["m08"]["mad"] == 0.014
    assert found["Liao 2020"].metrics["m01"] == {"mad": 0.00954, "rmse": 0.01465}
    assert found["LITE-MV (Rehab-Pile)"].metrics["m09"]["mad"] == 0.099
    assert found["GRU (Rehab-Pile)"].metrics["m03"]["mad"] == 0.193
    assert found["P-LSTM (Shahroudy)"].metrics["m05"]["mad"] == 0.032


@pytest.mark.parametrize("dataset", ["kimore", "stgcn-rehab", "uiprmd-kinect", "uiprmd-vicon"])
def test_every_row_says_how_it_was_split_and_why_it_leaks(dataset):
    found = published_for(dataset)
    assert len({row.name for row in found}) == len(found)
    assert [row.leaky for row in found] == sorted(row.leaky for row in found)
    for row in found:
        assert row.unit
        assert bool(row.leak_reason) == row.leaky
        for values in row.metrics.values():
            assert all(value >= 0 for value in values.values())


def test_no_published_numbers_for_the_simulator():
    assert published_for("synthetic") == []


def test_a_file_is_read(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(GOOD)
    table = read_published(file)
    a, b = table.rows
    assert table.datasets == ("kimore",)
    assert a.metrics["mean"] == {"mad": 1.5}
    assert a.note == "mean MAD computed here from the exercises"
    assert (a.unit, b.unit) == ("points of 50", "points of 100")
    assert b.metrics == {"mean": {"spearman": 0.5}}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("datasets: [kimore]", "datasets: kimore", r"datasets is 'kimore', expected a list"),
        ("unit: points of 50", "units: points of 50", "has no key 'units'.*unit"),
        (
            "    year: 2020",
            '    year: "2020"',
            r"rows\[0\].year is '2020', expected a whole number",
        ),
        ("    year: 2020\n", "", r"rows\[0\] lacks year"),
        ("    leak_reason: pieces on both sides\n", "", "does not say why"),
        ("    source: Table 1", "    sources: Table 1", "has no key 'sources'.*source"),
        ("    paper: Somebody 2020", "    paper: ''", "paper is empty"),
        ('"1": {mad: 1.0', '"1": {mad: good', r"metrics.1.mad is 'good', expected a number"),
        ('"1": {mad: 1.0', '"1": {mae: 1.0', "metrics.1 has no key 'mae'.*mad"),
        ("{mean: {spearman: 0.5}}", "{}", r"rows\[1\] has no metrics"),
        ("{mean: {spearman: 0.5}}", "{mean: {}}", r"rows\[1\] has no metrics"),
        ("leaky: false", "leaky: 0", "leaky is 0, expected true or false"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, old, new, words):
    assert old in GOOD
    file = tmp_path / "x.yaml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=words):
        read_published(file)

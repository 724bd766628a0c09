"""Files of replications: complete, and refused where they name what is not there."""

from pathlib import Path

import pytest

from registry import catalogues
from zoo.board.published import published_for
from zoo.catalogue import card
from zoo.errors import ConfigError
from zoo.replication.definition import Definition, replication_names

GOOD = """
dataset: kimore
protocol: d2sta-paper
tables:
  - title: Table 3
    study: d2sta-kimore
    metrics: [mad]
    rows: {D2STA: D2STA}
    relations:
      - {row: ST-GCN, to: D2STA, metric: mad, percent: {text: 5}, source: text}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Makes a replication called ``mine``."""
    monkeypatch.setattr(catalogues, "_user_dirs", [tmp_path])
    (tmp_path / "replication").mkdir()

    def make(text: str) -> Path:
        file = tmp_path / "replication" / "mine.yaml"
        file.write_text(text)
        return file

    return make


@pytest.mark.parametrize("name", replication_names())
def test_every_file_is_whole(name):
    whole = Definition.load(name)
    assert whole.title
    assert whole.summary
    for table in whole.tables:
        assert table.rows
        assert table.metrics
    if len(whole.readings) > 1:
        assert whole.ambiguity


def test_d2sta_holds_every_number_that_its_card_holds():
    rows = {row.name: row for row in published_for("kimore")}
    for number in card("d2sta").published:
        exercise = number.dataset.partition("/")[2]
        assert rows["D2STA"].metrics[exercise][number.metric] == number.value
    table = Definition.load("d2sta").tables[0]
    assert table.rows["D2STA"] == rows["D2STA"]


def test_the_papers_contradiction_is_kept():
    (ablation,) = [t for t in Definition.load("d2sta").tables if t.study.name == "d2sta-ablation"]
    percent = {relation.row: dict(relation.percent) for relation in ablation.relations}
    assert percent["no grouping module"] == {"text": 90, "conclusions": 64}
    assert percent["position only"] == {"text": 64, "conclusions": 90}
    assert ablation.rows["position only"].metrics == {"mean": {"rmse": 0.406}}


def test_a_file_of_ones_own(write):
    write(GOOD)
    assert "mine" in replication_names()
    mine = Definition.load("mine")
    assert (mine.title, mine.beside, mine.readings) == ("mine", "", ("points",))
    assert mine.tables[0].rows["D2STA"].doi == "10.3390/s26010287"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dataset: kimore\n", "", "mine has no dataset"),
        ("dataset:", "datasets: [kimore]\ndataset:", "no key 'datasets'"),
        ("study: d2sta-kimore", "study: d2sta-kimor", "Did you mean 'd2sta-kimore'"),
        ("title: Table 3\n    ", "", "table 1"),
        ("{D2STA: D2STA}", "{D2ST: D2STA}", "rows of study d2sta-kimore: no 'D2ST'"),
        ("{D2STA: D2STA}", "{D2STA: D2ST}", "published rows: no 'D2ST'"),
        ("metrics: [mad]", "metrics: [mae]", "metrics: no 'mae'"),
        ("row: ST-GCN", "row: STGCN", "relations: no 'STGCN'"),
        ("{text: 5}", "5", "expected numbers by where they stand"),
        (", source: text", "", "lacks source"),
        ("protocol:", "readings: [metres]\nprotocol:", "readings: no 'metres'"),
    ],
)
def test_what_is_not_there_is_named(write, old, new, words):
    assert old in GOOD
    write(GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=words):
        Definition.load("mine")


def test_an_unknown_replication():
    with pytest.raises(ConfigError, match="Did you mean 'd2sta'"):
        Definition.load("d2st")

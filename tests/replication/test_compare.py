"""Ours beside theirs, from a folder of made-up runs."""

import json

import pytest

from registry import catalogues
from zoo.board.published import published_for
from zoo.errors import DataError
from zoo.replication.compare import VERDICTS, replicate


def cells(found, row="D2STA", table=0):
    return {
        (cell.exercise, cell.metric): cell for cell in found.tables[table].cells if cell.row == row
    }


def test_a_run_with_the_papers_settings_is_judged(leaky, published_settings):
    leaky.entry("d2sta", seeds=(3407,), error=6.0, trainer=published_settings)
    found = replicate("d2sta", leaky.root)
    ours = cells(found)
    mad = ours["1", "mad"]
    assert mad.published == 0.102
    assert [read.reading for read in mad.ours] == ["points", "points of 100", "standardised"]
    assert (mad.verdict, mad.reasons) == ("worse", ())
    assert mad.ours[1].value.value == pytest.approx(2 * mad.ours[0].value.value)
    spearman = ours["mean", "spearman"]
    assert len(spearman.ours) == 1
    assert spearman.verdict == "worse"
    assert ours["1", "rmse"].published is None
    assert ours["1", "rmse"].verdict == "unknown"
    assert ours["1", "rmse"].ours
    assert found.tables[0].origins[0].entry.startswith("d2sta (trainer.")
    assert found.tables[0].origins[0].differences == ()


def test_a_value_within_the_interval_is_reproduced(leaky, published_settings):
    leaky.entry("d2sta", seeds=(3407,), error=2.5, trainer=published_settings)
    ours = cells(replicate("d2sta", leaky.root))
    for exercise in "12345":
        cell = ours[exercise, "spearman"]
        low, high = cell.ours[0].value[1:]
        inside = low <= cell.published <= high
        assert (cell.verdict == "reproduced") == inside
    assert "reproduced" in {cell.verdict for cell in ours.values()}


def test_where_the_unit_decides_there_is_no_verdict(leaky, published_settings):
    leaky.entry("d2sta", seeds=(3407,), error=0.1, trainer=published_settings)
    cell = cells(replicate("d2sta", leaky.root))["1", "mad"]
    assert cell.verdict == "not comparable"
    assert "the unit decides (worse in points, worse in points of 100, " in cell.reasons[0]
    assert "worse in standardised" not in cell.reasons[0]
    assert "0 to 100" in cell.reasons[0]


def test_other_settings_and_small_variants_are_not_comparable(leaky, published_settings):
    leaky.entry("d2sta-small", seeds=(0,), error=1.0, trainer={**published_settings, "epochs": 5})
    cell = cells(replicate("d2sta", leaky.root))["1", "mad"]
    assert cell.verdict == "not comparable"
    assert cell.ours
    assert cell.reasons == (
        "the small variant d2sta-small stands in for d2sta", "trainer.epochs is 5 instead of 100"
    )  # fmt: skip
    leaky.entry("d2sta", seeds=(0,), error=6.0, trainer={**published_settings, "epochs": 7})
    cell = cells(replicate("d2sta", leaky.root))["1", "mad"]
    assert cell.reasons == ("trainer.epochs is 7 instead of 100",)
    leaky.entry("d2sta", seeds=(0,), error=6.0, trainer=published_settings)
    assert cells(replicate("d2sta", leaky.root))["1", "mad"].verdict == "worse"


def test_another_model_parameter_is_another_row(leaky, published_settings):
    leaky.entry("d2sta", seeds=(0,), params={"groups": 3}, trainer=published_settings, error=6.0)
    found = replicate("d2sta", leaky.root)
    assert cells(found)["mean", "mad"].verdict == "not run"
    groups = next(i for i, t in enumerate(found.tables) if t.study == "d2sta-groups")
    three = cells(found, "3", groups)["mean", "mad"]
    assert three.verdict == "unknown"
    assert three.ours
    assert not cells(found, "6", groups)["mean", "mad"].ours


def test_what_is_missing_is_said(leaky, published_settings):
    for exercise in "12":
        leaky.run("d2sta", exercise, seed=3407, error=6.0, trainer=published_settings)
    ours = cells(replicate("d2sta", leaky.root))
    assert ours["1", "mad"].verdict == "worse"
    assert ours["3", "mad"].verdict == "not run"
    assert ours["3", "mad"].reasons == ("exercise 3 is not whole (whole: 1, 2)",)
    assert ours["mean", "mad"].reasons == ("not every exercise is whole (whole: 1, 2)",)
    assert not ours["mean", "mad"].ours


def test_seeds_are_averaged_and_a_half_done_one_is_left_out(leaky, published_settings):
    leaky.entry("d2sta", seeds=(1, 2), error=6.0, trainer=published_settings)
    leaky.run("d2sta", "1", seed=3, error=6.0, trainer=published_settings)
    found = replicate("d2sta", leaky.root)
    assert found.tables[0].origins[0].seeds == [1, 2]
    assert cells(found)["mean", "mad"].verdict == "worse"


def test_people_under_the_honest_protocol_stand_beside(leaky, make_store, published_settings):
    leaky.entry("d2sta", seeds=(3407,), error=6.0, trainer=published_settings)
    honest = make_store(persons=30, exercises="12345", folds=5)
    honest.entry("d2sta", error=6.0)
    cell = cells(replicate("d2sta", leaky.root))["1", "mad"]
    assert cell.verdict == "worse"
    assert cell.beside.low < cell.beside.value < cell.beside.high


@pytest.fixture
def ablation(leaky, published_settings, tmp_path, monkeypatch):
    """Compares changes in points alone, of runs with and without the grouping module."""
    monkeypatch.setattr(catalogues, "_user_dirs", [tmp_path])
    (tmp_path / "replication").mkdir()
    (tmp_path / "replication" / "changes.yaml").write_text(
        """
dataset: kimore
protocol: d2sta-paper
tables:
  - title: Table 6
    study: d2sta-ablation
    relations:
      - {row: no grouping module, to: full, metric: mape, percent: {text: 90, end: 64}, source: x}
      - {row: position only, to: full, metric: mape, percent: {text: 64}, source: x}
"""
    )

    def compare(whole, without):
        leaky.entry("d2sta", seeds=(3407,), error=whole, trainer=published_settings)
        leaky.entry(
            "d2sta",
            seeds=(3407,),
            error=without,
            params={"grouping": "none"},
            trainer=published_settings,
        )
        (table,) = replicate("changes", leaky.root).tables
        return {change.relation.row: change for change in table.changes}

    return compare


@pytest.mark.parametrize(
    ("without", "verdict", "held"),
    [(7.75, "reproduced", "text"), (4.0, "smaller", "end"), (20.0, "larger", "text")],
)
def test_changes_are_held_against_the_nearest_stated_one(ablation, without, verdict, held):
    changes = ablation(4.0, without)
    change = changes["no grouping module"]
    assert change.verdict == verdict
    assert change.reasons == (f"held against the {held}",)
    (read,) = change.ours
    assert read.value.low <= read.value.value <= read.value.high
    assert changes["position only"].verdict == "not run"
    assert changes["position only"].reasons == (
        "position only: there is no run of it under d2sta-paper",
    )


def test_runs_under_other_settings_of_the_protocol_are_left_out(make_store, published_settings):
    store = make_store(
        persons=30, exercises="12345", protocol="d2sta-paper", pieces=10,
        overrides=["protocol.split.seed=1"],
    )  # fmt: skip
    store.entry("d2sta", seeds=(3407,), trainer=published_settings)
    found = replicate("d2sta", store.root)
    assert cells(found)["1", "mad"].verdict == "not run"
    assert "5 runs of kimore under other settings of d2sta-paper" in found.notes[-1]


def test_models_of_others_do_not_stand_in(leaky, published_settings):
    leaky.entry("d2sta", seeds=(3407,), trainer=published_settings, owner="somebody 1.0")
    assert cells(replicate("d2sta", leaky.root))["1", "mad"].verdict == "not run"


def test_an_empty_folder_shows_what_is_known_and_invents_nothing(tmp_path):
    found = replicate("d2sta", tmp_path)
    known = {
        (row.name, exercise, metric): value
        for row in published_for("kimore")
        for exercise, values in row.metrics.items()
        for metric, value in values.items()
    }
    stated = [cell for table in found.tables for cell in table.cells]
    for cell in stated:
        assert not cell.ours
        assert cell.published == known.get((cell.of, cell.exercise, cell.metric))
        assert cell.verdict == ("unknown" if cell.published is None else "not run")
    assert sum(cell.published is not None for cell in stated) == 21
    assert set(found.counts) == {"not run", "unknown"}
    with pytest.raises(DataError, match="no such folder"):
        replicate("d2sta", tmp_path / "nothing")


def test_it_is_plain_data(leaky, published_settings):
    leaky.entry("d2sta", seeds=(3407,), error=3.0, trainer=published_settings)
    plain = json.loads(json.dumps(replicate("d2sta", leaky.root).to_dict(), allow_nan=False))
    first = plain["tables"][0]["cells"][0]
    assert (first["row"], first["exercise"], first["metric"]) == ("D2STA", "mean", "mad")
    assert set(first["ours"][0]) == {"reading", "value", "low", "high", "verdict"}
    assert set(plain["counts"]) <= set(VERDICTS)
    assert plain["missing"]["Tables 4 and 5"]

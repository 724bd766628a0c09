"""Ours beside a paper's numbers, from made-up runs."""

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zoo.board.published import published_for
from zoo.experiments.definition import Experiment
from zoo.experiments.job import Code, Job
from zoo.experiments.plan import Group, Plan, PlannedRow
from zoo.experiments.published import RULE, VERDICTS, compare
from zoo.experiments.results import experiment_results
from zoo.experiments.sheets import published_csv, published_sheets

EXERCISES = tuple("12345")


@pytest.fixture
def leaky(make_store):
    """Runs under the protocol of the paper."""
    return make_store(persons=30, exercises=EXERCISES, protocol="d2sta-paper", pieces=10)


def job(path: Any, exercise: str) -> Job:
    """A run that is there, or one that is not."""
    file = path / "run.json"
    key = json.loads(file.read_text())["key_hash"] if file.is_file() else "none"
    return Job({"dataset": {"exercise": exercise}}, path, key, "a run", Code(None, ""), 2)


def row(label: str, paths: Any, protocol: str = "d2sta-paper", exercises: Any = EXERCISES) -> Any:
    """A row of one run an exercise (or more), as a plan holds it."""
    known = [(path, path.parts[-4]) for path in paths]
    missing = [e for e in exercises if e not in {exercise for _, exercise in known}]
    jobs = [job(path, exercise) for path, exercise in known]
    jobs += [job(Path("nowhere") / exercise, exercise) for exercise in missing]
    kimore = SimpleNamespace(title="KIMORE", score_range=(0.0, 50.0), binary=False)
    data = SimpleNamespace(dataset=kimore)
    return PlannedRow(label, "d2sta", protocol, [Group(data, jobs)])


def compared(*rows: Any, name: str = "d2sta-kimore", **cut: Any) -> Any:
    """The comparison of rows of an experiment, which may be cut short."""
    whole = Experiment.load(name)
    results = experiment_results(Plan(whole.dataset, list(rows), None, None))
    return compare(whole, whole.cut(**cut), results)


def cells(found, row="D2STA"):
    return {(cell.exercise, cell.metric): cell for cell in found.cells if cell.row == row}


def test_a_run_with_the_papers_settings_is_judged(leaky):
    found = compared(row("D2STA", leaky.entry("d2sta", seeds=(3407,), error=6.0)))
    ours = cells(found)
    mad = ours["1", "mad"]
    assert mad.published == 0.102
    assert [value.unit for value in mad.ours] == ["points", "points of 100", "standardised"]
    assert (mad.verdict, mad.reasons) == ("worse", ())
    assert mad.ours[1].value.value == pytest.approx(2 * mad.ours[0].value.value)
    spearman = ours["mean", "spearman"]
    assert len(spearman.ours) == 1
    assert spearman.verdict == "worse"
    assert ours["1", "rmse"].published is None
    assert ours["1", "rmse"].verdict == "unknown"
    assert ours["1", "rmse"].ours
    assert {cell.row for cell in found.cells} == {"D2STA"}


def test_a_value_within_the_interval_is_reproduced(leaky):
    ours = cells(compared(row("D2STA", leaky.entry("d2sta", seeds=(3407,), error=2.5))))
    for exercise in EXERCISES:
        cell = ours[exercise, "spearman"]
        low, high = cell.ours[0].value[1:]
        inside = low <= cell.published <= high
        assert (cell.verdict == "reproduced") == inside
    assert "reproduced" in {cell.verdict for cell in ours.values()}


def test_where_the_unit_decides_there_is_no_verdict(leaky):
    cell = cells(compared(row("D2STA", leaky.entry("d2sta", error=0.1))))["1", "mad"]
    assert cell.verdict == "not comparable"
    assert "the unit decides (worse in points, worse in points of 100, " in cell.reasons[0]
    assert "worse in standardised" not in cell.reasons[0]
    assert "0 to 100" in cell.reasons[0]


def test_other_settings_and_small_variants_are_not_comparable(leaky):
    one = row("D2STA", leaky.entry("d2sta-small", error=1.0))
    cell = cells(compared(one, small=True, overrides=["trainer.epochs=5"]))["1", "mad"]
    assert cell.verdict == "not comparable"
    assert cell.ours
    assert cell.reasons == (
        "the small variant d2sta-small stands in for d2sta", "trainer.epochs is 5 instead of 100"
    )  # fmt: skip
    one = row("D2STA", leaky.entry("d2sta", error=6.0))
    cell = cells(compared(one, overrides=["trainer.epochs=7"]))["1", "mad"]
    assert cell.reasons == ("trainer.epochs is 7 instead of 100",)
    cell = cells(compared(one, overrides=["protocol.frames=50"]))["1", "mad"]
    assert cell.reasons == ("protocol.frames is 50 instead of 100",)
    cell = cells(compared(one, dataset="synthetic"))["1", "mad"]
    assert cell.reasons[0] == "the data are synthetic, not kimore"
    same = ["trainer.epochs=100", "trainer.threads=2"]
    assert cells(compared(one, overrides=same))["1", "mad"].verdict == "worse"


def test_rows_of_which_no_number_is_known(leaky):
    found = compared(row("3", leaky.entry("d2sta", params={"groups": 3})), name="d2sta-groups")
    three = cells(found, "3")["mean", "mad"]
    assert three.verdict == "unknown"
    assert three.ours
    assert not cells(found, "6")["mean", "mad"].ours


def test_what_is_missing_is_said(leaky):
    some = [leaky.run("d2sta", exercise, seed=3407, error=6.0) for exercise in "12"]
    ours = cells(compared(row("D2STA", some)))
    assert ours["1", "mad"].verdict == "worse"
    assert ours["3", "mad"].verdict == "not run"
    assert ours["3", "mad"].reasons == ("exercise 3 is not whole (whole: 1, 2)",)
    assert ours["mean", "mad"].reasons == ("not every exercise is whole (whole: 1, 2)",)
    assert not ours["mean", "mad"].ours


def test_the_mean_of_some_exercises_is_not_that_of_all(leaky):
    """Though every run that was asked for is there."""
    one = row("D2STA", [leaky.run("d2sta", "1", seed=3407, error=6.0)], exercises="1")
    ours = cells(compared(one, exercises=["1"]))
    assert ours["1", "mad"].verdict == "worse"
    assert ours["mean", "mad"].verdict == "not run"
    assert ours["mean", "mad"].reasons == ("not every exercise is whole (whole: 1)",)
    assert ours["5", "mad"].reasons == ("exercise 5 is not whole (whole: 1)",)


def test_seeds_are_averaged(leaky):
    both = row("D2STA", leaky.entry("d2sta", seeds=(1, 2), error=6.0))
    ours = cells(compared(both))["mean", "mad"]
    alone = [
        cells(compared(row("D2STA", leaky.entry("d2sta", seeds=(seed,), error=6.0))))["mean", "mad"]
        for seed in (1, 2)
    ]
    value = sum(cell.ours[0].value.value for cell in alone) / 2
    assert ours.verdict == "worse"
    assert ours.ours[0].value.value == pytest.approx(value)


def test_people_under_the_honest_protocol_stand_beside(leaky, make_store):
    honest = make_store(persons=30, exercises=EXERCISES, folds=5, protocol="person-kfold-refit")
    cell = cells(
        compared(
            row("D2STA", leaky.entry("d2sta", seeds=(3407,), error=6.0)),
            row("D2STA", honest.entry("d2sta", error=6.0), "person-kfold-refit"),
        )
    )["1", "mad"]
    assert cell.verdict == "worse"
    assert cell.beside.low < cell.beside.value < cell.beside.high


CHANGES = {
    "exercises": None,
    "protocols": ["d2sta-paper"],
    "set": {},
    "rows": [
        {"label": "full", "model": "d2sta"},
        {"label": "no groups", "model": "d2sta", "set": {"model.grouping": "none"}},
        {"label": "position only", "model": "d2sta", "set": {"model.streams": ["position"]}},
    ],
    "report": {},
    "published": {
        "table": "Table 6",
        "protocol": "d2sta-paper",
        "changes": [
            {"row": name, "to": "full", "metric": "mape", "percent": percent, "source": "x"}
            for name, percent in (
                ("no groups", {"text": 90, "end": 64}),
                ("position only", {"text": 64}),
            )
        ],
    },
}


@pytest.mark.parametrize(
    ("without", "verdict", "held"),
    [(7.75, "reproduced", "text"), (4.0, "smaller", "end"), (20.0, "larger", "text")],
)
def test_changes_are_held_against_the_nearest_stated_one(
    write_experiment, leaky, without, verdict, held
):
    """In points alone, of runs with and without the grouping module."""
    found = compared(
        row("full", leaky.entry("d2sta", seeds=(3407,), error=4.0)),
        row(
            "no groups",
            leaky.entry("d2sta", seeds=(3407,), error=without, params={"grouping": "none"}),
        ),
        name=write_experiment(**CHANGES),
    )
    changes = {change.theirs.row: change for change in found.changes}
    change = changes["no groups"]
    assert change.verdict == verdict
    assert change.reasons == (f"held against the {held}",)
    (ours,) = change.ours
    assert ours.value.low <= ours.value.value <= ours.value.high
    assert changes["position only"].verdict == "not run"
    assert changes["position only"].reasons == (
        "position only: there is no run of it under d2sta-paper",
    )


def test_without_a_run_it_shows_what_is_known_and_invents_nothing():
    known = {
        (row.name, exercise, metric): value
        for row in published_for("kimore")
        for exercise, values in row.metrics.items()
        for metric, value in values.items()
    }
    found = [
        compared(row("D2STA", []), name=f"d2sta-{name}")
        for name in ("kimore", "ablation", "groups", "heads")
    ]
    stated = [cell for table in found for cell in table.cells]
    for cell in stated:
        assert not cell.ours
        assert cell.published == known.get((cell.of, cell.exercise, cell.metric))
        assert cell.verdict == ("unknown" if cell.published is None else "not run")
    assert sum(cell.published is not None for cell in stated) == 21
    assert {verdict for table in found for verdict in table.counts} == {"not run", "unknown"}


def test_nothing_is_published_of_most_experiments():
    whole = Experiment.load("kimore-networks")
    assert compare(whole, whole, []) is None


def test_sheets_and_csv(leaky):
    found = compared(row("D2STA", leaky.entry("d2sta", seeds=(3407,), error=6.0)))
    (sheet,) = published_sheets(found, ["points", "points of 100", "standardised"])
    assert sheet.title == "Table 3 and text, published and ours"
    assert {len(line) for line in sheet.rows} == {len(sheet.columns)} == {9}
    assert ["D2STA", "mean", "MAD", "0.119"] in [line[:4] for line in sheet.rows]
    assert RULE in sheet.notes
    assert any("Tables 4 and 5: no number of UI-PRMD is known" in note for note in sheet.notes)
    assert set(found.counts) <= set(VERDICTS)
    lines = list(csv.DictReader(io.StringIO(published_csv(found))))
    first = lines[0]
    assert (first["row"], first["place"], first["metric"]) == ("D2STA", "mean", "mad")
    assert (first["published"], first["unit"]) == ("0.119", "points")
    assert float(first["low"]) < float(first["value"]) < float(first["high"])

    ablation = compared(row("full", []), name="d2sta-ablation")
    _, changes = published_sheets(ablation, ["points"])
    assert "+90 % (text), +64 % (conclusions)" in changes.rows[0]
    assert changes.rows[0][-1] == "not run [1]"
    assert changes.notes[0].startswith("[1] no grouping module: there is no run of it")

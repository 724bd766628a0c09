"""From an experiment's runs to its tables and figures."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.d2sta.figures import groups_of
from zoo.errors import ConfigError
from zoo.evaluation.metrics import mad
from zoo.experiments import events
from zoo.experiments.definition import Experiment
from zoo.experiments.plan import make_plan
from zoo.experiments.report import report_sheets, write_report
from zoo.experiments.results import MEAN, experiment_results
from zoo.experiments.sheets import markdown, results_csv
from zoo.experiments.work import compute as compute_run
from zoo.workspace import Workspace

D2STA: dict[str, Any] = {
    "folds": [0],
    "set": {
        "protocol.frames": 16, "trainer.epochs": 1, "model.channels": [8, 8],
        "model.strides": [1, 2], "model.groups": 3,
    },
    "rows": ["d2sta-small"],
    "report": {
        "figures": [
            "assignment", "attention-time", "attention-exercises", "loss",
        ]
    },
}  # fmt: skip


@pytest.fixture
def computed(trained: Any, tmp_path: Path) -> Callable[..., tuple[Experiment, list[Any]]]:
    """Computes the runs of an experiment's first rows and gives the results of all."""

    def compute(name: str, only: int | None = None) -> tuple[Experiment, list[Any]]:
        experiment = Experiment.load(name)
        plan = make_plan(experiment, tmp_path / "runs", trained.data_root)
        workspace = Workspace(tmp_path / "runs", trained.data_root)
        for job in (job for row in plan.rows[:only] for job in row.jobs):
            assert compute_run(workspace, job.config, lambda _: None).kind == events.FINISHED
        return experiment, experiment_results(plan, experiment.report.reference)

    return compute


def test_complete_rows_stand_in_the_table_others_apart(
    write_experiment: Callable[..., str], computed: Any, tmp_path: Path
) -> None:
    experiment, (result,) = computed(write_experiment(), only=2)
    assert [row.label for row in result.rows] == ["the mean", "the groups"]
    (apart,) = result.unfinished
    assert (apart.label, len(apart.runs), apart.expected) == ("median", 0, 2)
    assert (result.persons, result.old_code, result.leaky) == (15, 0, False)

    mean, groups = result.rows
    true = np.concatenate([run.test_scores.true for run in mean.runs])
    predicted = np.concatenate([run.test_scores.predicted for run in mean.runs])
    value = mean.metrics[MEAN]["mad"]
    assert value.value == pytest.approx(mad(true, predicted))
    assert value.low < value.value < value.high
    assert mean.versus is None
    assert groups.versus is not None
    off = [r.metrics[MEAN]["mad"].value for r in (groups, mean)]
    assert groups.versus.difference == pytest.approx(off[0] - off[1])

    cut = experiment.cut(overrides=["trainer.epochs=5"])
    sheets, compared = report_sheets(cut, [result], wide=True)
    assert compared is None
    document = markdown(cut, sheets, {"a.svg": "A figure"})
    assert "Of the paper: Table 9." in document
    assert "**Cut short:** trainer.epochs=5." in document
    assert "not in the table: median (median): 0 of 2 runs" in document
    assert f"| the mean | {value.value:.2f} ({value.low:.2f}–{value.high:.2f}) |" in document
    assert "![A figure](a.svg)" in document

    lines = list(csv.DictReader(io.StringIO(results_csv([result]))))
    (line,) = [
        x for x in lines
        if (x["row"], x["exercise"], x["metric"]) == ("the mean", "mean", "mad")
    ]  # fmt: skip
    assert float(line["value"]) == pytest.approx(value.value, rel=1e-5)

    lines = list(csv.DictReader(io.StringIO(results_csv([result], "the mean"))))
    (line,) = [x for x in lines if (x["against"], x["metric"]) == ("the mean", "rmse")]
    rmse = [r.metrics[MEAN]["rmse"].value for r in (groups, mean)]
    assert line["row"] == "the groups"
    assert float(line["value"]) == pytest.approx(rmse[0] - rmse[1], rel=1e-4)
    assert float(line["low"]) < float(line["value"]) < float(line["high"])
    assert "MAD against the mean" in document
    assert "Spearman against the mean" in document
    assert "between seeds" not in document

    files = write_report(experiment, [result], tmp_path / "out", formats=["svg", "pdf"]).files
    assert [file.name for file in files] == [
        "report.md", "report.csv", "person-kfold-errors.svg", "person-kfold-errors.pdf",
        "person-kfold-scatter.svg", "person-kfold-scatter.pdf",
    ]  # fmt: skip
    drawn = (tmp_path / "out" / "person-kfold-errors.svg").read_text()
    for word in ("the groups", "MAD, points (0–50)", "Spearman's ρ", "KIMORE, person-kfold"):
        assert word in drawn
    with pytest.raises(ConfigError, match="not 'gif'"):
        write_report(experiment, [result], tmp_path / "out", formats=["gif"])


def test_several_seeds_have_a_spread(write_experiment: Callable[..., str], computed: Any) -> None:
    network = {"label": "net", "model": "gru", "set": {"model.hidden": 4}}
    experiment, (result,) = computed(
        write_experiment(
            seeds=[0, 1], folds=[0], set={"trainer.epochs": 1}, rows=["mean", network],
            report={"reference": "mean", "figures": []},
        )
    )  # fmt: skip
    found = {row.label: row for row in result.rows}
    each = [run.mad for run in found["net"].runs]
    assert found["net"].spread.seeds == pytest.approx(np.std(each, ddof=1))
    assert np.isnan(found["mean"].spread.seeds)  # it draws nothing: one seed says all
    sheets, _ = report_sheets(experiment, [result], wide=False)
    assert "between seeds>" in sheets[0].columns
    assert any("Between seeds: standard deviation" in note for note in sheets[0].notes)


def test_nothing_computed_yet(
    write_experiment: Callable[..., str], computed: Any, tmp_path: Path
) -> None:
    experiment, (result,) = computed(write_experiment(), only=0)
    assert [len(row.runs) for row in result.unfinished] == [0, 0, 0]
    files = write_report(experiment, [result], tmp_path / "out").files
    assert [file.name for file in files] == ["report.md", "report.csv"]


def test_what_a_model_looks_at(
    write_experiment: Callable[..., str], computed: Any, trained: Any, tmp_path: Path
) -> None:
    experiment, (result,) = computed(write_experiment(**D2STA))
    workspace = Workspace(tmp_path, trained.data_root)
    found = groups_of(result.rows[0].runs[0].path, workspace)
    assert found.assignment.shape == (25, 3)
    assert found.assignment.sum(axis=1) == pytest.approx(1)
    assert found.between.sum(axis=1) == pytest.approx(1)
    assert found.looked_at.sum() == pytest.approx(1)
    before = groups_of(result.rows[0].runs[0].path, workspace, learnt=False)
    assert before.assignment.sum(axis=1) == pytest.approx(1)
    assert not np.allclose(before.assignment, found.assignment)
    again = groups_of(result.rows[0].runs[0].path, workspace, learnt=False)
    assert np.array_equal(again.assignment, before.assignment)
    written = write_report(experiment, [result], tmp_path / "out", data_root=trained.data_root)
    assert not written.not_drawn
    assert [file.stem.removeprefix("person-kfold-") for file in written.files[2:]] == [
        "assignment-5", "attention-time-5", "attention-exercises", "attention-joints", "loss",
    ]  # fmt: skip
    loss = (tmp_path / "out" / "person-kfold-loss.svg").read_text()
    assert "mean squared error" in loss
    assert "epoch" in loss


def test_how_far_runs_agree_on_groups_and_attention(
    write_experiment: Callable[..., str], computed: Any, trained: Any, tmp_path: Path
) -> None:
    figures = {"figures": ["stability"]}
    blocks = {**D2STA, "folds": [0, 1], "seeds": [0, 1], "report": figures}
    experiment, (result,) = computed(write_experiment(**blocks))
    written = write_report(experiment, [result], tmp_path / "out", data_root=trained.data_root)
    assert not written.not_drawn
    assert written.files[2].name == "person-kfold-stability.svg"
    document = written.files[0].read_text()
    for words in (
        "Agreement of 4 runs of d2sta-small",
        "groups (adjusted Rand index): another seed ",
        ", another fold and seed ",
        "; before training ",
        "of 3 groups on average",
    ):
        assert words in document, words
    alone = experiment.cut(folds=[0], seeds=[0])
    one = replace(result, rows=[replace(result.rows[0], runs=result.rows[0].runs[:1])])
    written = write_report(alone, [one], tmp_path / "one", data_root=trained.data_root)
    assert not written.not_drawn
    assert [file.name for file in written.files] == ["report.md", "report.csv"]


def test_the_loss_of_a_head_is_called_by_its_name(
    write_experiment: Callable[..., str], computed: Any, tmp_path: Path
) -> None:
    usual = {key: value for key, value in D2STA["set"].items() if "groups" not in key}
    blocks = {**D2STA, "set": {**usual, "model.head": "usdl"}, "rows": ["stgcn-small"]}
    experiment, results = computed(write_experiment(**blocks | {"report": {"figures": ["loss"]}}))
    write_report(experiment, results, tmp_path / "out")
    assert "loss of the head usdl" in (tmp_path / "out" / "person-kfold-loss.svg").read_text()


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("assignment", "puts no joints in groups"),
        ("attention-time", "no attention in two stages"),
        ("attention-exercises", "puts no joints in groups"),
        ("stability", "puts no joints in groups"),
    ],
)
def test_a_model_that_cannot_be_looked_into(
    figure: str, words: str, write_experiment: Callable[..., str], computed: Any, trained: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    experiment, results = computed(write_experiment(report={"figures": [figure, "errors"]}))
    written = write_report(experiment, results, tmp_path / "out", data_root=trained.data_root)
    assert [file.name for file in written.files[2:]] == ["person-kfold-errors.svg"]
    (reason,) = written.not_drawn
    assert reason.startswith(f"{figure} (person-kfold): ")
    assert words in reason
    assert f"Not drawn: {figure}" in written.files[0].read_text()

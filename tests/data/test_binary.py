"""A dataset whose target is right or wrong: what a run keeps of it, and what is shown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import zoo
from zoo.cli.main import main
from zoo.data.adapters.base import PrepareReport, Progress
from zoo.data.adapters.irds import IrdsSimplifiedAdapter
from zoo.data.dataset import prepare
from zoo.data.recording import Recording
from zoo.data.summary import summarise
from zoo.evaluation.metrics import all_metrics, measure
from zoo.experiments.definition import Experiment
from zoo.experiments.plan import make_plan
from zoo.experiments.results import experiment_results
from zoo.experiments.sheets import result_sheets
from zoo.runs.verify import run_faults

QUICK = {"trainer.threads": 1, "protocol.frames": 14}


SCORE_METRICS = tuple(m.name for m in all_metrics() if m.fits(binary=False))
BINARY_METRICS = ("mad", "rmse", "r2", "auc", "balanced-accuracy", "f1")


@pytest.fixture(scope="module")
def made(irds: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Ten made-up people with right and wrong elbow flexions, and a model trained on them."""
    root = tmp_path_factory.mktemp("binary")
    dataset = prepare(IrdsSimplifiedAdapter(), irds.make_people(root / "IRDS"), root / "data")
    run = zoo.train(
        "ridge-motion",
        "irds-simplified",
        overrides=QUICK,
        runs=root / "runs",
        data_root=root / "data",
    )
    return SimpleNamespace(root=root, dataset=dataset, run=run, data=str(root / "data"))


def test_a_dataset_says_that_its_target_is_binary(made: SimpleNamespace) -> None:
    assert made.dataset.binary
    assert made.dataset.select("0").binary
    assert not zoo.load_dataset("synthetic", made.root / "data", people=3).binary


def test_a_run_keeps_what_means_something_of_right_and_wrong(made: SimpleNamespace) -> None:
    run = made.run
    assert run.record.dataset.binary is True
    for part in ("validation", "test"):
        for level in ("recording", "sample"):
            assert tuple(run.record.metrics[part][level]) == BINARY_METRICS
    table = run.scores.of("test")
    assert run.test == measure(table.true, table.predicted, binary=True)
    assert run.test["auc"] > 0.9
    assert run.baseline_test["auc"] == 0.5
    assert run_faults(run.path) == []


def test_a_score_has_none_of_them(made: SimpleNamespace) -> None:
    run = zoo.train(
        "mean",
        "synthetic",
        overrides={**QUICK, "dataset.people": 10},
        runs=made.root / "runs",
        data_root=made.root / "data",
    )
    assert run.record.dataset.binary is False
    assert tuple(run.test) == SCORE_METRICS


def test_evaluate_shows_them(made: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(made.run.path), "--data-root", made.data]) == 0
    out = capsys.readouterr().out
    assert "AUC" in out
    assert "F1" in out
    assert f"{made.run.test['auc']:.3f}" in out
    assert main(["evaluate", str(made.run.path), "--data-root", made.data, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["computed"]["test"]["recording"]["f1"] == pytest.approx(made.run.test["f1"])
    assert answer["stored"]["test"]["recording"]["auc"] == made.run.test["auc"]


def test_train_and_inspect_show_them(
    made: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    from zoo.cli.console import console
    from zoo.cli.result_tables import print_folds, print_run

    print_run(console(), made.run)
    print_folds(console(), [made.run, made.run])
    said = capsys.readouterr().out
    assert said.count("AUC of") + said.count("no AUC") == 2
    assert said.count("people are few to judge a model by") == 2
    assert main(["data", "inspect", "irds-simplified", "--data-root", made.data]) == 0
    assert "1 right, 0 wrong" in capsys.readouterr().out


def test_all_folds_the_bench_and_the_board_have_them_and_no_percentage(
    made: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = str(made.root / "benched")
    where = ["--dataset", "irds-simplified", "--runs", runs, "--data-root", made.data]
    quick = ["protocol.frames=14", "protocol.split.folds=2"]
    assert main(["train", "--model", "ridge-motion", "--fold", "all", *where, *quick]) == 0
    trained = capsys.readouterr().out
    grid = ["--models", "mean", "ridge-motion", "--exercises", "0", "--seeds", "0", "--jobs", "1"]
    assert main(["bench", *grid, *where, *quick]) == 0
    experiment = Experiment.of_models(
        ["mean", "ridge-motion"], "irds-simplified", exercises=["0"], seeds=[0], overrides=quick
    )
    (result,) = experiment_results(make_plan(experiment, Path(runs), Path(made.data)))
    benched = " ".join(result_sheets(experiment, result, wide=True)[0].columns)
    capsys.readouterr()
    assert main(["leaderboard", "--runs", runs]) == 0
    board = capsys.readouterr().out
    for out in (trained, benched, board):
        assert "AUC" in out
        assert "MAPE" not in out
        assert "Spearman" not in out
    assert "all folds together" in trained
    assert "ridge-motion has an AUC of " in trained
    assert "10 people are few to judge a model by" in trained
    assert "– %" not in board
    (section,) = zoo.leaderboard(runs).sections
    ridge, mean = section.ranked
    assert (ridge.name, mean.name) == ("ridge-motion", "mean")
    assert ridge.metrics["mean"]["auc"].value > mean.metrics["mean"]["auc"].value == 0.5
    assert f"{ridge.metrics['mean']['auc'].value:.3f}" in trained


def test_a_binary_total_is_one_or_zero(made: SimpleNamespace, tmp_path: Path) -> None:
    class Half(IrdsSimplifiedAdapter):
        def read(
            self, source: Path | None, report: PrepareReport, progress: Progress
        ) -> Iterator[Recording]:
            changes: dict[str, Any] = {"scores": {"total": 0.5}}
            yield from (replace(r, **changes) for r in super().read(source, report, progress))

    dataset = prepare(Half(), made.root / "IRDS", tmp_path)
    assert len(dataset) == len(made.dataset)
    assert len(dataset.select()) == 0
    problem = dataset.manifest["problems"][0]
    assert problem["found"] == "a total score of 0.5"
    assert problem["expected"].startswith("1 for right or 0 for wrong, as the dataset says")


def test_inspect_counts_right_and_wrong(
    made: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "inspect", "irds-simplified", "--data-root", made.data]) == 0
    out = capsys.readouterr().out
    assert "right   wrong" in out
    assert "mean score" not in out
    (row,) = summarise(made.dataset)
    assert (row.right, row.scored) == (20, 40)

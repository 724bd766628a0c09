"""`zoo experiment` as a user meets it: the list, a part of one, its report, mistakes."""

from pathlib import Path
from typing import Any

import pytest

from zoo.cli.main import main

QUICK = ("protocol.frames=16", "protocol.split.folds=2", "trainer.epochs=1")
ROWS = ("--rows", "mean score", "mean of the clinical group", "--seeds", "0")


@pytest.fixture
def experiment(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `zoo experiment` on a small KIMORE in this process: exit code, output, error output."""

    def run(*arguments: str) -> tuple[int, str, str]:
        places = ("--runs", str(tmp_path / "runs"), "--data-root", str(trained.data_root))
        chosen = ("--exercises", "5", "--protocol", "person-kfold", "--jobs", "1")
        code = main(
            ["experiment", *arguments, *chosen, *places, "--output", str(tmp_path / "out"), *QUICK]
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize("arguments", [("experiment",), ("experiment", "list")])
def test_the_list(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(list(arguments)) == 0
    shown = capsys.readouterr().out
    for name in ("d2sta-kimore", "Tables 1, 3, Figures 2, 3, 5", "How many groups D2STA needs"):
        assert name in shown


def test_a_name_that_a_list_has_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "--protocol", "person-kfold", "d2sta-groups"]) == 2
    assert "name the experiment first" in capsys.readouterr().err


def test_an_experiment_cut_short(experiment: Any, tmp_path: Path) -> None:
    code, out, _ = experiment("d2sta-kimore", *ROWS, "--dry-run")
    assert code == 0
    assert "4 runs in" in out
    assert not (tmp_path / "out").exists()

    code, out, _ = experiment("d2sta-kimore", *ROWS, "--report")
    assert code == 0
    assert "not in the table: mean score (mean): 0 of 2 runs" in out

    code, out, _ = experiment("d2sta-kimore", *ROWS, "--format", "png")
    assert code == 0
    assert "4 runs computed, 0 were there already, 0 failed" in out
    assert "Cut short: rows mean score, mean of the clinical group only;" in out
    assert "KIMORE, exercise 5, person-kfold: 15 people, seed 0" in out
    assert (tmp_path / "out" / "person-kfold-scatter.png").is_file()
    assert "protocol.frames=16" in (tmp_path / "out" / "report.md").read_text()


def test_the_small_variants(experiment: Any) -> None:
    code, out, _ = experiment(
        "d2sta-groups", "--small", "--folds", "0", "--rows", "2", "--seeds", "0", "--dry-run"
    )
    assert code == 0
    assert "d2sta-small" in out
    assert "1 runs in" in out


def test_published_numbers_stand_beside(experiment: Any, tmp_path: Path) -> None:
    code, out, _ = experiment("d2sta-kimore", *ROWS, "--report")
    assert code == 0
    said = " ".join(out.split())
    assert "Table 3 and text, published and ours" in said
    assert "D2STA mean MAD 0.119" in said
    assert "not run [1]" in said
    assert "[1] there is no run of it under d2sta-paper" in said
    assert "not compared: Tables 4 and 5: no number of UI-PRMD is known" in said
    assert "Reproduced: the published value lies within our 95 % interval" in said
    document = (tmp_path / "out" / "report.md").read_text()
    assert "| D2STA | 1 | MAD | 0.102 |" in document
    widths = [line.count(" | ") for line in document.splitlines() if line.startswith("| D2STA")]
    assert set(widths) == {8}
    assert "0.119" in (tmp_path / "out" / "published.csv").read_text()


def test_one_training_of_an_experiment(trained: Any, tmp_path: Path, capsys: Any) -> None:
    places = ("--runs", str(tmp_path / "runs"), "--data-root", str(trained.data_root))
    row = ("--experiment", "d2sta-kimore", "--row", "mean score")
    assert main(["train", *row, "--protocol", "person-kfold", *places, *QUICK]) == 0
    assert "mean" in capsys.readouterr().out
    (run,) = (tmp_path / "runs").rglob("run.json")
    assert run.parts[-6:-2] == ("kimore", "5", "person-kfold", "mean")
    assert main(["train", "--model", "mean", "--row", "mean score"]) == 2
    assert "name its experiment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("d2sta-group",), "Did you mean 'd2sta-groups'"),
        (("d2sta-groups", "--protocol", "person-kfold", "d2sta"), "has no protocol 'd2sta'"),
        (("d2sta-groups", "--rows", "11"), "no row '11'"),
        (("d2sta-groups", "--seeds", "x"), "--seeds: 'x' is no whole number"),
        (("d2sta-groups", "--format", "gif"), "svg"),
    ],
)
def test_mistakes(experiment: Any, arguments: tuple[str, ...], words: str) -> None:
    code, _, err = experiment(*arguments)
    assert code == 2
    assert words in err

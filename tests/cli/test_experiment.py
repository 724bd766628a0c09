"""`zoo study` as a user meets it: the list, a shortened study, its report, mistakes."""

from pathlib import Path
from typing import Any

import pytest

from zoo.cli.main import main

QUICK = ("protocol.frames=16", "protocol.split.folds=2", "trainer.epochs=1")
ROWS = ("--rows", "mean score", "mean of the clinical group", "--seeds", "0")


@pytest.fixture
def study(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `zoo study` on a small KIMORE in this process: exit code, output, error output."""

    def run(*arguments: str) -> tuple[int, str, str]:
        places = ("--runs", str(tmp_path / "runs"), "--data-root", str(trained.data_root))
        chosen = ("--exercises", "5", "--protocol", "person-kfold", "--jobs", "1")
        code = main(
            ["study", *arguments, *chosen, *places, "--output", str(tmp_path / "out"), *QUICK]
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize("arguments", [("study",), ("study", "list")])
def test_the_list(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(list(arguments)) == 0
    shown = capsys.readouterr().out
    for name in ("d2sta-kimore", "Table 3, Figure 5", "How many groups D2STA needs"):
        assert name in shown


def test_a_name_that_a_list_has_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--protocol", "person-kfold", "d2sta-groups"]) == 2
    assert "name the study first" in capsys.readouterr().err


def test_a_study_cut_short(study: Any, tmp_path: Path) -> None:
    code, out, _ = study("d2sta-kimore", *ROWS, "--dry-run")
    assert code == 0
    assert "4 runs in" in out
    assert not (tmp_path / "out").exists()

    code, out, _ = study("d2sta-kimore", *ROWS, "--report")
    assert code == 0
    assert "not in the table: mean score (mean): 0 of 2 runs" in out

    code, out, _ = study("d2sta-kimore", *ROWS, "--format", "png")
    assert code == 0
    assert "4 runs computed, 0 were there already, 0 failed" in out
    assert "Cut short: rows mean score, mean of the clinical group only;" in out
    assert "KIMORE, exercise 5, person-kfold: 15 people, seed 0" in out
    assert (tmp_path / "out" / "person-kfold-scatter.png").is_file()
    assert "protocol.frames=16" in (tmp_path / "out" / "report.md").read_text()


def test_the_small_variants(study: Any) -> None:
    code, out, _ = study(
        "d2sta-groups", "--small", "--folds", "0", "--rows", "2", "--seeds", "0", "--dry-run"
    )
    assert code == 0
    assert "d2sta-small" in out
    assert "1 runs in" in out


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
def test_mistakes(study: Any, arguments: tuple[str, ...], words: str) -> None:
    code, _, err = study(*arguments)
    assert code == 2
    assert words in err

"""`zoo bench` as a user meets it: the plan, the summary, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry import MODELS
from zoo.cli.main import main

TOYS = Path(__file__).parents[1] / "experiments" / "toy_models.py"
CHOSEN = ("--dataset", "kimore", "--exercises", "5")
QUICK = ("protocol.frames=16", "protocol.split.folds=2", "trainer.epochs=1")


@pytest.fixture
def bench(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `zoo bench` on a small KIMORE in this process: exit code, output, error output."""

    def run(*arguments: str) -> tuple[int, str, str]:
        places = ("--runs", str(tmp_path / "runs"), "--data-root", str(trained.data_root))
        code = main(["bench", *CHOSEN, *places, *arguments, *QUICK])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    before = set(MODELS.names())
    yield run
    for name in set(MODELS.names()) - before:
        MODELS.forget(name)


def test_a_sweep_with_a_failure(bench: Any, tmp_path: Path) -> None:
    grid = ("--plugin", str(TOYS), "--models", "mean", "toy-failing", "--seeds", "0")
    code, out, _ = bench(*grid, "--dry-run")
    assert code == 0
    assert not (tmp_path / "runs").exists()
    rows = {line.split()[0]: line.split()[1:6] for line in out.splitlines() if line.split()}
    assert rows["mean"] == ["person-kfold", "2", "0", "0", "2"]
    assert "4 runs in" in out

    code, out, err = bench(*grid, "--jobs", "1")
    assert code == 1
    assert "failed: toy-failing on kimore/5, person-kfold fold 0, seed 0: RuntimeError" in err
    assert "2 runs computed, 0 were there already, 2 failed" in out
    assert "--retry-failed tries these runs again" in out
    (kept, _) = sorted((tmp_path / "runs").rglob("*.failed.json"))
    assert "Traceback" in json.loads(kept.read_text())["traceback"]

    code, out, _ = bench(*grid, "--dry-run")
    rows = {line.split()[0]: line.split()[1:6] for line in out.splitlines() if line.split()}
    assert rows["mean"] == ["person-kfold", "2", "2", "0", "0"]
    assert rows["toy-failing"] == ["person-kfold", "2", "0", "2", "0"]

    code, out, _ = bench("--models", "mean", "--seeds", "0")
    assert code == 0
    assert "0 runs computed, 2 were there already, 0 failed" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name the models that take part"),
        (("--models", "meen"), "Did you mean 'mean'"),
        (("--models", "mean", "--protocol", "person-kfold", "all"), "no protocol is called 'all'"),
        (("--models", "mean", "--seeds", "x"), "--seeds: 'x' is no whole number"),
        (("--models", "mean", "--folds", "7"), "no fold 7"),
        (("--models", "mean", "--jobs", "0"), "--jobs 0"),
        (("--models", "mean", "trainer.epoch=1"), "trainer.epochs"),
        (("--models", "mean", "--experiment", "kimore-board"), "--experiment"),
    ],
)
def test_mistakes(bench: Any, arguments: tuple[str, ...], words: str) -> None:
    code, _, err = bench(*arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in err

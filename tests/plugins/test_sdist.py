"""The source distribution holds what it is to hold, and what is built of it works alone."""

import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this checkout."""
    pytest.importorskip("hatchling", reason="distributions are built with hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("skeleton_zoo-*.tar.gz")
    return made


def test_it_holds_code_tests_docs_and_papers_and_nothing_made(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    for wanted in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "constraints.txt",
        "zoo/py.typed",
        "configs/model/d2sta.yaml",
        "baselines/stgcn.py",
        "tests/conftest.py",
        "docs/index.md",
        "docs/_static/front.svg",
    ):
        assert wanted in names
    made = ("docs/models/", "docs/api/", "docs/_build/", "runs/", ".venv/")
    assert [n for n in names if n.startswith(made) or "__pycache__" in n] == []


def test_a_wheel_of_it_runs_in_a_fresh_environment(
    sdist: Path, fresh_site: Callable[..., Any]
) -> None:
    site = fresh_site(sdist)
    found = site.run("python", "-P", "-c", "import zoo; print(zoo.__file__)").stdout
    assert str(site.root / "env") in found
    assert site.zoo("--version").startswith("skeleton-zoo ")
    assert all(model["problem"] is None for model in site.models().values())
    small = ("dataset.people=12", "dataset.repetitions=2", "protocol.split.folds=2")
    said = site.zoo("train", "--model", "mean", *small, "trainer.threads=1")
    assert "never seen in training" in said
    board = site.zoo("leaderboard", "--output", "board.html")
    assert (site.root / "board.html").stat().st_size > 10_000, board
    site.zoo("new", "baseline", "my_model")  # the templates are in the wheel
    assert (site.root / "my_model" / "pyproject.toml").is_file()

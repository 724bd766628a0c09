"""A stranger's model in a real wheel, in a fresh environment with a real wheel of the zoo.

Nothing is downloaded: what the zoo needs (torch and the rest) is lent by the running environment
through a path file, behind what the fresh one holds itself. The tests stand in a user's order.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="wheels are built with hatchling")

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("dataset.people=12", "dataset.repetitions=2", "protocol.split.folds=2")
QUICK = ("trainer.epochs=2", "trainer.threads=1")


@dataclass(frozen=True)
class Site:
    """A fresh environment and the folder its user works in."""

    root: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def run(self, *arguments: str | Path, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """`python ARGUMENTS` in the user's folder; anything but success is a failure of the test.

        Args:
            *arguments: of the interpreter.
            fails: expect the exit code 2 of a mistake instead.
        """
        done = subprocess.run(
            [str(self.python), *map(str, arguments)],
            cwd=self.root,
            env={**os.environ, "ZOO_DATA": str(self.root / "data"), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == (2 if fails else 0), done.stdout + done.stderr
        return done

    def zoo(self, *arguments: str | Path, fails: bool = False) -> str:
        """`zoo ARGUMENTS`: what it prints, or what it complains of where it is to fail."""
        done = self.run("-P", "-m", "zoo", *arguments, fails=fails)
        return done.stderr if fails else done.stdout

    def pip(self, *arguments: str | Path) -> None:
        """The running environment's pip, at work on the fresh one."""
        _pip("--python", self.python, *arguments)

    def install(self, project: Path) -> None:
        """Build a wheel of a project and install that, and nothing else."""
        wheels = self.root / f"wheels-{project.name}"
        _pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", wheels, project)
        self.pip("install", "--no-deps", "--no-index", *wheels.glob("*.whl"))

    def models(self) -> dict[str, dict[str, object]]:
        """What `zoo models` knows, by name."""
        return {m["name"]: m for m in json.loads(self.zoo("models", "--json"))}


def _pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "-q", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """With the zoo's wheel, and a new baseline's that this zoo has written."""
    made = Site(tmp_path_factory.mktemp("stranger"))
    venv.create(made.root / "env")
    made.install(ROOT)
    own = made.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(own) / "lent.pth").write_text("\n".join(sorted(lent)) + "\n")
    made.zoo("new", "baseline", "my_model")
    return made


def test_the_zoo_is_the_wheels(site: Site) -> None:
    found = site.run("-P", "-c", "import zoo, baselines; print(zoo.__file__, baselines.__file__)")
    assert found.stdout.count(str(site.root / "env")) == 2
    listed = site.models()
    assert all(listed[name]["problem"] is None for name in ("mean", "d2sta", "stgcn-small"))
    assert "my_model" not in listed


def test_installed_it_is_listed_and_passes_its_test(site: Site) -> None:
    site.install(site.root / "my_model")
    listed = site.models()["my_model"]
    assert listed["owner"] == "my_model 0.1.0"
    assert listed["problem"] is None
    assert listed["title"] == "My model"
    card = site.zoo("models", "my_model")
    assert "my_model.model:MyModel (my_model 0.1.0)" in card
    assert "model.width" in card
    assert "Train it: zoo train --model my_model" in card

    alone = site.root / "its-tests"  # away from src/, so that only the installed package is left
    shutil.copytree(site.root / "my_model" / "tests", alone)
    shutil.copy(site.root / "my_model" / "pyproject.toml", alone)
    tested = site.run("-P", "-m", "pytest", "-q", alone)
    assert "9 passed" in tested.stdout


def test_it_trains(site: Site) -> None:
    for model in ("my_model", "mean"):
        said = site.zoo("train", "--model", model, "--fold", "all", *SMALL, *QUICK)
        assert "never seen in training" in said
    records = [
        json.loads(file.read_bytes())
        for file in site.root.glob("runs/synthetic/5/person-kfold/my_model/*/run.json")
    ]
    assert sorted(record["fold"] for record in records) == [0, 1]
    assert {record["model"]["source"]["owner"] for record in records} == {"my_model 0.1.0"}


def test_uninstalled_it_is_gone_and_its_runs_say_whose_they_were(site: Site) -> None:
    site.pip("uninstall", "-y", "my_model")
    assert "my_model" not in site.models()
    run = next(site.root.glob("runs/synthetic/5/person-kfold/my_model/fold0-*"))
    complaint = site.zoo("evaluate", run, fails=True)
    assert "not registered here (it came from my_model 0.1.0)" in complaint
    assert "install the package that brings it" in complaint

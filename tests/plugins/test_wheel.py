"""A stranger's model in a real wheel beside a real wheel of the zoo; tests in a user's order."""

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

SMALL = ("dataset.people=12", "dataset.repetitions=2", "protocol.split.folds=2")
QUICK = ("trainer.epochs=2", "trainer.threads=1")

PLUGIN = """
import torch
from registry import register_model
from zoo.data.batch import Prediction

@register_model("tempo")
class Tempo(torch.nn.Module):
    def __init__(self, layout):
        super().__init__()
        self.line = torch.nn.Linear(layout.num_joints, 1)

    def forward(self, batch):
        x = batch.stream("position")
        return Prediction(self.line((x[:, 1:] - x[:, :-1]).norm(dim=-1).mean(1))[:, 0])
"""


@pytest.fixture(scope="module")
def site(fresh_site: Callable[[], Any]) -> Any:
    """A user's environment and folder, with a new baseline that this zoo has written."""
    made = fresh_site()
    made.zoo("new", "baseline", "my_model")
    return made


def test_the_zoo_is_the_wheels(site: Any) -> None:
    found = site.run(
        "python", "-P", "-c", "import zoo, baselines as b; print(zoo.__file__, b.__file__)"
    )
    assert found.stdout.count(str(site.root / "env")) == 2
    listed = site.models()
    assert all(listed[name]["problem"] is None for name in ("mean", "d2sta", "stgcn-small"))
    assert "my_model" not in listed


def test_installed_it_is_listed_and_passes_its_test(site: Any) -> None:
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
    tested = site.run("python", "-P", "-m", "pytest", "-q", alone)
    assert "9 passed" in tested.stdout


def test_it_trains(site: Any) -> None:
    said = site.zoo("train", "--model", "my_model", *SMALL, *QUICK)
    assert "never seen in training" in said
    (file,) = site.root.glob("runs/synthetic/5/person-kfold/my_model/*/run.json")
    source = json.loads(file.read_bytes())["model"]["source"]
    assert source["owner"] == "my_model 0.1.0"
    assert source["class"] == "my_model.model:MyModel"


def test_it_stands_on_the_board_beside_a_plugin_file(site: Any) -> None:
    (site.root / "tempo.py").write_text(PLUGIN)
    grid = ("--exercises", "5", "--seeds", "0", "--jobs", "1", *SMALL, *QUICK)
    plugin = ("--plugin", "tempo.py")
    swept = site.zoo("bench", *plugin, "--models", "my_model", "mean", "tempo", *grid)
    assert "5 runs computed, 1 were there already, 0 failed" in swept
    board = json.loads(site.zoo("leaderboard", *plugin, "--format", "json"))["sections"][0]
    assert board["incomplete"] == []
    assert {entry["model"]: entry["source"] for entry in board["ranked"]} == {
        "mean": "built in",
        "my_model": "my_model 0.1.0",
        "tempo": str(site.root / "tempo.py"),
    }
    (own,) = [entry for entry in board["ranked"] if entry["model"] == "my_model"]
    assert (own["title"], own["family"]) == ("My model", "neural")
    assert own["streams"] == ["position", "joint_motion"]


def test_uninstalled_it_is_gone_and_its_runs_say_whose_they_were(site: Any) -> None:
    site.pip("uninstall", "-y", "my_model")
    assert "my_model" not in site.models()
    run = next(site.root.glob("runs/synthetic/5/person-kfold/my_model/fold0-*"))
    complaint = site.zoo("evaluate", run, fails=True)
    assert "not registered here (it came from my_model 0.1.0)" in complaint
    assert "install the package that brings it" in complaint
    board = json.loads(site.zoo("leaderboard", "--format", "json"))["sections"][0]
    assert "my_model 0.1.0" in {entry["source"] for entry in board["ranked"]}

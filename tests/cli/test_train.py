"""`zoo train` as a user meets it: the table, all folds, plug-ins, running again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PEOPLE = ("dataset.people=12", "dataset.repetitions=2")
SMALL = ("trainer.epochs=1", "trainer.threads=1")
PLUGIN = """
import torch
from registry import register_model
from zoo.data.batch import Batch, Prediction

@register_model("tempo")
class Tempo(torch.nn.Module):
    streams = ("position",)

    def __init__(self, layout, width: int = 1):
        super().__init__()
        self.line = torch.nn.Linear(layout.num_joints, width)

    def forward(self, batch: Batch) -> Prediction:
        x = batch.stream("position")
        return Prediction(self.line((x[:, 1:] - x[:, :-1]).norm(dim=-1).mean(1))[:, 0])
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its own data and runs, so that the simulator runs once."""
    return tmp_path_factory.mktemp("train")


def train(desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `zoo train` in the folder."""
    people = () if "kimore" in arguments else PEOPLE
    return subprocess.run(
        [sys.executable, "-m", "zoo", "train", *arguments, *people, *SMALL],
        cwd=desk,
        env={**os.environ, "ZOO_DATA": str(desk / "data"), "COLUMNS": "110"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_model_stands_beside_the_mean_score(desk: Path) -> None:
    done = train(desk, "--model", "d2sta-small")
    assert done.returncode == 0, done.stderr
    assert re.search(r"d2sta-small +\d+\.\d\d", done.stdout)
    assert re.search(r"mean score +\d+\.\d\d", done.stdout)
    assert "people are too few to tell d2sta-small from the mean score" in done.stdout
    assert "MAD: mean absolute deviation" in done.stdout
    assert "never seen in training" in done.stdout
    assert "epoch 1/1" in done.stderr


def test_all_folds_and_the_same_again(desk: Path) -> None:
    first = train(desk, "--model", "mean", "--fold", "all", "protocol.split.folds=2")
    assert first.returncode == 0, first.stderr
    again = train(desk, "--model", "mean", "--fold", "all", "protocol.split.folds=2")
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert "trained before" in again.stderr
    assert "tested on 12 people" in first.stdout


def test_resume_says_where_there_is_nothing_to_resume(desk: Path) -> None:
    done = train(desk, "--model", "median", "--resume")
    assert done.returncode == 0, done.stderr
    assert "there is nothing to resume for these settings: the run begins anew" in done.stderr


def test_the_first_line_comes_before_anything_heavy(desk: Path) -> None:
    done = train(desk, "--model", "median", "--overwrite")
    assert done.stderr.splitlines()[0] == "getting median ready …"


def test_who_is_tested_in_several_folds_counts_once(desk: Path) -> None:
    protocol = ("--protocol", "random-kfold", "protocol.split.folds=2")
    done = train(desk, "--model", "mean", "--fold", "all", *protocol)
    assert done.returncode == 0, done.stderr
    assert "random-kfold 2 folds: tested on 12 people (LEAKY" in done.stdout


def test_a_leaky_protocol_says_so(desk: Path) -> None:
    done = train(desk, "--model", "mean", "--protocol", "d2sta-paper")
    assert done.returncode == 0, done.stderr
    assert "LEAKY" in done.stdout
    assert "This protocol leaks" in done.stdout


def test_plugin_model_and_its_parameter(desk: Path) -> None:
    (desk / "tempo.py").write_text(PLUGIN)
    done = train(desk, "--plugin", "tempo.py", "--model", "tempo", "model.width=2")
    assert done.returncode == 0, done.stderr
    assert "tell tempo from the mean score" in done.stdout
    wrong = train(desk, "--plugin", "tempo.py", "--model", "tempo", "model.witdh=2")
    assert wrong.returncode == 2
    assert "model.width" in wrong.stderr


def test_changed_plugin_is_not_taken_for_the_old_one(desk: Path) -> None:
    file = desk / "changing.py"
    file.write_text(PLUGIN.replace('"tempo"', '"changing"'))
    assert train(desk, "--plugin", str(file), "--model", "changing").returncode == 0
    file.write_text(file.read_text() + "\n# another version\n")
    done = train(desk, "--plugin", str(file), "--model", "changing")
    assert done.returncode == 2
    assert "--overwrite" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "mean", "--fold", "99"), "fold"),
        (("--model", "mean", "--exercise", "9"), "exercise '9'"),
        (("--model", "mean", "--dataset", "kimore"), "zoo data prepare kimore"),
        (("--model", "d2sta-small", "model.streams=[angle]"), "angle"),
        (("--model", "d2sta-small", "model.groups=0"), "groups"),
        (("--model", "mean", "trainer.lr=-1"), "trainer.lr"),
    ],
)
def test_mistakes(desk: Path, arguments: tuple[str, ...], words: str) -> None:
    done = train(desk, *arguments)
    assert done.returncode == 2, done.stdout
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr

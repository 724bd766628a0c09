"""A new model is one .py and one .yaml; a variant is three lines more."""

from pathlib import Path

import pytest

from zoo.cli.main import main

CODE = """
import torch
from zoo.data.batch import Prediction

class Reach(torch.nn.Module):
    def __init__(self, layout, width: int = 4):
        super().__init__()
        self.frame = torch.nn.Linear(3 * layout.num_joints, width)
        self.score = torch.nn.Linear(width, 1)

    def forward(self, batch):
        x = batch.stream("position").flatten(2)
        return Prediction(self.score(self.frame(x).relu().mean(1))[:, 0])
"""
ENTRY = """
code: reach_of_a_test:Reach
trainer: {epochs: 1}
variants:
  wide:
    params: {width: 8}
"""
SMALL = (
    "dataset.people=12",
    "dataset.repetitions=2",
    "protocol.frames=16",
    "trainer.threads=1",
)


def test_it_is_listed_configured_and_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("registry.catalogues._user_dirs", [])
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "reach_of_a_test.py").write_text(CODE)
    (tmp_path / "configs" / "model").mkdir(parents=True)
    (tmp_path / "configs" / "model" / "reach.yaml").write_text(ENTRY)
    catalogue = ("--config-dir", "configs")
    assert main(["models", "reach*", *catalogue]) == 0
    listed = capsys.readouterr().out
    assert "reach-wide" in listed
    assert main(["config", "show", "--model", "reach", *catalogue]) == 0
    assert "  width: 4\n" in capsys.readouterr().out
    assert main(["train", "--model", "reach-wide", *catalogue, *SMALL]) == 0
    (run,) = (tmp_path / "runs").rglob("run.json")
    assert "width: 8\n" in (run.parent / "config.yaml").read_text()

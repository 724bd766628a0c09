"""What is defined again takes the place of what it was: cells of a notebook, edited plug-ins."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import registry
import zoo
from registry import MODELS, RegistryError
from zoo.training.source import model_source

FEW = {"dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 8}

CELL = """
    import torch
    from registry import register_model
    from zoo.data.batch import Prediction

    @register_model("again")
    class {name}(torch.nn.Module):
        def __init__(self, layout):
            super().__init__()
            self.register_buffer("level", torch.zeros(()))

        def fit(self, batch, target):
            self.level = torch.tensor({level})

        def forward(self, batch):
            return Prediction(self.level.expand(batch.size))
"""


@pytest.fixture(autouse=True)
def models() -> Iterator[None]:
    before = list(MODELS.added)
    yield
    MODELS.added[:] = before


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Runs cells as a notebook does: in a module ``__main__`` of no file."""
    main = type(sys)("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)

    def run(cell: str) -> dict[str, Any]:
        exec(textwrap.dedent(cell), vars(main))
        return vars(main)

    return run


def test_a_cell_that_is_run_again_gives_the_new_class(
    notebook: Callable[[str], Any], tmp_path: Path
) -> None:
    answers = []
    for value in (0.0, 1.0):
        made = notebook(CELL.format(name="Net", level=value))["Net"]
        assert MODELS.get("again").load() is made
        run = zoo.train("again", overrides=FEW, runs=tmp_path, data_root=tmp_path, overwrite=True)
        answers.append(set(run.test_scores.predicted))
    assert answers[0] != answers[1]


def test_a_class_renamed_in_its_cell_takes_the_name_over(notebook: Callable[[str], Any]) -> None:
    notebook(CELL.format(name="Net", level=0.0))
    other = notebook(CELL.format(name="Better", level=0.0))["Better"]
    assert MODELS.get("again").load() is other


def test_two_classes_of_one_script_are_still_two_owners(
    notebook: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "script.py", raising=False)
    notebook(CELL.format(name="Net", level=0.0))
    notebook(CELL.format(name="Better", level=0.0))
    with pytest.raises(RegistryError, match="claimed by"):
        MODELS.get("again").load()


def test_an_edited_plugin_is_the_new_class_with_the_new_files_hash(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    found = []
    for value in (0.0, 1.0):
        file.write_text(textwrap.dedent(CELL.format(name="Net", level=value)))
        assert registry.add_plugin(file) == ["again"]
        run = zoo.train("again", overrides=FEW, runs=tmp_path, data_root=tmp_path, overwrite=True)
        found.append((set(run.test_scores.predicted), run.record.model.source.sha256))
    assert found[0][0] != found[1][0]
    assert found[0][1] != found[1][1]
    file.write_text("# edited while it runs\n" + file.read_text())
    cls = MODELS.get("again").load()
    assert model_source("again", cls).sha256 == found[1][1], "the hash of what was imported"
    assert MODELS.get("again").source.digest() == found[1][1]


def test_a_name_that_an_edited_plugin_no_longer_has_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(CELL.format(name="Net", level=0.0)))
    registry.add_plugin(file)
    MODELS.get("again").load()
    file.write_text(textwrap.dedent(CELL).format(name="Net", level=0.0).replace("again", "anew"))
    assert registry.add_plugin(file) == ["anew"]
    assert "again" not in MODELS
    assert torch.nn.Module in MODELS.get("anew").load().__mro__


def test_a_plugin_added_twice_is_imported_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(CELL.format(name="Net", level=0.0)))
    registry.add_plugin(file)
    first = MODELS.get("again").load()
    registry.add_plugin(file)
    assert MODELS.get("again").load() is first

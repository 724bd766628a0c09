"""The figures in `zoo models` are those of the published board."""

import csv
import importlib.util
from pathlib import Path

import pytest

from registry import MODELS
from zoo.reached import reached

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("reached", ROOT / "benchmarks" / "reached.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_figures_are_the_boards(script) -> None:
    known = reached()
    board = script.board_figures()
    assert len(board) > 15
    with (ROOT / "configs" / "reached.csv").open(encoding="utf-8", newline="") as file:
        rows = {row.pop("model"): tuple(row.values()) for row in csv.DictReader(file)}
    for name, figures in board.items():
        assert rows[name] == figures, "run: python benchmarks/reached.py"
        assert known[name].mad == float(figures[1])
    assert {name for name, found in known.items() if found.mad is not None} == set(board)


def test_every_model_has_a_size_and_none_has_gone(script) -> None:
    own = [e.name for e in MODELS.entries() if e.source.distribution == "skeleton-zoo"]
    assert sorted(reached()) == own, "run: python benchmarks/reached.py"
    assert reached()["d2sta"].parameters == int(script.size("d2sta"))
    assert all(found.parameters is not None for found in reached().values())

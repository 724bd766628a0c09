"""Runs, evaluations, boards and comparisons as data frames and in a notebook."""

from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.errors import ConfigError
from zoo.tables import MOST_ROWS, SmallTable, dataframe

FEW = {"dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 8}
QUICK = {**FEW, "protocol.split.folds": 2}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    zoo.bench(
        ["mean", "median"],
        exercises=["5"],
        overrides=QUICK,
        runs=folder / "runs",
        data_root=folder,
        jobs=1,
    )
    return folder


@pytest.fixture(scope="module")
def run(place: Path) -> Any:
    return zoo.train("mean", overrides=QUICK, runs=place / "runs", data_root=place, resume=True)


def test_a_run(run: Any) -> None:
    pytest.importorskip("pandas")
    frame = run.to_dataframe()
    assert list(frame)[:2] == ["part", "person"]
    assert set(frame.part) == {"validation", "test"}
    test = frame[frame.part == "test"]
    assert (test.predicted - test.true).abs().mean() == pytest.approx(run.test["mad"])
    page = run._repr_html_()
    assert "mean on synthetic/5, person-kfold fold 0, seed 0: tested on 5 people" in page
    assert page.count("<tr>") == 3
    first, head, *rows = repr(run).splitlines()
    assert first == "mean on synthetic/5, person-kfold fold 0, seed 0: tested on 5 people"
    assert head.split()[:2] == ["MAD", "RMSE"]
    assert [row.split()[0] for row in rows] == ["mean", "mean", "kept"]
    assert len({len(row) for row in (head, *rows[:2])}) == 1


def test_an_evaluation(run: Any, place: Path) -> None:
    pytest.importorskip("pandas")
    found = zoo.evaluate(run, data_root=place)
    frame = found.to_dataframe().set_index(["part", "level", "source"]).mad
    assert frame["test", "recording", "stored"] == frame["test", "recording", "computed now"]
    assert "come out again" in found._repr_html_()
    assert "computed now" in repr(found)
    assert len(repr(found).splitlines()) == 6


def test_a_board_and_a_comparison(place: Path) -> None:
    pytest.importorskip("pandas")
    board = zoo.leaderboard(place / "runs")
    frame = board.to_dataframe()
    assert sorted(frame.model) == ["mean", "median"]
    assert (frame.mad_low <= frame.mad).all()
    assert (frame["mad 5"] == frame.mad).all()
    assert board._repr_html_().count("<tr>") == 3
    assert len(repr(board).splitlines()) == 4
    compared = zoo.compare("mean", "median", place / "runs")
    assert len(compared.to_dataframe()) == len(compared.persons) == 10
    assert compared.verdict in compared._repr_html_().replace("&#x27;", "'")
    assert repr(compared).endswith(compared.verdict)


def test_everything_is_escaped_and_short() -> None:
    table = SmallTable("<script>", ["<b>"], [["<i>"]] * (MOST_ROWS + 2), ["a & b"])
    page = table.html()
    assert "<script>" not in page
    assert "<i>" not in page
    assert page.count("&lt;i&gt;") == MOST_ROWS
    assert "and 2 more" in page
    assert table.text().splitlines()[-2:] == ["a & b", "and 2 more"]


def test_pandas_is_no_dependency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ConfigError, match="pip install pandas"):
        dataframe({"a": [1]})

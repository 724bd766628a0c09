"""A published board links to movements of datasets that may be shown, and of no others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from registry import DATASETS
from zoo.cli.main import main
from zoo.report.publish import publish
from zoo.viewer.board import with_pages

SHOWN = "may be shown to anybody"


@pytest.fixture(scope="module")
def ranked(train: Callable[..., Any]) -> Path:
    """The folder of a ranked model's runs: both folds of a small study."""
    small = {"protocol.split.folds": 2, "protocol.frames": 16}
    folds = [train("mean", **small, fold=fold, seed=0) for fold in (0, 1)]
    return Path(folds[0].path.parents[4])


def test_simulated_people_are_shown(
    ranked: Path, data_root: Path, tmp_path: Path, browser: Any
) -> None:
    site = tmp_path / "site"
    board = zoo.leaderboard(ranked, public=True)
    linked, pages = with_pages(board, ranked, site, data_root)
    (entry,) = linked.sections[0].ranked
    assert [page.name for page in pages] == [entry.movement]
    text = pages[0].read_text(encoding="utf-8")
    assert SHOWN in text
    assert text.count("<article") == 3
    publish(linked, site)
    browser.open(site / "index.html")
    browser.click("tr[data-entry='0'] button.name")
    browser.click("dialog a[href^='movement-']")
    assert browser.js("return location.pathname").endswith(entry.movement)
    assert browser.log() == []


def test_other_recordings_are_not(
    ranked: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DATASETS.get("synthetic").load(), "showable", False)
    board, pages = with_pages(zoo.leaderboard(ranked, public=True), ranked, tmp_path, data_root)
    assert pages == []
    assert list(tmp_path.iterdir()) == []
    assert board.sections[0].ranked[0].movement == ""


def test_the_command_writes_them(
    ranked: Path, data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["leaderboard", "--runs", ranked, "--publish", tmp_path, "--data-root", data_root]
    assert main([str(word) for word in words]) == 0
    (page,) = tmp_path.glob("movement-0-mean*.html")
    assert str(page) in capsys.readouterr().out

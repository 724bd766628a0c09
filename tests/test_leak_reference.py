"""A leaky board gets its nearest neighbour on bone lengths, trained as any run is."""

import shutil

import pytest

import zoo
from zoo.board.check import check_store

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def runs(trained, tmp_path):
    leaky = trained.run("leaky").path
    target = tmp_path / "runs" / leaky.relative_to(trained.runs)
    shutil.copytree(leaky, target)
    return tmp_path / "runs"


def test_it_is_computed_under_the_boards_own_settings(trained, runs):
    told = []
    board = zoo.leaderboard(runs, data_root=trained.data_root, note=told.append)
    assert told == []
    (section,) = board.boards
    assert sorted(entry.name for entry in section.entries) == ["knn-bones", "mean"]
    assert "knn-bones, which compares lengths of bones" in section.meaning
    assert check_store(runs).findings == []
    again = zoo.leaderboard(runs, data_root=trained.data_root, compute=False)
    assert len(again.boards[0].entries) == 2


def test_it_is_not_computed_when_nobody_wants_it(trained, runs):
    board = zoo.leaderboard(runs, data_root=trained.data_root, compute=False)
    assert [entry.name for entry in board.boards[0].entries] == ["mean"]
    assert any("zoo bench --models knn-bones" in note for note in board.boards[0].notes)


def test_other_data_than_the_boards_are_not_used(trained, make_store):
    store = make_store(protocol="d2sta-paper", pieces=10, exercises=("5",))
    store.entry("d2sta")
    told = []
    zoo.leaderboard(store.root, fingerprint="ffff", data_root=trained.data_root, note=told.append)
    assert len(told) == 1
    assert "has the fingerprint" in told[0]

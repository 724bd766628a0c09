"""Killed at every change of the file system, one after the other: what is kept is kept whole.

A process of its own does something and is killed at its N-th change below a folder: at the opening
of a file to write, a rename, a removal, a new folder. The campaign (``-m slow``) goes through every
N until nothing is left to kill; the suite tries a few.
"""

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.errors import DataError
from zoo.report.publish import publish

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and kills as POSIX does")

CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CAMPAIGN = [pytest.param(3, id="a few"), pytest.param(None, id="all", marks=pytest.mark.slow)]


def killed_at(number: int, below: Path, work: Callable[[], Any]) -> bool:
    """Whether a process that does `work` was killed, at its change with this number, from 1."""
    pid = os.fork()
    if pid == 0:
        seen = 0

        def look(event: str, args: tuple[Any, ...]) -> None:
            nonlocal seen
            if event not in CHANGES or not str(args[0]).startswith(str(below)):
                return
            if event == "open" and not (args[2] or 0) & WRITES:
                return
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 1)
            sys.addaudithook(look)
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, f"the work ended with an error before change {number}"
    return False


def numbers(some: int | None, below: Path, work: Callable[[], Any]) -> Iterator[int]:
    """Numbers of changes to be killed at: a few by chance, or one after the other for ever."""
    if some is None:
        number = 0
        while True:
            number += 1
            yield number
    last = 1
    while killed_at(last, below, work):
        shutil.rmtree(below, ignore_errors=True)
        last *= 2
    yield from sorted(random.sample(range(1, last), min(some, last - 1)))


def report(capsys: pytest.CaptureFixture[str], some: int | None, what: str, kills: int) -> None:
    if some is None:
        with capsys.disabled():
            print(f"\n{what}: killed at each of {kills} changes, nothing lost")


@pytest.mark.parametrize("some", CAMPAIGN)
@pytest.mark.parametrize("selection", ["best", "last"])
def test_a_training(
    tmp_path: Path,
    one_thread: None,
    selection: str,
    some: int | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = tmp_path / "data"
    prepare(create_adapter("synthetic", people=8, repetitions=1), None, data, folder="small")
    (store,) = data.iterdir()
    runs = tmp_path / "runs"

    def train(into: Path = runs) -> Any:
        return zoo.train(
            "gru",
            "synthetic",
            overrides={
                "dataset.people": 8,
                "dataset.repetitions": 1,
                "model.hidden": 4,
                "protocol.frames": 8,
                "protocol.selection": selection,
                "trainer.epochs": 3,
                "trainer.threads": 1,
                "trainer.checkpoint_every": 1,
            },
            runs=into,
            data_root=data,
            resume=True,
        )

    whole = train(tmp_path / "whole")
    assert store.is_dir()
    kills = 0
    for number in numbers(some, runs, train):
        shutil.rmtree(runs, ignore_errors=True)
        if not killed_at(number, runs, train):
            break
        kills += 1
        assert [run.name for run in runs.rglob("fold*") if not _whole_or_partial(run)] == []
        again = train()
        for name in ("checkpoint.safetensors", "predictions.csv"):
            assert (again.path / name).read_bytes() == (whole.path / name).read_bytes(), number
        assert list(runs.rglob("*.partial")) == []
        assert list(runs.rglob("*.lock")) == []
    assert kills
    report(capsys, some, f"train, {selection}", kills)


def _whole_or_partial(folder: Path) -> bool:
    return folder.name.endswith(".partial") or folder.is_file() or (folder / "run.json").is_file()


@pytest.mark.parametrize("some", CAMPAIGN)
@pytest.mark.parametrize("replaced", [False, True], ids=["new", "replaced"])
def test_preparing(
    tmp_path: Path, replaced: bool, some: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"

    def make(seed: int = 2) -> SkeletonDataset:
        adapter = create_adapter("synthetic", people=1, repetitions=1, seed=seed)
        return prepare(adapter, None, root)

    wanted = {make(seed=1).fingerprint, make(seed=2).fingerprint}
    kills = 0
    for number in numbers(some, root, make):
        shutil.rmtree(root, ignore_errors=True)
        if replaced:
            make(seed=1)
        if not killed_at(number, root, make):
            break
        kills += 1
        if replaced or (root / "synthetic").exists():
            assert SkeletonDataset.open(root, "synthetic").fingerprint in wanted, number
        else:
            with pytest.raises(DataError, match="is not prepared"):
                SkeletonDataset.open(root, "synthetic")
        make()
        assert [entry.name for entry in root.iterdir()] == ["synthetic"], number
    assert kills
    report(capsys, some, f"prepare, {'replaced' if replaced else 'new'}", kills)


@pytest.mark.parametrize("some", CAMPAIGN)
def test_publishing_a_board(
    make_store: Any, tmp_path: Path, some: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    store = make_store(exercises=("5",))
    store.entry("mean", constant=True)
    before = zoo.leaderboard(store.root, public=True)
    store.entry("stgcn")
    after = zoo.leaderboard(store.root, public=True)
    folder = tmp_path / "published"

    def content(board: Any) -> dict[str, bytes]:
        shutil.rmtree(folder, ignore_errors=True)
        return {file.name: file.read_bytes() for file in publish(board, folder)}

    new, old = content(after), content(before)
    kills = 0
    for number in numbers(some, folder, lambda: publish(after, folder)):
        content(before)
        if not killed_at(number, folder, lambda: publish(after, folder)):
            break
        kills += 1
        for file in folder.iterdir():
            if not file.name.startswith("."):  # what a killed process was writing is hidden
                assert file.read_bytes() in (old.get(file.name), new.get(file.name)), number
        publish(after, folder)
        assert all((folder / name).read_bytes() == text for name, text in new.items())
    assert kills
    report(capsys, some, "the board", kills)

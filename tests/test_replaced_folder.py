"""A folder is replaced whole or not at all."""

import threading
from pathlib import Path

import pytest

from zoo import files
from zoo.files import recover, replaced_folder


def fill(target: Path, text: str) -> None:
    with replaced_folder(target) as staging:
        (staging / "file").write_text(text)


def hidden(target: Path) -> list[str]:
    return sorted(f.name for f in target.parent.iterdir() if f.name.startswith("."))


@pytest.fixture(params=["exchange", "two renames"])
def target(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A target on a platform that can exchange two folders, and on one that cannot."""
    if request.param == "two renames":
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    return tmp_path / "root" / "set"


def test_makes_then_replaces(target: Path) -> None:
    for text in ("first", "second", "third"):
        fill(target, text)
        assert (target / "file").read_text() == text
        assert [f.name for f in target.iterdir()] == ["file"]
        assert hidden(target) == []


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt(), ValueError("x")])
def test_an_error_leaves_all_as_it_was(target: Path, error: BaseException) -> None:
    def fail() -> None:
        with replaced_folder(target) as staging:
            (staging / "file").write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert not target.exists()
    fill(target, "first")
    with pytest.raises(type(error)):
        fail()
    assert (target / "file").read_text() == "first"
    assert hidden(target) == []


def test_the_exchange_is_used_where_there_is_one(tmp_path: Path) -> None:
    one, other = tmp_path / "1", tmp_path / "2"
    one.mkdir()
    other.mkdir()
    (one / "x").touch()
    if not files._exchange(one, other):
        pytest.skip("this platform or file system cannot exchange two folders")
    assert (other / "x").exists()
    assert not (one / "x").exists()


def test_a_failed_second_rename_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "set"
    fill(target, "first")
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    rename = Path.rename

    def failing(self: Path, other: Path) -> Path:
        if ".new-" in self.name:
            raise OSError("no")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no"):
        fill(target, "second")
    assert (target / "file").read_text() == "first"
    assert hidden(target) == []


def test_death_between_the_two_renames_is_mended(tmp_path: Path) -> None:
    target = tmp_path / "set"
    fill(target, "first")
    target.rename(tmp_path / ".set.old-0011")
    assert recover(target)
    assert (target / "file").read_text() == "first"
    assert not recover(target)


def test_leftovers_of_the_dead_are_cleared(tmp_path: Path) -> None:
    target = tmp_path / "set"
    fill(target, "first")
    for name in (".set.new-dead", ".set.old-dead", ".settee.new-dead"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("half")
    fill(target, "second")
    assert (target / "file").read_text() == "second"
    assert hidden(target) == [".settee.new-dead"]


def test_writers_take_turns(tmp_path: Path) -> None:
    target = tmp_path / "set"
    inside: list[int] = []
    most: list[int] = []
    waited: list[int] = []

    def work(number: int) -> None:
        with replaced_folder(target, lambda: waited.append(number)) as staging:
            inside.append(number)
            most.append(len(inside))
            (staging / "file").write_text(str(number))
            threading.Event().wait(0.05)
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(waited) == 4
    assert (target / "file").read_text() in "01234"
    assert hidden(target) == []

import errno
import os
from pathlib import Path

import pytest

from zoo import files
from zoo.errors import DataError
from zoo.files import StorageError, WriteLock, path_part, read_json, to_json, write_atomically
from zoo.report.publish import save


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_file_is_written_and_replaced_whole(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_leaves_the_old_file_and_says_what_is_needed(
    tmp_path, monkeypatch, step, number
):
    path = tmp_path / "a.txt"
    write_atomically(path, b"one")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(
        StorageError, match=r"no room to write .*a\.txt: 2\.0 MB are needed, .* free"
    ):
        write_atomically(path, b"x" * 2_000_000)
    monkeypatch.undo()
    assert path.read_bytes() == b"one"
    assert names(tmp_path) == ["a.txt"]


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.txt", b"x")
    assert names(tmp_path) == []


def test_a_programming_error_is_not_dressed_up(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "a.txt", b"x")


def test_json_goes_there_and_back(tmp_path):
    path = tmp_path / "a.json"
    value = {"number": 0.1 + 0.2, "text": "é<script>", "list": [1, None, True]}
    path.write_bytes(to_json(value))
    assert read_json(path) == value
    with pytest.raises(ValueError):
        to_json({"x": float("nan")})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"\x80\x04\x95", "no JSON"),
        (b"[1, 2]", "holds a list"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
        (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", "nested too deeply"),
        (b'{"a": ' + b"9" * 50_000 + b"}", "a whole number of 50000 digits is too large"),
        (b'{"a": 1e999}', "the number 1e999 is too large"),
        (b'{"a": "\\ud800"}', "no valid Unicode"),
        (b'{"a": "' + b"x" * 2000 + b'"}', "more than the 1000"),
    ],
)
def test_hostile_json_is_refused(tmp_path, content, words):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    limit = 1000 if "1000" in words else 64_000_000
    with pytest.raises(DataError, match=words):
        read_json(path, limit)


def test_json_that_is_no_file(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_json(tmp_path / "a.json")
    with pytest.raises(DataError, match="is a folder, expected a file"):
        read_json(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(DataError, match="is a pipe, expected a file"):
        read_json(tmp_path / "pipe.json")


def test_path_parts_are_harmless_and_differ():
    assert path_part("d2sta-small_1.0") == "d2sta-small_1.0"
    hostile = ["..", ".", "a/b", "a_b/", "<script>alert(1)</script>", "x" * 500, "x" * 501, "", "ä",
               "run.partial", ".hidden", "a\x00b", "con:"]  # fmt: skip
    parts = [path_part(name) for name in hostile]
    assert len(set(parts)) == len(parts)
    for part in parts:
        assert 0 < len(part) < 80
        assert not set(part) & set('/\\<>:"|?*\x00')
        assert not part.startswith(".")
        assert not part.endswith(".partial")


def test_an_error_of_the_clean_up_does_not_hide_the_clear_one(tmp_path, monkeypatch):
    """As on a disk that has become read-only: neither written nor removed."""

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.os, "replace", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageError, match=r"cannot write .*a\.txt: Read-only file system"):
        write_atomically(tmp_path / "a.txt", b"x")


def test_a_lock_that_cannot_be_removed_is_let_go(tmp_path, monkeypatch):
    lock = WriteLock(tmp_path / "a")
    lock.acquire()

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        lock.release()
    assert not lock.held
    again = WriteLock(tmp_path / "a")
    again.acquire()
    again.release()
    assert names(tmp_path) == []


@pytest.mark.parametrize("place", ["file/x.md", "folder", "n" * 300])
def test_a_document_that_cannot_be_saved_is_told(tmp_path, place):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        StorageError, match="cannot write .*: (Not a dir|Is a dir|File name|File ex)"
    ):
        save("text", tmp_path / place)
    assert names(tmp_path) == ["file", "folder"]

"""What is printed: at every width, in every encoding, for every command."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.console import console, make_printable, table
from zoo.cli.main import main

pytestmark = pytest.mark.usefixtures("one_thread")

ENCODINGS = ("ascii", "cp1252", "cp932", "gbk", "utf-8")
QUICK = (1, 2, 3, 4, 6, 7, 14)
"""Those of `commands` that print tables and take little time."""

URL = "https://example.org/a/long/address/of/a/dataset/that/nobody/should/cut.html"


@pytest.fixture
def printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, bytes, bytes]]:
    """Runs the command with streams of an encoding; exit code, output and errors as bytes."""
    monkeypatch.chdir(tmp_path)

    def run(encoding: str, *arguments: object) -> tuple[int, bytes, bytes]:
        out, err = io.BytesIO(), io.BytesIO()
        streams = [io.TextIOWrapper(raw, encoding, newline="") for raw in (out, err)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            code = main([str(word) for word in arguments])
        for stream in streams:
            stream.flush()
        return code, out.getvalue(), err.getvalue()

    return run


@pytest.fixture
def commands(trained: Any, tmp_path: Path) -> list[list[object]]:
    """One call at least of every command."""
    data, runs = ("--data-root", trained.data_root), ("--runs", trained.runs)
    mean, d2sta = trained.run("mean"), trained.run("d2sta")
    seen = trained.unseen()
    return [
        ["--help"],
        ["models"],
        ["models", "d2sta"],
        ["data", "list", *data],
        ["data", "inspect", "kimore", *data],
        ["data", "verify", "kimore", *data],
        ["protocol", "list"],
        ["protocol", "show", "d2sta-paper"],
        ["protocol", "audit", "person-kfold", "--dataset", "kimore", *data],
        ["config", "show", "--model", "mean", "--dataset", "kimore", *data],
        ["train", "--model", "ridge-pose", "--dataset", "kimore", *data, "--runs", "own"],
        ["evaluate", mean.path, *data],
        ["predict", mean.path, seen, *data],
        ["explain", d2sta.path, seen, "--video", "none", "--output", tmp_path / "ex", *data],
        ["leaderboard", *runs],
        ["leaderboard", *runs, "--format", "md"],
        ["leaderboard", "check", *runs],
        ["compare", mean.path, d2sta.path, *runs],
        ["ensemble", mean.path, d2sta.path, "--runs", "own"],
        ["bench", "--models", "mean", "--dataset", "kimore", *data, "--dry-run", "--runs", "own"],
        ["experiment"],
        ["new", "baseline", "my_model", "--dir", tmp_path],
    ]


@pytest.mark.parametrize("encoding", ENCODINGS[:-1])
def test_no_command_ends_at_a_character_that_a_console_lacks(
    commands, printed, encoding, tmp_path
) -> None:
    chosen = commands if encoding == "ascii" else [commands[i] for i in QUICK]
    for arguments in chosen:
        try:
            code, out, err = printed(encoding, *arguments)
        except SystemExit as end:  # the help
            code, out, err = int(end.code or 0), b"", b""
        assert code in (0, 1), (arguments, err)
        text = out.decode("utf-8" if "md" in arguments else encoding)
        assert "Traceback" not in text + err.decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", [["models", "d2sta"], ["protocol", "list"], ["trian"]])
def test_a_process_with_another_encoding(encoding: str, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *arguments],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == (2 if arguments == ["trian"] else 0), done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.decode(encoding) or arguments == ["trian"]


def test_what_an_encoding_lacks_becomes_its_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    make_printable()
    print("−3.1, 0–50 …, Monteriù ± 2, 日, \udcff", flush=True)
    assert raw.getvalue().strip() == b"-3.1, 0-50 ..., Monteriu +- 2, ?, ?"


@pytest.mark.parametrize("width", [60, 80])
def test_every_word_is_whole_at_every_width(
    commands, printed, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for arguments in [commands[i] for i in QUICK] + commands[11:13]:
        code, out, err = printed("utf-8", *arguments)
        assert code == 0, err
        for line in out.decode().splitlines():
            assert line == line.rstrip(), (arguments, line)
            assert not line.endswith("…")
            words = line.split()
            if line.startswith("  "):  # of a table; long paths and commands are the terminal's
                assert len(line) <= width or len(words) <= 2, (arguments, line)


def table_text(width: int | None, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> str:
    if width is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", str(width))
    long = "a title of several words that may well be wrapped"
    shown = table("name", "what it is", "score>", "where", title="a head")
    shown.add_row("first", long, "−1.5", URL)
    shown.add_row("second-with-a-long-name", long, "12.25", "")
    console().print(shown)
    return str(capsys.readouterr().out)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 160, None])
def test_a_table_cuts_no_word(width, monkeypatch, capsys) -> None:
    text = table_text(width, monkeypatch, capsys)
    assert URL in text
    assert "second-with-a-long-name" in text
    assert all(line == line.rstrip() for line in text.split("\n"))
    assert "…" not in text
    if width is not None:
        assert all(len(line) <= width or URL in line for line in text.split("\n"))


def test_a_row_is_a_line_where_there_is_no_terminal(monkeypatch, capsys) -> None:
    rows = [row for row in table_text(None, monkeypatch, capsys).split("\n") if row]
    assert len(rows) == 5  # head, names, rule, two rows
    assert rows[3].split()[0] == "first"
    assert rows[3].endswith(URL)


def test_a_narrow_table_is_a_list(monkeypatch, capsys) -> None:
    text = table_text(60, monkeypatch, capsys)
    assert "\n  first\n    what it is: a title" in text
    assert "\n    score: −1.5\n" in text

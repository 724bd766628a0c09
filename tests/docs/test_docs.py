"""Every command in the documentation runs as printed, and its Python calls what there is."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
INSTALLS = ("python3 -m venv", "pip install", "git clone")
PLUGINS = ROOT / "docs" / "plugins.md"
"""The page whose reader installs a package: its commands run in an environment of their own."""
OWN = ROOT / "docs" / "own-recordings.md"
"""The page whose reader has recordings and fills in a table between two commands."""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced code blocks of one language in a page."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return fence.findall(page.read_text(encoding="utf-8"))


def commands(page: Path) -> list[str]:
    """What stands behind ``$ `` in the console blocks of a page, installs left out."""
    return [c for c in all_commands(page) if not c.startswith(INSTALLS)]


def all_commands(page: Path) -> list[str]:
    """What stands behind ``$ `` in the console blocks of a page."""
    return [
        line[2:]
        for block in blocks(page, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a reader tries things: one for all pages, with a data folder."""
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="session")
def downloads(desk: Path, kimore_tree: Path) -> Path:
    """The folder with the KIMORE tree a reader has downloaded."""
    shutil.copytree(kimore_tree, desk / "KiMoRe")
    return desk


def run(command: str, desk: Path) -> str:
    """Run one command line of the documentation where the reader stands; gives its output."""
    words = [_whole(word, desk) for word in shlex.split(command)]
    program = [sys.executable, "-m", "zoo"] if words[0] == "zoo" else [words[0]]
    assert words[0] in ("zoo", "python"), f"the documentation shows {words[0]}"
    if words[0] == "python":
        program = [sys.executable]
    done = subprocess.run(
        [*program, *words[1:]],
        cwd=desk,
        env={**os.environ, "ZOO_DATA": str(desk / "data"), "COLUMNS": "110"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def _whole(word: str, desk: Path) -> str:
    """A path whose end is left out in print, as it is."""
    if not word.endswith("…"):
        return word
    (found,) = desk.glob(f"{word[:-1]}*")
    return str(found.relative_to(desk))


def test_pages_have_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) >= 10


def test_own_recordings_lead_to_a_board(desk: Path, mediapipe: Any) -> None:
    scores = mediapipe.write_folder(desk / "clinic")
    for name, text in _files(OWN):
        (desk / name).write_text(text, encoding="utf-8")
    begin, *rest = commands(OWN)
    said = run(begin, desk)
    shown = OWN.read_text(encoding="utf-8")
    assert all(line.strip() in shown for line in said.splitlines()), said
    mediapipe.fill_in(desk / "clinic", scores)
    for command in rest:
        run(command, desk)
    assert "ridge-pose" in (desk / "clinic-board.html").read_text(encoding="utf-8")


OTHERS = [page for page in PAGES if page not in (PLUGINS, OWN)]


@pytest.mark.parametrize("page", OTHERS, ids=lambda p: p.name)
def test_commands_run(page: Path, desk: Path, request: pytest.FixtureRequest) -> None:
    todo = commands(page)
    if not todo:
        pytest.skip(f"{page.name} shows no command")
    if any("KiMoRe" in c for c in todo):
        request.getfixturevalue("downloads")
    for name, text in _files(page):
        (desk / name).write_text(text, encoding="utf-8")
    for command in todo:
        run(command, desk)


def _without_numbers(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"(?<!\w)[\d.]+|-[0-9a-f]{8}\b", "#", text))


@pytest.mark.slow
def test_the_readmes_first_training_beats_the_mean_score(tmp_path: Path) -> None:
    first = all_commands(ROOT / "README.md")[0].split(" && ")[-1]
    assert first.startswith("zoo train")
    said = run(first, tmp_path)
    assert "d2sta is better than the mean score" in said
    shown = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("ends like this:\n\n```\n")[2]
    )
    for line in shown.partition("```")[0].splitlines():  # in other numbers on another processor
        assert _without_numbers(line) in _without_numbers(said), line


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_is_whole_and_calls_what_there_is(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")
        for name in re.findall(r"\bzoo\.(\w+)\(", block):
            assert hasattr(zoo, name), f"{page.name} calls zoo.{name}"


def test_plugins_page_leads_from_nothing_to_the_board(fresh_site: Callable[[], Any]) -> None:
    site = fresh_site()
    for name, text in _files(PLUGINS):
        (site.root / name).write_text(text, encoding="utf-8")
    for command in all_commands(PLUGINS):
        site.run(*shlex.split(command))
    (board,) = json.loads(site.zoo("leaderboard", "--format", "json"))["sections"]
    sources = {entry["name"]: entry["source"] for entry in board["ranked"]}
    assert sources["my_model"] == "my_model 0.1.0"
    assert sources["reach"].endswith("reach.py")
    assert {sources[name] for name in ("mean", "median", "knn-bones")} == {"built in"}
    assert board["incomplete"] == []


def _files(page: Path) -> list[tuple[str, str]]:
    """Files a page tells the reader to write: blocks that begin with ``# NAME.py`` or ``.yaml``."""
    named = re.compile(r"# ([\w-]+\.(?:py|yaml))\n")
    found = [(named.match(b), b) for kind in ("python", "yaml") for b in blocks(page, kind)]
    return [(m[1], block) for m, block in found if m]

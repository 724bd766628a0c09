"""The site builds without a warning, and its pages hold what a reader looks for."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import zoo
from registry import MODELS, add_plugin

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built of a copy of docs/; any warning is a failure."""
    for module in ("furo", "myst_parser", "sphinx_copybutton", "sphinx_gallery"):
        pytest.importorskip(module, reason="the docs extra is not installed")
    source = tmp_path_factory.mktemp("site") / "docs"
    made = shutil.ignore_patterns("_build", "models", "api", "gallery")
    shutil.copytree(ROOT / "docs", source, ignore=made)
    pages = source.parent / "html"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, str(source), str(pages)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    return pages


def test_the_front_page_has_a_picture_and_three_ways_in(site: Path) -> None:
    front = (site / "index.html").read_text()
    assert 'src="_images/front.svg"' in front
    assert front.count('class="way docutils container"') == 3
    groups = re.findall(r'<span class="caption-text">(.*?)</span>', front)
    assert groups == ["Tutorials", "Guides", "Reference", "Background"]


def test_every_model_has_a_page(site: Path) -> None:
    for entry in MODELS:
        if entry.owner.startswith("skeleton-zoo "):
            assert (site / "models" / f"{entry.name}.html").is_file()


def test_the_reference_has_every_public_call_with_its_docstring(site: Path) -> None:
    page = (site / "api" / "zoo.html").read_text()
    calls = [n for n, value in vars(zoo).items() if callable(value) and not n.startswith("_")]
    assert len(calls) >= 10
    for name in calls:
        assert f'id="zoo.{name}"' in page
    layers = (site / "api" / "zoo.nn.spatial.html").read_text()
    assert 'id="zoo.nn.spatial.SkeletonConv"' in layers
    assert "MessagePassing" in layers


def test_the_reference_has_every_command(site: Path) -> None:
    page = (site / "api" / "command.html").read_text()
    for words in ("zoo train", "zoo data prepare", "zoo new baseline", "zoo leaderboard check"):
        assert f"Usage: {words} " in page


def test_every_tutorial_ran_and_shows_what_it_printed(site: Path) -> None:
    scripts = sorted((ROOT / "docs" / "tutorials").glob("*.py"))
    assert len(scripts) >= 3
    for script in scripts:
        page = (site / "gallery" / f"{script.stem}.html").read_text()
        assert "sphx-glr-script-out" in page
        assert f"{script.stem}.ipynb" in page


def test_findings_open_the_board(site: Path) -> None:
    assert '<a href="leaderboard/index.html">' in (site / "findings.html").read_text()
    board = (site / "leaderboard" / "index.html").read_bytes()
    assert board == (ROOT / "docs" / "leaderboard" / "index.html").read_bytes()


def test_commands_are_copied_without_their_prompt(site: Path) -> None:
    script = (site / "_static" / "copybutton.js").read_text()
    assert r"formatCopyText(text, '\\$ ', true, true" in script
    assert "copybutton" in (site / "quickstart.html").read_text()


@pytest.fixture
def model_pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[Path]]:
    """The page writer of docs/."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from model_pages import write_pages  # type: ignore[import-not-found]

    return write_pages


def test_model_pages_begin_with_use_and_results(
    tmp_path: Path, model_pages: Callable[[Path], list[Path]]
) -> None:
    model_pages(tmp_path)
    page = (tmp_path / "d2sta.md").read_text()
    assert "`orientation` (N, T, 25, 4) → **d2sta** (2,005,575 parameters) → score (N,)" in page
    assert re.findall("^## (.*)", page, re.MULTILINE) == [
        "Train it",
        "Results",
        "Source",
        "Where it departs from its source",
        "What its source leaves open, and our choice",
        "Settings",
        "Published numbers",
    ]
    (row,) = re.findall(r"\| person-kfold-refit \| d2sta-small \| (.*?) of .*? \| (.*?) ", page)
    assert row in _board_rows("d2sta-small")
    assert "10.3390/s26010287" in page
    assert "`model.groups`" in page


def _board_rows(model: str) -> list[tuple[str, str]]:
    """Rank and MAD of a model in the Markdown that the board itself writes."""
    text = (ROOT / "docs" / "leaderboard" / "leaderboard.md").read_text()
    found = re.findall(rf"^\| (\d+)[^|]*\| {model} \| (\d+\.\d+)", text, re.MULTILINE)
    assert found
    return found


def test_model_pages_leave_out_plugins_whatever_they_are(
    tmp_path: Path, model_pages: Callable[[Path], list[Path]]
) -> None:
    (tmp_path / "stranger.py").write_text(
        "from registry import register_model\n@register_model('stranger')\nclass Net: ...\n"
    )
    (tmp_path / "stranger.yaml").write_text("card: [broken]\n")
    (name,) = add_plugin(tmp_path / "stranger.py")
    try:
        pages = model_pages(tmp_path / "pages")
    finally:
        MODELS.forget(name)
    assert "stranger" not in {page.stem for page in pages}
    assert "stranger" not in (tmp_path / "pages" / "index.md").read_text()


def test_papers_agree_with_the_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == zoo.__version__
    assert f"version = {{{zoo.__version__}}}" in (ROOT / "docs" / "citing.md").read_text()
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
    assert workflow["jobs"]["tests"]["steps"][-1]["run"] == ".ci/run"
    for form in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        yaml.safe_load(form.read_text())

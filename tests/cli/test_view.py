"""`zoo view` writes a page and tells what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from zoo.cli.main import main


def test_it_writes_a_page(trained: Any, tmp_path: Path, capsys: Any) -> None:
    page = tmp_path / "page.html"
    words = ["view", trained.run("d2sta").path, trained.unseen("d2sta"), "-o", page]
    words = [str(word) for word in [*words, "--data-root", trained.data_root]]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert f"written: {page} (" in out
    text = page.read_text(encoding="utf-8")
    assert "This page shows people&#39;s movements: do not publish it." in text
    assert "healthy ones do this exercise; fewer than 10 are not shown" in text
    assert main(words) == 2
    assert "is there already" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


def test_files_with_settings(trained: Any, tmp_path: Path, capsys: Any) -> None:
    positions, _ = trained.files(trained.unseen())
    words = ["view", trained.run("mean").path, positions, "-o", tmp_path / "page.html"]
    assert main([str(word) for word in [*words, "--data-root", trained.data_root]]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "no such file or folder"),
        (["--method", "gradient"], "gradients"),
        (["--beside", "nobody"], "no such file or folder"),
    ],
)
def test_bad_input_is_told(
    words: list[str], said: str, trained: Any, tmp_path: Path, capsys: Any
) -> None:
    page = tmp_path / "page.html"
    start = ["view", trained.run("d2sta").path, trained.unseen("d2sta")]
    known = [*start, *words, "-o", page, "--data-root", trained.data_root]
    assert main([str(word) for word in known]) == 2
    assert said in capsys.readouterr().err
    assert not page.exists()

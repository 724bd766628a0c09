"""Names completed by the shell, without torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("argcomplete", reason="completion needs argcomplete")


def completed(line: str, tmp_path: Path) -> list[str]:
    """What the shell would offer; importing torch fails."""
    code = (
        "import sys\nsys.modules['torch'] = None\nsys.argv = ['zoo']\n"
        "from zoo.cli.main import main\nmain()"
    )
    answer = tmp_path / "answer"
    subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "_ARGCOMPLETE_IFS": "\n",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
        },
        check=True,
        capture_output=True,
    )
    return [word.strip() for word in answer.read_text().split("\n")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("zoo tr", ["train"]),
        ("zoo train --model d2sta-s", ["d2sta-small"]),
        ("zoo bench --models mean d2sta-p", ["d2sta-plus", "d2sta-plus-small"]),
        ("zoo train --dataset kim", ["kimore", "kimore-camera", "kimore-camera-exact"]),
        ("zoo data prepare irds-", ["irds-simplified"]),
        ("zoo models stgcn-r", ["stgcn-rehab", "stgcn-rehab-small"]),
        (
            "zoo protocol show person-k",
            ["person-kfold", "person-kfold-fewer", "person-kfold-refit"],
        ),
        ("zoo experiment d2sta-kim", ["d2sta-kimore"]),
        ("zoo leaderboard --format h", ["html"]),
    ],
)
def test_names_and_options(line: str, words: list[str], tmp_path: Path) -> None:
    assert completed(line, tmp_path) == words


def test_a_plug_ins_models_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from registry import register_model\n@register_model('quite-new')\nclass M: ...\n"
    )
    assert completed(f"zoo train --plugin {file} --model quit", tmp_path) == ["quite-new"]


def test_prepared_datasets_of_ones_own_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for root, name in (("here", "kitchen"), ("there", "kitchenette")):
        (tmp_path / root / name).mkdir(parents=True)
        (tmp_path / root / name / "manifest.json").touch()
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "here"))
    assert completed("zoo train --dataset kit", tmp_path) == ["kitchen"]
    assert completed("zoo data inspect kit", tmp_path) == ["kitchen"]
    line = f"zoo train --model mean --data-root {tmp_path / 'there'} --dataset kit"
    assert completed(line, tmp_path) == ["kitchenette"]

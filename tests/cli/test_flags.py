"""Errors speak of arguments to Python and of options on the command line."""

import ast
from pathlib import Path

import pytest

from zoo.cli.flags import in_flags

ROOT = Path(__file__).resolve().parents[2]
PRINTED = ("cli", "templates", "report", "notes.py", "completing.py", "app")
"""What only the command line prints, commands that a board or an app's folder shows, and npm's."""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("add resume=True to go on, or overwrite=True.", "add --resume to go on, or --overwrite."),
        ("a folder with data_root= or $ZOO_DATA", "a folder with --data-root or $ZOO_DATA"),
        ("Choose: dataset='kimore' protocol='x y'", "Choose: --dataset kimore --protocol x y"),
        ("name another with output=", "name another with --output"),
        ("name one with recording= (a, b)", "name one with --recording (a, b)"),
        ('with registry.add_plugin("FILE.py"), or', "with --plugin FILE.py, or"),
        ('zoo.prepare_dataset("kimore", "DIR"), or', "`zoo data prepare kimore --source DIR`, or"),
        ("set protocol.split.dataset=kimore", "set protocol.split.dataset=kimore"),
        ("trainer.epochs=50 model.groups=4", "trainer.epochs=50 model.groups=4"),
    ],
)  # fmt: skip
def test_arguments_become_options(said: str, shown: str) -> None:
    assert in_flags(said) == shown


def test_no_error_below_the_command_line_names_an_option() -> None:
    found = []
    for file in [*(ROOT / "zoo").rglob("*.py"), *(ROOT / "registry").rglob("*.py")]:
        if set(file.relative_to(ROOT).parts) & set(PRINTED):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        prose = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.replace("`", " ").split()
                if id(node) not in prose and any(w[:2] == "--" and w[2:3].isalpha() for w in words):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {node.value!r}")
    assert found == []

"""Writes the reference of the `zoo` command: what every part of it prints for ``--help``."""

import argparse
import os
from pathlib import Path
from unittest.mock import patch

from rich.text import Text

from zoo.cli.main import build_parser

WIDTH = "88"


def write_command_page(file: Path) -> None:
    """Write the page, unless it is there with the same text.

    Args:
        file: in a folder that is made if it is not there.
    """
    with patch.dict(os.environ, {"COLUMNS": WIDTH, "NO_COLOR": "1"}):
        parts = [
            "# The `zoo` command",
            "What `--help` prints. Settings follow as `key=value` wherever runs are made;\n"
            "`zoo config show` prints them all.",
            *_sections(build_parser(), 1),
        ]
    text = "\n\n".join(parts) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def _sections(parser: argparse.ArgumentParser, depth: int) -> list[str]:
    """The help of a parser and of those below it, a heading each."""
    heading = [f"{'#' * depth} {parser.prog}"] if depth > 1 else []
    help_text = Text.from_ansi(parser.format_help()).plain.strip()
    found = [*heading, f"```text\n{help_text}\n```"]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in dict.fromkeys(action.choices.values()):
                found += _sections(below, depth + 1)
    return found

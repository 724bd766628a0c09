"""The board as files: one document, or the folder that is published."""

import json
from pathlib import Path

from zoo.board.board import Board
from zoo.build import to_plain
from zoo.errors import ConfigError
from zoo.files import storage_error, write_atomically
from zoo.runs.find import no_collection

FORMATS = ("md", "csv", "html", "json")
"""Endings of what a board can be written as."""

_FILES = {"md": "leaderboard.md", "csv": "leaderboard.csv", "html": "index.html"}


@no_collection()
def document(board: Board, kind: str) -> str:
    """The board as Markdown, CSV, HTML or JSON.

    Args:
        board: the leaderboard.
        kind: of `FORMATS`.

    Raises:
        ConfigError: another `kind`.
    """
    if kind == "md":
        from zoo.report.markdown import render
    elif kind == "csv":
        from zoo.report.csv import render
    elif kind == "html":
        from zoo.report.page import render
    elif kind == "json":
        return json.dumps(to_plain(board), indent=1, allow_nan=False) + "\n"
    else:
        raise ConfigError(f"a board cannot be written as {kind!r}, only as {', '.join(FORMATS)}")
    return render(board)


def publish(board: Board, folder: Path) -> list[Path]:
    """Write ``index.html``, ``leaderboard.md``, ``leaderboard.csv`` and the figures.

    Args:
        board: without any person's data: made with ``public=True``.
        folder: made if it is not there.

    Raises:
        ConfigError: the board is not public.
        StorageError: something cannot be written.
    """
    from zoo.report.figures import write

    if not board.public:
        raise ConfigError("only a public board is published: make it with public=True")
    written = []
    for kind, name in _FILES.items():
        written.append(save(document(board, kind), folder / name))
    return [*written, *write(board, folder)]


def save(content: str, file: Path) -> Path:
    """Write one document; its folder is made if it is not there.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(file.parent, len(content), error) from error
    write_atomically(file, content.encode("utf-8", "replace"))
    return file

"""The one door to the terminal: consoles, tables, messages, and what a terminal cannot show.

All that is printed here is plain text, no markup.
"""

import codecs
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zoo.build import to_plain
from zoo.cli.flags import in_flags

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.cli.table import Table

UNBOUNDED = 100_000
"""Columns of what is no terminal and has no width set: nothing is wrapped there."""

_ASCII = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‑": "-", "─": "-", "━": "-", "│": "|", "…": "...",
        "“": '"', "”": '"', "‘": "'", "’": "'", "×": "x", "·": ".", "•": "*", "█": "#",
        "→": "->", "≤": "<=", "≥": ">=", "±": "+-", "≈": "~", "ß": "ss", "ø": "o", "Ø": "O",
        "ł": "l", "Ł": "L", "đ": "d", "æ": "ae", "œ": "oe", "\u00a0": " ", "\ufffd": "?",
    }
)  # fmt: skip
_HANDLER = "zoo-nearest"
_LAST_BLANKS = re.compile(r" +(?=\n)")


def make_printable() -> None:
    """Make standard output and error take every character.

    What their encoding lacks (cp1252, cp932, gbk and ascii lack the minus sign or the dash) is
    written as the nearest ASCII, and what has none as a question mark. Python alone would stop with
    a traceback in the middle of a table.
    """
    codecs.register_error(_HANDLER, _nearest)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_ASCII)
    plain = unicodedata.normalize("NFKD", text)
    kept = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if c.isascii() else "?" for c in kept), error.end


def console(stderr: bool = False) -> "Console":
    """A console on standard output (or error).

    It is as wide as the terminal, or as ``COLUMNS`` says; where there is neither, a line is as long
    as what it says, so that each row of a table is a line.
    """
    from zoo.cli.table import WholeWords

    stream: Any = sys.stderr if stderr else sys.stdout
    if not stream.isatty():
        stream = _Trimmed(stream)
    out = WholeWords(file=stream, highlight=False, markup=False, emoji=False)
    if not out.is_terminal and not os.environ.get("COLUMNS", "").isdecimal():
        out.width = UNBOUNDED
    return out


class _Trimmed:
    """A stream without blanks at the ends of lines."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text`, and say how long it was."""
        self._stream.write(_LAST_BLANKS.sub("", text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def details(rows: Iterable[tuple[str, str]]) -> "Table":
    """Labels and what is said of them; those of which nothing is said are left out."""
    return table("", "", rows=[row for row in rows if row[1]], show_header=False)


def complain(message: str, word: str = "error") -> None:
    """One message on standard error, the word before it in red where that is a terminal."""
    from rich.text import Text

    text = Text.assemble((f"{word}: ", "bold red"), in_flags(message))
    console(stderr=True).print(text, soft_wrap=True)


def begin(message: str) -> None:
    """Say at once, on standard error, what takes a while from here on."""
    print(f"{message} …", file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """A value as JSON on standard output; what is no finite number is null."""
    print(json.dumps(to_plain(value), indent=2, allow_nan=False))


def print_document(text: str) -> None:
    """A whole document on standard output: UTF-8, as in its files, unless a terminal shows it."""
    raw = None if sys.stdout.isatty() else getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        raw.write(text.encode("utf-8"))
        raw.flush()


def table(
    *columns: str,
    rows: Iterable[Iterable[str]] = (),
    show_header: bool = True,
    title: str | None = None,
) -> "Table":
    """A plain table; columns are left-aligned unless their name ends in ``>``."""
    from zoo.cli.table import Table

    made = Table(show_header=show_header, title=title)
    for name in columns:
        made.add_column(
            name.removesuffix(">"),
            justify="right" if name.endswith(">") else "left",
            vertical="top",
        )
    for row in rows:
        made.add_row(*row)
    return made

"""The console and the look of its tables. All that is printed there is plain text, no markup."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zoo.build import to_plain
from zoo.cli.flags import in_flags

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console(stderr: bool = False) -> "Console":
    """A console on standard output (or error); wide enough for tables when there is no terminal."""
    from rich.console import Console

    out = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not out.is_terminal:
        out.width = 120
    return out


def details(rows: Iterable[tuple[str, str]]) -> "Table":
    """Labels and what is said of them; those of which nothing is said are left out."""
    return table("", "", rows=[row for row in rows if row[1]], show_header=False)


def complain(message: str, word: str = "error") -> None:
    """One message on standard error, the word before it in red where that is a terminal."""
    from rich.text import Text

    text = Text.assemble((f"{word}: ", "bold red"), in_flags(message))
    console(stderr=True).print(text, soft_wrap=True)


def print_json(value: Any) -> None:
    """A value as JSON on standard output; what is no finite number is null."""
    print(json.dumps(to_plain(value), indent=2, allow_nan=False))


def table(
    *columns: str,
    rows: Iterable[Iterable[str]] = (),
    show_header: bool = True,
    title: str | None = None,
) -> "Table":
    """A plain table; columns are left-aligned unless their name ends in ``>``."""
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD,
        show_header=show_header,
        title=title,
        title_style="",
        title_justify="left",
    )
    for name in columns:
        justify: Any = "right" if name.endswith(">") else "left"
        made.add_column(name.removesuffix(">"), justify=justify)
    for row in rows:
        made.add_row(*row)
    return made

"""The console and the look of its tables. Cells, headers and titles are plain text, no markup."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console(stderr: bool = False) -> "Console":
    """A console on standard output (or error); wide enough for tables when there is no terminal."""
    from rich.console import Console

    out = Console(stderr=stderr, highlight=False)
    return out if out.is_terminal else Console(stderr=stderr, highlight=False, width=120)


def complain(message: str, word: str = "error") -> None:
    """One message on standard error, the word before it in red where that is a terminal."""
    if sys.stderr.isatty():
        from rich.text import Text

        console(stderr=True).print(Text(f"{word}: ", style="bold red") + Text(message))
    else:
        print(f"{word}: {message}", file=sys.stderr)


def table(*columns: str, show_header: bool = True, title: str | None = None) -> "Table":
    """A plain table; columns are left-aligned unless their name ends in ``>``."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    class PlainTable(Table):
        def add_row(self, *cells: Any, **options: Any) -> None:
            super().add_row(*(Text(c) if isinstance(c, str) else c for c in cells), **options)

    made = PlainTable(
        box=box.SIMPLE_HEAD,
        show_header=show_header,
        title=Text(title) if title else None,
        title_justify="left",
    )
    for name in columns:
        justify: Any = "right" if name.endswith(">") else "left"
        made.add_column(Text(name.removesuffix(">")), justify=justify)
    return made

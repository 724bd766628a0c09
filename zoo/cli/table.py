"""A console and a table that cut no word: columns share the width, or rows become lists."""

import textwrap
from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from zoo.words import NOTHING

# A box that rich would replace where the encoding is not UTF-8; the door of `console` sees to it.
_BOX = Box(str(SIMPLE_HEAD), ascii=True)


class WholeWords(Console):
    """A console that lets a word stand out rather than cut it."""

    def print(self, *objects: Any, **how: Any) -> None:
        """As rich's, but nothing is cropped at the right."""
        super().print(*objects, **{"crop": False, **how})


class Table(RichTable):
    """Rows of text.

    A column is never narrower than its longest word, so that names, paths and addresses stay whole;
    what is left goes to the columns that could use it. Where that does not fit, each row is a list
    under its first cell.

    Args:
        show_header: whether the columns' names stand above.
        title: a line above it all.
    """

    def __init__(self, *, show_header: bool, title: str | None) -> None:
        super().__init__(box=_BOX, show_header=show_header)
        self.heading = title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines of the table."""
        if self.heading:
            yield Text(self.heading)
        widths = self._widths(console, options)
        if widths is None:
            yield from self._lists(options.max_width)
            return
        for column, width in zip(self.columns, widths, strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def _widths(self, console: Console, options: ConsoleOptions) -> list[int] | None:
        """How wide each column is; None where not every word has room."""
        least, most = [], []
        for column in self.columns:
            cells = [str(cell) for cell in column.cells]
            if self.show_header:
                cells.append(str(column.header))
            sizes = [Text(cell).__rich_measure__(console, options) for cell in cells if cell]
            least.append(max((size.minimum for size in sizes), default=0))
            most.append(max((size.maximum for size in sizes), default=0))
        room = options.max_width - self._extra_width - 2 * len(self.columns)
        left = room - sum(least)
        if left < 0:
            return None
        widths = list(least)
        while left > 0 and widths != most:
            # The narrowest of those that could use more grow first, so that short ones are whole.
            growing = [i for i, width in enumerate(widths) if width < most[i]]
            first = min(growing, key=lambda i: widths[i])
            widths[first] += 1
            left -= 1
        return widths

    def _lists(self, width: int) -> Iterator[Text | Segment]:
        """Every row as a list."""
        heads = [str(column.header) if self.show_header else "" for column in self.columns]
        cells = [list(column.cells) for column in self.columns]
        for at, row in enumerate(self.rows):
            style = row.style or ""
            values = [str(column[at]) for column in cells]
            said = [(h, v) for h, v in zip(heads, values, strict=True) if v not in ("", NOTHING)]
            yield Segment.line()
            for i, (head, value) in enumerate(said):
                text = f"{head}: {value}" if head and i else value
                lines = "\n".join(_indented(text, 2 if i == 0 else 4, width))
                yield Text(lines, style=style, no_wrap=True, overflow="ignore")
        yield Segment.line()


def _indented(text: str, by: int, width: int) -> list[str]:
    """The lines of `text`, its words whole."""
    wrapped: list[str] = []
    for line in text.splitlines():
        wrapped += textwrap.wrap(
            line,
            max(width, by + 1),
            initial_indent=" " * by,
            subsequent_indent=" " * (by + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return wrapped

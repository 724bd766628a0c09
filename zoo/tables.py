"""Tables for notebooks: a DataFrame, and in short what an object is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from zoo.errors import ConfigError

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_ROWS = 30


def dataframe(columns: Mapping[str, Sequence[Any]]) -> "DataFrame":
    """A ``pandas.DataFrame`` of columns by name.

    Raises:
        ConfigError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ConfigError(
            f"a DataFrame needs pandas, which cannot be imported ({error}): pip install pandas"
        ) from None
    return pd.DataFrame(dict(columns))


def of_rows(rows: Sequence[Mapping[str, Any]]) -> "DataFrame":
    """A ``pandas.DataFrame`` of rows; a column for every key, in the order of their appearance."""
    names = dict.fromkeys(name for row in rows for name in row)
    return dataframe({name: [row.get(name) for row in rows] for name in names})


@dataclass(frozen=True)
class SmallTable:
    """A small table; everything is text.

    Attributes:
        title: above it.
        columns: heads.
        rows: cells; those beyond `MOST_ROWS` are counted and left out.
        notes: lines below it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    @property
    def below(self) -> list[str]:
        """The notes, and how many rows are left out."""
        left_out = len(self.rows) - MOST_ROWS
        return [*self.notes, *([f"and {left_out} more"] if left_out > 0 else [])]

    def text(self) -> str:
        """As a terminal shows it: the first column to the left, the others to the right."""
        lines = [self.columns, *self.rows[:MOST_ROWS]]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        shown = [
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *(f"  {line}" for line in shown), *self.below])

    def html(self) -> str:
        """As a notebook shows it; everything is escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows[:MOST_ROWS]
        )
        below = "".join(f"<p>{escape(line)}</p>" for line in self.below)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<div><p><b>{escape(self.title)}</b></p>{table}{below}</div>"


class Shown:
    """What shows itself as tables, in a notebook and in a terminal."""

    def tables(self) -> Iterable[SmallTable]:
        """What it is, in short."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return "".join(table.html() for table in self.tables())

    def __repr__(self) -> str:
        return "\n\n".join(table.text() for table in self.tables())

"""Tables for notebooks: a DataFrame, and a short HTML of what an object is."""

from collections.abc import Iterable, Mapping, Sequence
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


def html(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Iterable[str] = ()
) -> str:
    """A small table as a notebook shows it; everything is text, and escaped.

    Args:
        title: above it.
        columns: heads.
        rows: cells as text; those beyond `MOST_ROWS` are counted and left out.
        notes: lines below it.
    """
    left_out = len(rows) - MOST_ROWS
    lines = [*notes, *([f"and {left_out} more"] if left_out > 0 else [])]
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    below = "".join(f"<p>{escape(line)}</p>" for line in lines)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div><p><b>{escape(title)}</b></p>{table}{below}</div>"

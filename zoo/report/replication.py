"""A paper's numbers beside ours, as Markdown and as rows for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from zoo.report.markdown import table, text
from zoo.words import (
    METRIC_TITLES,
    NOTHING,
    fixed,
    interval,
    metric_digits,
    plain,
    with_interval,
)

UNKNOWN = "unknown"


class Rows(NamedTuple):
    """A table of cells or changes in words.

    Attributes:
        columns: their titles.
        rows: one text a column.
        notes: what the numbers in brackets behind verdicts stand for, from 1 on.
    """

    columns: list[str]
    rows: list[list[str]]
    notes: list[str]


def render(found: Mapping[str, Any]) -> str:
    """The whole replication as a Markdown document.

    Args:
        found: as `zoo.replication.compare.Replication.to_dict` gives it.
    """
    return "\n".join(_document(plain(found))) + "\n"


def cells(part: Mapping[str, Any], found: Mapping[str, Any], readings: Sequence[str]) -> Rows:
    """The cells of one of the paper's tables, ours in each of `readings`."""
    notes: list[str] = []
    digits = metric_digits(found["score_range"])
    rows = [
        [
            cell["row"],
            cell["exercise"],
            METRIC_TITLES[cell["metric"]],
            UNKNOWN if cell["published"] is None else f"{cell['published']:g}",
            *(_in_reading(cell, reading, digits) for reading in readings),
            _verdict(cell, notes),
            *([_value(cell["beside"], digits[cell["metric"]])] if found["beside"] else []),
        ]
        for cell in part["cells"]
    ]
    columns = ["row", "exercise", "metric", "published", *(f"ours, {r}" for r in readings)]
    columns += ["verdict", *([found["beside"]] if found["beside"] else [])]
    return Rows(columns, rows, notes)


def changes(part: Mapping[str, Any], readings: Sequence[str]) -> Rows:
    """The changes between rows of one of the paper's tables, ours in each of `readings`."""
    notes: list[str] = []
    rows = [
        [
            f"{change['row']} instead of {change['to']}",
            METRIC_TITLES[change["metric"]],
            ", ".join(f"{v:+g} % ({where})" for where, v in change["percent"].items()),
            *(_percent(change, reading) for reading in readings),
            _verdict(change, notes, change["source"]),
        ]
        for change in part["changes"]
    ]
    columns = ["change", "metric", "published", *(f"ours, {r}" for r in readings), "verdict"]
    return Rows(columns, rows, notes)


def counts(found: Mapping[str, Any]) -> str:
    """``3 reproduced, 12 worse, 4 unknown``."""
    return ", ".join(f"{count} {verdict}" for verdict, count in found["counts"].items())


def origins(part: Mapping[str, Any]) -> list[str]:
    """Which runs stand for each row, a sentence each."""
    return [
        f"{origin['row']}, {origin['protocol']}: {origin['entry']}, "
        f"{'seed' if len(origin['seeds']) == 1 else 'seeds'} "
        f"{', '.join(map(str, origin['seeds']))}, exercises {', '.join(origin['exercises'])}"
        for origin in part["origins"]
        if origin["exercises"]
    ]


def _document(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {text(found['title'])}, published and ours"
    yield ""
    yield f"{text(found['summary'])} {text(found['rule'])}"
    yield ""
    yield f"**{text(counts(found)) or 'Nothing to compare'}.**"
    yield ""
    if len(found["readings"]) > 1:
        yield f"Ours is read in {len(found['readings'])} units, because {text(found['ambiguity'])}:"
        yield ""
        yield from (f"- {text(name)}: {text(what)}" for name, what in found["readings"].items())
        yield ""
        yield "A verdict holds in all of them, or there is none."
        yield ""
    for part in found["tables"]:
        yield f"## {text(part['title'])}"
        yield ""
        readings = list(found["readings"])
        for shown in (cells(part, found, readings), changes(part, readings)):
            if shown.rows:
                yield from table(
                    tuple(map(text, shown.columns)),
                    (tuple(map(text, row)) for row in shown.rows),
                )
                yield ""
                yield from (f"{i}. {text(note)}" for i, note in enumerate(shown.notes, 1))
                yield from [""] if shown.notes else []
        made = origins(part)
        yield from (f"- {text(line)}" for line in made or [f"No run of {part['study']} is there."])
        yield ""
    if found["missing"]:
        yield "## Not compared"
        yield ""
        yield from (f"- {text(what)}: {text(why)}" for what, why in found["missing"].items())
        yield ""
    yield from (f"- {text(note)}" for note in found["notes"])


def _in_reading(cell: Mapping[str, Any], reading: str, digits: Mapping[str, int]) -> str:
    read = next((read for read in cell["ours"] if read["reading"] == reading), None)
    near_one = reading == "standardised"
    return _value(read, 3 if near_one else digits[cell["metric"]])


def _value(value: Mapping[str, Any] | None, digits: int) -> str:
    if value is None:
        return NOTHING
    return with_interval(value["value"], value["low"], value["high"], digits)


def _percent(change: Mapping[str, Any], reading: str) -> str:
    found = {read["reading"]: read for read in change["ours"]}
    if reading not in found or found[reading]["value"] is None:
        return NOTHING
    read = found[reading]
    between = interval(read["low"], read["high"], 0)
    return f"{fixed(read['value'], 0, sign=True)} %" + (f" ({between})" if between else "")


def _verdict(item: Mapping[str, Any], notes: list[str], source: str = "") -> str:
    """The verdict, with the number of its note where it has reasons."""
    reasons: Sequence[str] = [*item["reasons"], *([source] if source else [])]
    if not reasons:
        return str(item["verdict"])
    said = "; ".join(reasons)
    if said not in notes:
        notes.append(said)
    return f"{item['verdict']} [{notes.index(said) + 1}]"

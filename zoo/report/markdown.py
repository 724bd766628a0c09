"""The board as Markdown. Names come from plug-ins and files: they are shown, never interpreted."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from zoo.board.board import Board, BoardMetric, Pair, Section
from zoo.board.published import MEAN, PublishedResult
from zoo.report.table import Column, MetricColumn, RankedRow, columns, metric_columns, ranked
from zoo.words import NOTHING, fixed, plain

_MARKUP = re.compile(r"[\\`*_{}\[\]|~#$]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_LINKS = {"://": "&#58;//", "www.": "www&#46;"}
_DOI = re.compile(r"10\.\d{4,9}/[-._;/:A-Za-z0-9]+")


def render(board: Board) -> str:
    """The board as a Markdown document."""
    board = plain(board)
    lines = ["# Leaderboard", ""]
    lines += [
        "Models are ranked by their mean absolute deviation (MAD) from the clinical score, and by "
        "the area under the ROC curve (AUC) where the target is right or wrong. In "
        "brackets are 95 % intervals by bootstrap over persons. **=** marks models that are no "
        "worse than the first beyond noise (paired permutation test over persons, Holm-corrected; "
        "for the AUC the interval of the difference): "
        "their order says nothing.",
        "",
    ]
    for section in board.sections:
        lines += [*_section(section), ""]
    for pair in board.pairs:
        lines += [*_pair(pair), ""]
    if board.unreadable:
        lines += ["## Run folders that could not be read", ""]
        lines += [f"- {text(b.path)}: {text(b.reason)}" for b in board.unreadable]
        lines.append("")
    made = f"Made {text(board.generated)} by skeleton-zoo {text(board.zoo_version)}"
    lines.append(made + (", without any person's data." if board.public else "."))
    return "\n".join(lines) + "\n"


def text(value: Any) -> str:
    """Any text so that Markdown shows it as it is, on one line."""
    shown = " ".join(str(value).split())
    shown = _MARKUP.sub(lambda found: f"\\{found[0]}", shown)
    shown = "".join(_ENTITIES.get(c, c) for c in shown)
    for link, harmless in _LINKS.items():
        shown = re.sub(re.escape(link), harmless, shown, flags=re.IGNORECASE)
    return shown


def _section(section: Section) -> Iterator[str]:
    protocol = section.protocol
    leaks = " (leaky)" if protocol.leaky else ""
    yield f"## {text(section.dataset_title)}, {text(protocol.heading)}{leaks}"
    yield ""
    if section.meaning:
        yield f"> **What these numbers mean.** {text(section.meaning)}"
        yield ""
    exercises = ", ".join(f"{text(e.id)} {text(e.title)}".strip() for e in section.exercises)
    unit = ""
    if section.score_range is not None:
        unit = " Scores run from {:g} to {:g}.".format(*section.score_range)
    yield (
        f"{text(protocol.summary)} {section.persons} people; exercises: {exercises}.{unit} "
        f"Data {section.fingerprint[:12]}, protocol {protocol.hash[:12]}."
    )
    yield ""
    if section.ranked:
        rows, metrics = ranked(section), list(metric_columns(section))
        hidden = [column for column in metrics if column.exercise != MEAN]
        shown = [column for column in columns(section) if column not in hidden]
        yield from table(
            [text(", ".join(filter(None, (column.title, column.unit)))) for column in shown],
            ([_cell(row, column) for column in shown] for row in rows),
        )
        yield ""
        for metric in section.metrics if len(section.exercises) > 1 else ():
            yield f"### {text(metric.title)} by exercise"
            yield ""
            yield from _by_exercise([column for column in metrics if column.metric == metric], rows)
            yield ""
    else:
        yield "Nothing is complete yet, so nothing is ranked."
        yield ""
    if section.incomplete:
        yield "### Provisional, not ranked: runs are missing"
        yield ""
        yield from _provisional(section)
        yield ""
        for apart in section.incomplete:
            missing = "; ".join(map(text, apart.missing))
            yield (
                f"- {text(apart.name)}: {apart.have} of {apart.expected} runs, "
                f"{text(apart.reason)}{f' ({missing})' if missing else ''}"
            )
        yield ""
        for command in section.completing:
            yield f"- complete it: {text(command)}"
        if section.completing:
            yield ""
    if section.published:
        yield "### Published, not ranked: other data, other code, each under its own protocol"
        yield ""
        yield from _published(section)
        yield ""
    for note in section.notes:
        yield f"- {text(note)}"


def _provisional(section: Section) -> Iterator[str]:
    """What is there of the incomplete entries, beside the mean score on the same people."""
    first = section.metrics[0]
    titles = [text(metric.title) for metric in section.metrics]
    yield from table(
        ["model", *titles, f"mean score's {text(first.title)}", "people", "tested on"],
        (
            [
                text(apart.name),
                *(fixed(apart.metrics.get(m.name), m.digits) for m in section.metrics),
                fixed(apart.mean_score, first.digits),
                str(apart.persons),
                text(apart.tested_on),
            ]
            for apart in section.incomplete
        ),
    )


def _cell(row: RankedRow, column: Column) -> str:
    if column.key == "model":
        return text(row.entry.name)
    cell = row.cells[column.key]
    if column.key == "rank":
        tied = " =" if row.mark == "tied" else ""
        return f"{cell.text}{tied} ({cell.small})"
    return cell.whole if column.measured else text(cell.text)


def _by_exercise(shown: Sequence[MetricColumn], rows: Sequence[RankedRow]) -> Iterator[str]:
    shown = [*shown[1:], shown[0]]  # the mean comes last
    yield from table(
        ["model", *(text(column.exercise) for column in shown)],
        ([text(row.entry.name), *(_cell(row, column) for column in shown)] for row in rows),
    )


def _published(section: Section) -> Iterator[str]:
    def number(result: PublishedResult, metric: BoardMetric) -> str:
        places = result.metrics
        one = next(iter(places)) if len(places) == 1 else MEAN
        value = places.get(one, {}).get(metric.name)
        if value is None:
            return NOTHING
        return f"{value:g}" if one == MEAN else f"{value:g} ({text(one)})"

    titles = [text(metric.title) for metric in section.metrics]
    yield from table(
        ["model", *titles, "unit", "leaks", "protocol", "paper", "source"],
        (
            [
                text(result.name),
                *(number(result, metric) for metric in section.metrics),
                text(result.unit),
                f"yes: {text(result.leak_reason)}" if result.leaky else "no",
                text(result.protocol),
                f"{text(result.paper)}{_doi(result.doi)}",
                text("; ".join(filter(None, (result.source, result.note)))),
            ]
            for result in section.published
        ),
    )


def _pair(pair: Pair) -> Iterator[str]:
    honest, leaky = text(pair.honest), text(pair.leaky)
    yield f"## {text(pair.dataset)}: from {leaky} to {honest}"
    yield ""
    yield from table(
        ["model", f"MAD, {honest}", f"MAD, {leaky} (leaky)", "rank", "leaky rank"],
        (
            [
                text(model.name),
                fixed(model.honest_mad, pair.digits),
                fixed(model.leaky_mad, pair.digits),
                str(model.honest_rank),
                str(model.leaky_rank),
            ]
            for model in pair.models
        ),
    )


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows of cells that are Markdown already; an empty cell is a dash.

    Columns whose title ends in ``>`` are aligned to the right.
    """
    rules = ["---:" if title.endswith(">") else "---" for title in titles]
    for cells in ([title.removesuffix(">") for title in titles], rules, *rows):
        yield f"| {' | '.join(cell or NOTHING for cell in cells)} |"


def _doi(doi: str) -> str:
    return f" [doi](https://doi.org/{doi})" if _DOI.fullmatch(doi) else ""

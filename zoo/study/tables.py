"""A study's results as tables: for the terminal, as Markdown, and as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from zoo.report.markdown import text
from zoo.study.definition import Study
from zoo.study.results import MEAN, METRICS, ProtocolResult, RowResult, Unfinished
from zoo.words import METRIC_TITLES, NOTHING, count, fixed, interval, with_interval


def heading(result: ProtocolResult) -> str:
    """Data, protocol, people and seeds in one line."""
    which = "exercise" if len(result.exercises) == 1 else "exercises"
    seeds = ", ".join(map(str, result.seeds))
    said = f"{result.title}, {which} {', '.join(result.exercises)}, {result.protocol}"
    if result.rows:
        said += (
            f": {result.persons} people, {'seed' if len(result.seeds) == 1 else 'seeds'} {seeds}"
        )
    return said


def columns(study: Study, *, intervals: bool) -> list[str]:
    """Titles of the main table's columns; those of numbers end in ``>``."""
    mad, *others = (_titled(metric) for metric in METRICS)
    measured = [mad, "95 %>", *others] if not intervals else [mad, *others]
    against = [f"MAD against {study.report.reference}>"] if study.report.reference else []
    return [study.report.rows, *measured, *against, "weights>", "runs>"]


def cells(study: Study, result: ProtocolResult, row: RowResult, *, intervals: bool) -> list[str]:
    """One row of the main table, the mean over the exercises.

    Args:
        study: whose table it is.
        result: the protocol's.
        row: the row.
        intervals: one with every metric; else one column with that of the MAD.
    """
    mean = row.metrics[MEAN]
    if intervals:
        measured = [with_interval(*mean[m], result.digits[m]) for m in METRICS]
    else:
        mad, *others = (fixed(mean[m].value, result.digits[m]) for m in METRICS)
        measured = [mad, interval(mean["mad"].low, mean["mad"].high, result.digits["mad"]), *others]
    against = [_against(row, result)] if study.report.reference else []
    return [row.label, *measured, *against, count(row.parameters), str(len(row.runs))]


def exercise_columns(result: ProtocolResult, rows: str) -> list[str]:
    """Titles of the table by exercise."""
    return [
        rows,
        *(f"{METRIC_TITLES[m]} {e}>" for m in ("mad", "spearman") for e in result.exercises),
    ]


def exercise_cells(result: ProtocolResult, row: RowResult) -> list[str]:
    """One row of the table by exercise: MAD and Spearman's correlation of each."""
    return [
        row.label,
        *(
            fixed(row.metrics[e][m].value, result.digits[m])
            for m in ("mad", "spearman")
            for e in result.exercises
        ),
    ]


def notes(study: Study, result: ProtocolResult) -> Iterator[str]:
    """What a reader must know besides the numbers, the incomplete rows among it."""
    if result.identity is not None and result.leaky:
        yield f"This protocol leaks: {result.identity.leak_reason.rstrip('.')}."
    for row in result.unfinished:
        yield f"not in the table: {_incomplete(row)}"
    if any(row.versus is not None for row in result.rows):
        yield (
            f"Against {study.report.reference}: difference of the mean errors of persons; * beyond "
            "noise (permutation test over persons, Holm-corrected)."
        )
    if result.rows:
        yield "Intervals: 95 %, bootstrap over persons; they do not hold the luck of the seed."
    if result.old_code:
        runs = "1 run was" if result.old_code == 1 else f"{result.old_code} runs were"
        yield f"{runs} computed by another version of the code than the present one."


def markdown(
    study: Study,
    results: Sequence[ProtocolResult],
    figures: Mapping[str, str],
    not_drawn: Sequence[str] = (),
) -> str:
    """The report as a Markdown document.

    Args:
        study: what was run.
        results: by protocol.
        figures: caption of each figure's file, which lies beside the document.
        not_drawn: figures left out, and why.
    """
    lines = [f"# {text(study.title)}", "", text(study.summary), ""]
    if study.paper:
        lines += [f"Of the paper: {text(study.paper)}.", ""]
    if study.cuts:
        lines += [f"**Cut short:** {text('; '.join(study.cuts))}.", ""]
    for result in results:
        lines += [f"## {text(heading(result))}", ""]
        if result.rows:
            lines += _table(
                columns(study, intervals=True),
                [cells(study, result, row, intervals=True) for row in result.rows],
            )
            if len(result.exercises) > 1:
                lines += _table(
                    exercise_columns(result, study.report.rows),
                    [exercise_cells(result, row) for row in result.rows],
                )
        for note in notes(study, result):
            lines += [text(note), ""]
    for file, caption in figures.items():
        lines += [f"![{text(caption)}]({file})", "", text(caption), ""]
    for reason in not_drawn:
        lines += [f"Not drawn: {text(reason)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def to_csv(results: Sequence[ProtocolResult]) -> str:
    """Every metric of every row, exercise and protocol with its interval, a line each.

    Exercise ``mean`` is the mean over all exercises.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "dataset",
            "protocol",
            "leaky",
            "row",
            "model",
            "exercise",
            "metric",
            "value",
            "low",
            "high",
        ]
    )
    for result in results:
        for row in result.rows:
            start = [result.dataset, result.protocol, result.leaky, row.label, row.model]
            for exercise, metrics in row.metrics.items():
                for metric, value in metrics.items():
                    writer.writerow([*start, exercise, metric, *(f"{v:.6g}" for v in value)])
    return out.getvalue()


def _titled(metric: str) -> str:
    return METRIC_TITLES[metric] + (" %>" if metric == "mape" else ">")


def _against(row: RowResult, result: ProtocolResult) -> str:
    if row.versus is None:
        return NOTHING
    found, digits = row.versus, result.digits["mad"]
    beyond = " *" if found.significant else ""
    low, high = (fixed(v, digits, sign=True) for v in (found.low, found.high))
    return f"{fixed(found.difference, digits, sign=True)} ({low} to {high}){beyond}"


def _incomplete(row: Unfinished) -> str:
    said = f"{row.label} ({row.model}): {row.have} of {row.expected} runs"
    failed = "; ".join(f"{times} failed: {error}" for error, times in row.failures.items())
    return f"{said}; {failed}" if failed else said


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---:" if title.endswith(">") else "---" for title in titles]
    head = [text(title.removesuffix(">")) for title in titles]
    body = [[text(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *body)] + [""]

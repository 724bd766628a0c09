"""An experiment's results as tables in words: for the terminal, as Markdown and as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from zoo.evaluation.metrics import board_metrics
from zoo.evaluation.statistics import Interval
from zoo.experiments.definition import Experiment
from zoo.experiments.published import RULE, Compared, Ours
from zoo.experiments.results import MEAN, ProtocolResult, RowResult
from zoo.experiments.units import UNITS
from zoo.files import to_csv
from zoo.report.markdown import table, text
from zoo.words import NOTHING, count, fixed, interval, plain, with_interval


class Sheet(NamedTuple):
    """A table in words.

    Attributes:
        title: what stands above it; may be empty.
        columns: titles of the columns; those of numbers end in ``>``.
        rows: one text a column; may be empty.
        notes: what a reader must know besides the numbers.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]


def result_sheets(experiment: Experiment, result: ProtocolResult, *, wide: bool) -> list[Sheet]:
    """The table of one protocol, the mean over the exercises, and that by exercise.

    Args:
        experiment: whose rows they are.
        result: of the protocol.
        wide: an interval with every metric; else one column with that of the first.
    """
    first = [experiment.report.rows]
    known = result.metrics
    ranking, *others = (f"{metric.heading}>" for metric in known.values())
    measured = [ranking, *others] if wide else [ranking, "95 %>", *others]
    compared = _compared(result, wide) if experiment.report.reference else []
    against = [f"{known[m].title} against {experiment.report.reference}>" for m in compared]
    seeds = ["between seeds>"] if len(result.seeds) > 1 else []
    columns = [*first, *measured, *against, *seeds, "weights>", "runs>"]
    main = [
        [
            row.label,
            *_measured(row, result, wide),
            *(_against(row, metric, result) for metric in compared),
            *([fixed(row.spread.seeds, result.digits["mad"])] if seeds else []),
            count(row.runs[0].record.model.parameters),
            str(len(row.runs)),
        ]
        for row in result.rows
    ]
    notes = list(_notes(experiment, result))
    if len(result.exercises) == 1 or not main:
        return [Sheet(heading(result), columns, main, notes)]
    each = [(m, e) for m in _both(result) for e in result.exercises]
    by_exercise = [
        [row.label, *(fixed(row.metrics[e][m].value, result.digits[m]) for m, e in each)]
        for row in result.rows
    ]
    titles = [*first, *(f"{known[m].title} {e}>" for m, e in each)]
    return [Sheet(heading(result), columns, main, []), Sheet("", titles, by_exercise, notes)]


def published_sheets(compared: Compared, units: Sequence[str]) -> list[Sheet]:
    """A paper's numbers beside ours in each of `units`, its changes beside ours, the verdicts."""
    published, known = compared.published, board_metrics()
    reasons: list[str] = []
    cells = [
        [
            cell.row,
            cell.exercise,
            known[cell.metric].title,
            "unknown" if cell.published is None else f"{cell.published:g}",
            *(_in_unit(cell.ours, unit, compared.digits[cell.metric]) for unit in units),
            _verdict(cell.verdict, cell.reasons, reasons),
            *([_shown(cell.beside, compared.digits[cell.metric])] if published.beside else []),
        ]
        for cell in compared.cells
    ]
    columns = ["row", "exercise", "metric", "published>", *(f"ours, {unit}>" for unit in units)]
    columns += ["verdict", *([f"{published.beside}>"] if published.beside else [])]
    made = [Sheet(f"{published.table}, published and ours", columns, cells, _numbered(reasons))]
    if compared.changes:
        reasons = []
        changes = [
            [
                f"{change.theirs.row} instead of {change.theirs.to}",
                known[change.theirs.metric].title,
                ", ".join(f"{v:+g} % ({where})" for where, v in change.theirs.percent.items()),
                *(_percent(change.ours, unit) for unit in units),
                _verdict(change.verdict, (*change.reasons, change.theirs.source), reasons),
            ]
            for change in compared.changes
        ]
        columns = ["change", "metric", "published>", *(f"ours, {u}>" for u in units), "verdict"]
        made.append(Sheet("", columns, changes, _numbered(reasons)))
    made[-1].notes.extend(_closing(compared, units))
    return made


def heading(result: ProtocolResult) -> str:
    """Data, protocol, people and seeds in one line."""
    which = "exercise" if len(result.exercises) == 1 else "exercises"
    said = f"{result.title}, {which} {', '.join(result.exercises)}, {result.protocol}"
    if result.rows:
        seeds = ", ".join(map(str, result.seeds))
        said += f": {result.persons} people, seed{'s' if len(result.seeds) > 1 else ''} {seeds}"
    return said


def markdown(
    experiment: Experiment,
    sheets: Sequence[Sheet],
    figures: Mapping[str, str],
    not_drawn: Sequence[str] = (),
) -> str:
    """The report as a Markdown document.

    Args:
        experiment: what was run.
        sheets: its tables.
        figures: caption of each figure's file, which lies beside the document.
        not_drawn: figures left out, and why.
    """
    card = experiment.card
    lines = [f"# {text(card.title)}", "", text(card.summary), ""]
    if card.paper:
        lines += [f"Of the paper: {text(card.paper)}.", ""]
    if experiment.cuts:
        lines += [f"**Cut short:** {text('; '.join(experiment.cuts))}.", ""]
    for sheet in sheets:
        lines += [f"## {text(sheet.title)}", ""] if sheet.title else []
        if sheet.rows:
            right = [">" if column.endswith(">") else "" for column in sheet.columns]
            titles = [text(column.removesuffix(">")) for column in sheet.columns]
            shown = (tuple(map(text, plain(row))) for row in sheet.rows)
            lines += [*table([t + r for t, r in zip(titles, right, strict=True)], shown), ""]
        for note in sheet.notes:
            lines += [text(note), ""]
    for file, caption in figures.items():
        lines += [f"![{text(caption)}]({file})", "", text(caption), ""]
    for reason in not_drawn:
        lines += [f"Not drawn: {text(reason)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def results_csv(results: Sequence[ProtocolResult], reference: str = "") -> str:
    """Every metric of every row, exercise and protocol with its interval, a line each.

    Exercise ``mean`` is the mean over all exercises. Where ``against`` names the `reference`, the
    value is the difference from that row.
    """
    names = ["dataset", "protocol", "leaky", "row", "model", "exercise", "metric", "against"]
    return to_csv(
        [*names, "value", "low", "high"],
        (
            [result.dataset, result.protocol, result.leaky, row.label, row.model, *what]
            + [f"{v:.6g}" for v in value]
            for result in results
            for row in result.rows
            for what, value in _values(row, reference)
        ),
    )


def _values(row: RowResult, reference: str) -> Iterator[tuple[tuple[str, str, str], Interval]]:
    """Exercise, metric and what it is against, and the value."""
    for exercise, metrics in row.metrics.items():
        yield from (((exercise, metric, ""), value) for metric, value in metrics.items())
    yield from (((MEAN, metric, reference), value) for metric, value in row.differences.items())


def published_csv(compared: Compared) -> str:
    """Every number of the paper and ours in every unit, a line each; changes are in percent."""
    stated = [
        (cell.row, cell.exercise, cell.metric, cell.published, cell) for cell in compared.cells
    ] + [
        (f"{c.theirs.row} instead of {c.theirs.to}", where, c.theirs.metric, value, c)
        for c in compared.changes
        for where, value in c.theirs.percent.items()
    ]
    return to_csv(
        ["row", "place", "metric", "published", "unit", "value", "low", "high", "verdict", "why"],
        (
            [row, place, metric, value, *ours, item.verdict, "; ".join(item.reasons)]
            for row, place, metric, value, item in stated
            for ours in [[o.unit, *(f"{v:.6g}" for v in o.value)] for o in item.ours]
            or [["", "", "", ""]]
        ),
    )


def _measured(row: RowResult, result: ProtocolResult, wide: bool) -> list[str]:
    mean = row.metrics[MEAN]
    if wide:
        return [with_interval(*mean[m], result.digits[m]) for m in result.metrics]
    ranking, *others = (fixed(mean[m].value, result.digits[m]) for m in result.metrics)
    first = next(iter(result.metrics))
    return [ranking, interval(mean[first].low, mean[first].high, result.digits[first]), *others]


def _both(result: ProtocolResult) -> tuple[str, str]:
    """The metrics that are shown by exercise."""
    return ("auc", "balanced-accuracy") if result.binary else ("mad", "spearman")


def _notes(experiment: Experiment, result: ProtocolResult) -> Iterator[str]:
    """What a reader must know besides the numbers, the incomplete rows among it."""
    if result.identity is not None and result.leaky:
        yield f"This protocol leaks: {result.identity.leak_reason.rstrip('.')}."
    for row in result.unfinished:
        said = f"{row.label} ({row.model}): {len(row.runs)} of {row.expected} runs"
        failed = "; ".join(f"{times} failed: {error}" for error, times in row.failures.items())
        yield f"not in the table: {said}; {failed}" if failed else f"not in the table: {said}"
    if any(row.versus is not None for row in result.rows):
        yield (
            f"Against {experiment.report.reference}: difference of the mean errors of persons; * "
            "beyond noise (permutation test over persons, Holm-corrected). Of other metrics: the "
            "difference on the same draws of persons."
        )
    if len(result.seeds) > 1:
        yield "Between seeds: standard deviation of the MAD, of rows with several."
    if result.rows:
        yield "Intervals: 95 %, bootstrap over persons; they do not hold the luck of the seed."
    if result.old_code:
        runs = "1 run was" if result.old_code == 1 else f"{result.old_code} runs were"
        yield f"{runs} computed by another version of the code than the present one."


def _compared(result: ProtocolResult, wide: bool) -> list[str]:
    """The metrics in which rows are held against the reference."""
    return ["mad", *(m for m in ("spearman",) if wide and m in result.metrics)]


def _against(row: RowResult, metric: str, result: ProtocolResult) -> str:
    """The difference from the reference: of errors by person, of another metric by its draws."""
    if row.versus is None:
        return NOTHING
    found, beyond = row.differences.get(metric), ""
    if metric == "mad":
        found = Interval(row.versus.difference, row.versus.low, row.versus.high)
        beyond = " *" if row.versus.significant else ""
    if found is None:
        return NOTHING
    value, low, high = (fixed(v, result.digits[metric], sign=True) for v in found)
    return f"{value} ({low} to {high}){beyond}"


def _shown(value: Interval | None, digits: int) -> str:
    return NOTHING if value is None else with_interval(*value, digits)


def _in_unit(ours: Sequence[Ours], unit: str, digits: int) -> str:
    value = next((o.value for o in ours if o.unit == unit), None)
    return _shown(value, 3 if unit == "standardised" else digits)


def _percent(ours: Sequence[Ours], unit: str) -> str:
    value = next((o.value for o in ours if o.unit == unit), None)
    if value is None:
        return NOTHING
    between = interval(value.low, value.high, 0)
    return f"{fixed(value.value, 0, sign=True)} %" + (f" ({between})" if between else "")


def _verdict(verdict: str, why: Sequence[str], reasons: list[str]) -> str:
    """The verdict, with the number of its reason among `reasons`, to which it is added."""
    said = "; ".join(filter(None, why))
    if not said:
        return verdict
    if said not in reasons:
        reasons.append(said)
    return f"{verdict} [{reasons.index(said) + 1}]"


def _numbered(reasons: Sequence[str]) -> list[str]:
    return [f"[{i}] {reason}" for i, reason in enumerate(reasons, 1)]


def _closing(compared: Compared, units: Sequence[str]) -> Iterator[str]:
    """What stands below the comparison: units, what is missing, the rule, the counts."""
    published = compared.published
    judged = set(compared.counts) - {"unknown"}
    if len(published.units) > 1 and judged:
        read = "; ".join(f"{unit}: {UNITS[unit]}" for unit in published.units)
        yield (
            f"Ours is read in {len(published.units)} units, because {published.ambiguity}. {read}. "
            "A verdict holds in all of them, or there is none."
        )
    yield from (f"not compared: {why}" for why in published.missing)
    yield from published.notes
    if judged:
        yield RULE
    yield f"{', '.join(f'{n} {verdict}' for verdict, n in compared.counts.items())}."

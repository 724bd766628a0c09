"""The tables at the end of a training: the model beside the mean score, and a verdict."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from zoo.cli.console import table
from zoo.evaluation.metrics import Metric, all_metrics
from zoo.words import fixed

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.runs.run import Run
    from zoo.runs.scores import Metrics


def print_run(out: "Console", result: "Run") -> None:
    """One run: the model and the mean score on the test part, per recording."""
    name = result.record.model.name
    out.print(_title(result), style="bold")
    shown = table("model", *(f"{m.heading}>" for m in columns(result.test)))
    digits = result.digits
    shown.add_row(name, *cells(result.test, digits))
    if name != "mean":
        shown.add_row("mean score", *cells(result.baseline_test, digits, result.test))
    out.print(shown)
    _close(out, result, result.test["mad"], result.baseline_test["mad"], result.path)


def print_folds(out: "Console", results: "Sequence[Run]") -> None:
    """All folds of one model: a row a fold, then mean and standard deviation over the folds."""
    from zoo.runs.run import pooled_metrics

    first = results[0]
    titles = (f"{m.heading}>" for m in columns(first.test))
    shown = table("fold", *titles, "mean score's MAD>")
    digits = first.digits
    for result in results:
        measured = cells(result.test, digits, first.test)
        shown.add_row(str(result.fold), *measured, fixed(result.baseline_test["mad"], digits))
    over_folds = {
        m.name: [r.test.get(m.name, math.nan) for r in results] for m in columns(first.test)
    }
    baseline = [r.baseline_test["mad"] for r in results]
    shown.add_section()
    for label, summary in (("mean", fmean), ("± sd", _deviation)):
        summed = {key: summary(values) for key, values in over_folds.items()}
        shown.add_row(label, *cells(summed, digits), fixed(summary(baseline), digits))
    pooled = pooled_metrics(results)
    shown.add_row("all folds together", *cells(pooled, digits, first.test), "")
    people = len({person for r in results for person in r.split["test"]["persons"]})
    out.print(_title(first, people=people, folds=len(results)), style="bold")
    out.print(shown)
    _close(out, first, fmean(over_folds["mad"]), fmean(baseline), first.path.parent)


def warn_leaky(out: "Console", result: "Run") -> None:
    """Say that the protocol leaks and why; nothing for an honest one."""
    if result.leaky:
        reason = result.record.protocol.leak_reason
        out.print(f"This protocol leaks: {reason}", style="bold red")


def columns(metrics: "Metrics") -> list[Metric]:
    """Those of the metrics that tables show."""
    return [m for m in all_metrics() if m.shown and m.name in metrics]


def cells(metrics: "Metrics", score_digits: int, of: "Metrics | None" = None) -> list[str]:
    """The metrics as table cells, in the columns of `of`; what is undefined is a dash."""
    return [
        fixed(metrics.get(m.name), score_digits if m.decimals is None else m.decimals)
        for m in columns(metrics if of is None else of)
    ]


def verdict(name: str, mad: float, baseline: float, digits: int) -> str:
    """Which of the two is better, and by how much."""
    if not baseline or not math.isfinite(mad):
        return f"{name} cannot be compared with the mean score here."
    change = mad / baseline
    if abs(1 - change) < 5e-4:
        return f"{name} is exactly as good as the mean score."
    better = "better" if change < 1 else "worse"
    return (
        f"{name} is {better} than the mean score by {abs(1 - change):.0%}: it is off by "
        f"{mad:.{digits}f} points on average, the mean score by {baseline:.{digits}f}."
    )


def _close(out: "Console", run: "Run", mad: float, baseline: float, folder: Path) -> None:
    name = run.record.model.name
    if name != "mean":
        out.print(verdict(name, mad, baseline, run.digits))
    warn_leaky(out, run)
    out.print(f"kept in {folder}", style="dim", soft_wrap=True)


def _title(result: "Run", people: int | None = None, folds: int = 1) -> str:
    record = result.record
    data, persons = record.dataset, record.counts["test"].persons
    kind = "LEAKY, people stand on both sides" if result.leaky else "never seen in training"
    where = f"{data.name} {data.params.get('exercise') or ''}".strip()
    fold = f"fold {result.fold}" if folds == 1 else f"{folds} folds"
    return f"{where}, {record.protocol.name} {fold}: tested on {people or persons} people ({kind})"


def _deviation(values: Sequence[float]) -> float:
    return stdev(values) if all(map(math.isfinite, values)) else math.nan

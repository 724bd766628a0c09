"""The figures that any model's results give, and what all figures of reports share.

That is a title that names the data, panels, a legend.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from registry import register_figure
from zoo.evaluation.statistics.tables import Array
from zoo.experiments.definition import Experiment
from zoo.experiments.results import MEAN, ProtocolResult, RowResult
from zoo.report.figure_style import INK, LINE, OKABE_ITO, SOFT
from zoo.runs.run import Run
from zoo.words import fixed, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Figures = Iterator[tuple[str, str, Figure]]
    """Name of each figure, its caption, and the figure itself."""

_LEAK = "#a83c0a"
_LETTER, _HANDLE, _LINE = 0.065, 0.55, 0.18
"""Inches of a letter in a legend, of the line and the gaps beside a name, and of a row's height."""
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LOSSES = {"mse": "mean squared error", "huber": "Huber loss"}
_DASHES = ("-", "--", ":", "-.")


@register_figure("errors")
def errors(
    experiment: Experiment, result: ProtocolResult, data_root: Path | None = None
) -> "Figures":
    """MAD and Spearman's correlation of every row with 95 % intervals over persons.

    Where the target is right or wrong they are the AUC and the balanced accuracy. Rows whose labels
    are numbers stand along an axis of that number, others below each other.
    """
    numbered = [row for row in result.rows if row.label.isdecimal()]
    numbers = len(numbered) > 1
    rows = numbered if numbers else result.rows
    labels = [row.label for row in rows]
    figure = new_figure((6.6, 2.9) if numbers else (6.6, 1.5 + 0.24 * len(labels)), result)
    shown = {"auc": "AUC", "balanced-accuracy": "balanced accuracy"}
    if not result.binary:
        shown = {"mad": f"MAD, {unit(result)}", "spearman": "Spearman's ρ"}
    for axes, (metric, title) in zip(
        figure.subplots(1, 2, sharey=not numbers), shown.items(), strict=True
    ):
        found = [row.metrics[MEAN][metric] for row in rows]
        value, low, high = np.array(found).T
        spread = np.abs(np.array([value - low, high - value]))
        reference = [i for i, label in enumerate(labels) if label == experiment.report.reference]
        style = {"color": OKABE_ITO[0], "ecolor": OKABE_ITO[0], "capsize": 2.5, "ms": 5}
        if numbers:
            at = np.array([int(label) for label in labels])
            axes.errorbar(at, value, spread, fmt="o-", lw=1.2, elinewidth=1, **style)
            axes.plot(at[reference], value[reference], "o", color=OKABE_ITO[3], ms=7, zorder=3)
            for row in result.rows:
                if row not in rows:
                    place = row.metrics[MEAN][metric].value
                    axes.axhline(place, color=SOFT, lw=0.8, ls=":", zorder=0)
                    axes.text(at[-1], place, plain(row.label), size=7, ha="right", va="bottom")
            axes.set(xlabel=f"number of {experiment.report.rows}", ylabel=title)
            axes.set_xticks(at)
            axes.grid(axis="y", color=LINE)
        else:
            at = np.arange(len(labels))
            axes.errorbar(value, at, xerr=spread, fmt="o", elinewidth=1.2, **style)
            axes.plot(value[reference], at[reference], "o", color=OKABE_ITO[3], ms=7, zorder=3)
            for place in value[reference]:
                axes.axvline(place, color=SOFT, lw=0.8, ls=":", zorder=0)
            axes.set_yticks(at, plain(labels), color=INK)
            axes.set_ylim(len(labels) - 0.4, -0.6)
            axes.set_xlabel(title)
            axes.grid(axis="x", color=LINE)
        axes.set_axisbelow(True)
    named = f"; orange: {experiment.report.reference}" if reference else ""
    yield (
        "errors",
        f"Mean over the exercises with 95 % intervals (bootstrap over persons){named}",
        figure,
    )


@register_figure("scatter")
def scatter(
    experiment: Experiment, result: ProtocolResult, data_root: Path | None = None
) -> "Figures":
    """Predicted against true scores of the reference row, else the first, a panel an exercise."""
    named = [row for row in result.rows if row.label == experiment.report.reference]
    row = (named or result.rows)[0]
    seed = min(table.seed for table in row.tables)
    tables = {table.exercise: table for table in row.tables if table.seed == seed}
    figure, panels = panels_of(result, list(tables), "exercise")
    span = result.score_range
    margin = 0.03 * (span[1] - span[0])
    values = np.concatenate([v for t in tables.values() for v in (t.true, t.predicted)])
    limits = (min(span[0], values.min()) - margin, max(span[1], values.max()) + margin)
    groups = sorted({group for table in tables.values() for group in table.group or ()})
    for axes, (exercise, table) in zip(panels, tables.items(), strict=True):
        axes.plot(span, span, color=SOFT, lw=0.8, zorder=1)
        for i, group in enumerate(groups):
            mine = np.array([own == group for own in table.group or ()])
            axes.plot(
                table.true[mine], table.predicted[mine], MARKS[i % len(MARKS)],
                color=OKABE_ITO[i % len(OKABE_ITO)], ms=3.5, alpha=0.75, mew=0,
                label=plain(group or "people"), zorder=2,
            )  # fmt: skip
        figures = row.metrics[exercise]
        second = "auc" if result.binary else "spearman"
        other = f"{'AUC' if result.binary else 'ρ'} {fixed(figures[second].value, 2)}"
        axes.text(
            0.04, 0.97, f"MAD {fixed(figures['mad'].value, result.digits['mad'])}\n{other}",
            transform=axes.transAxes, va="top", size=8, color=INK,
        )  # fmt: skip
        axes.set(xlim=limits, ylim=limits, aspect="equal", xlabel=f"true score, {unit(result)}")
    panels[0].set_ylabel(f"predicted score, {unit(result)}")
    legend(figure, panels[0])
    yield (
        "scatter",
        f"{row.label}: predicted against true scores, each by a model that was not trained on it "
        f"(seed {seed})",
        figure,
    )


@register_figure("loss")
def loss(
    experiment: Experiment, result: ProtocolResult, data_root: Path | None = None
) -> "Figures":
    """Training loss over epochs of every row that is trained, a panel an exercise."""
    curves = {row.label: _losses(row) for row in result.rows}
    curves = {label: found for label, found in curves.items() if found}
    if not curves:
        return
    figure, panels = panels_of(result, result.exercises, "exercise")
    for axes, exercise in zip(panels, result.exercises, strict=True):
        for i, (label, found) in enumerate(curves.items()):
            line = found[exercise]
            axes.plot(
                np.arange(1, len(line) + 1), line, _DASHES[i // len(OKABE_ITO) % len(_DASHES)],
                color=OKABE_ITO[i % len(OKABE_ITO)], lw=1.3, label=plain(label),
            )  # fmt: skip
        axes.set(xlabel="epoch", yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(color=LINE)
    panels[0].set_ylabel(_loss_title(result))
    legend(figure, panels[0])
    yield "loss", "Training loss over the epochs, mean over folds and seeds; logarithmic", figure


def _loss_title(result: ProtocolResult) -> str:
    """What the loss is and of scores in which unit, where all trained rows agree on it."""
    runs = [r.runs[0] for r in result.rows if not r.runs[0].record.model.closed_form]
    names = {_loss_name(run) for run in runs}
    scales = {run.record.protocol.params["target_scale"] for run in runs}
    if len(names) > 1 or len(scales) > 1:
        return "training loss"
    what = "scores as they are" if scales == {"none"} else "standardised scores"
    return f"training loss:\n{names.pop()},\n{what}"


def _loss_name(run: Run) -> str:
    """The loss of a network's own head, or of that which ``model.head`` names."""
    head = run.record.model.params.get("head") or "mse"
    name = head if isinstance(head, str) else head["name"]
    return _LOSSES.get(name, f"loss of the head {name}")


def _losses(row: RowResult) -> dict[str, Array]:
    """By exercise, the mean loss of each epoch that all runs have; empty for an untrained model."""
    found: dict[str, list[list[float]]] = {}
    for run in row.runs:
        if not run.record.model.closed_form:
            losses = [epoch["loss"] for epoch in run.history]
            found.setdefault(run.exercise, []).append(losses)
    return {
        exercise: np.mean([line[: min(map(len, lines))] for line in lines], axis=0)
        for exercise, lines in found.items()
    }


def unit(result: ProtocolResult) -> str:
    """Of the scores: ``points (0–50)``."""
    return "points ({:g}–{:g})".format(*result.score_range)


def new_figure(size: tuple[float, float], result: ProtocolResult) -> "Figure":
    """A figure with its data and protocol as the title."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    leaks = "\nleaky: people of the test are in training" if result.leaky else ""
    figure.suptitle(
        f"{plain(result.title)}, {result.protocol}{leaks}",
        x=0.01, ha="left", size=9, weight="bold", color=_LEAK if leaks else INK,
    )  # fmt: skip
    return figure


def panels_of(
    result: ProtocolResult, names: Sequence[str], what: str
) -> "tuple[Figure, list[Axes]]":
    """A row of panels, or two where there are more than five."""
    columns = min(len(names), 5)
    rows = -(-len(names) // columns)
    figure = new_figure((max(4.2, 0.5 + 1.9 * columns), 0.9 + 2.1 * rows), result)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    panels = list(grid)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(panels, names, strict=False):
        axes.set_title(f"{what} {plain(name)}", size=9)
    return figure, panels[: len(names)]


def legend(figure: "Figure", axes: "Axes") -> None:
    """The lines and marks of one panel named below all of them, where there are several."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        width = _HANDLE + _LETTER * max(map(len, labels))
        columns = max(1, min(len(labels), int(figure.get_figwidth() / width)))
        figure.set_figheight(figure.get_figheight() + _LINE * -(-len(labels) // columns))
        figure.legend(
            handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=8
        )

"""The errors of two models against each other, one mark a person."""

from pathlib import Path

from zoo.board.compare import ComparedModels
from zoo.errors import ConfigError
from zoo.files import write_atomically
from zoo.report.figure_style import FORMATS, OKABE_ITO, SOFT, figure_bytes, figure_style
from zoo.words import plain

_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def draw(compared: ComparedModels, file: Path) -> Path:
    """Draw mean absolute errors by person, coloured and marked by clinical group.

    Args:
        compared: the two models.
        file: ends as one of `FORMATS`.

    Raises:
        ConfigError: another ending.
        StorageError: it cannot be written.
    """
    kind = file.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ConfigError(f"{file}: a plot is written as .{', .'.join(FORMATS)}")
    from matplotlib.figure import Figure

    a, b = plain(compared.a), plain(compared.b)
    with figure_style():
        figure = Figure(figsize=(5.2, 5.4), layout="constrained")
        axes = figure.add_subplot()
        top = 1.05 * max(max(p.error_a, p.error_b) for p in compared.persons)
        axes.plot([0, top], [0, top], color=SOFT, linewidth=0.8, zorder=1)
        groups = sorted({p.group or "unknown" for p in compared.persons})
        for i, group in enumerate(groups):
            mine = [p for p in compared.persons if (p.group or "unknown") == group]
            axes.scatter(
                [p.error_b for p in mine],
                [p.error_a for p in mine],
                color=OKABE_ITO[i % len(OKABE_ITO)],
                marker=_MARKS[i % len(_MARKS)],
                s=26,
                alpha=0.85,
                linewidths=0,
                label=plain(group),
                zorder=2,
                clip_on=False,
            )
        axes.set(
            xlim=(0, top),
            ylim=(0, top),
            aspect="equal",
            xlabel=f"mean absolute error of {b} (points)",
            ylabel=f"mean absolute error of {a} (points)",
        )
        leaks = " (leaky)" if compared.protocol.leaky else ""
        axes.set_title(
            f"{plain(compared.dataset)}, {plain(compared.protocol.name)}{leaks}: below the line "
            f"{a} is better",
            fontsize="medium",
            wrap=True,
        )
        axes.legend(frameon=False, fontsize="small")
        content = figure_bytes(figure, kind)
    write_atomically(file, content)
    return file

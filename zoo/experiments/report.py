"""What an experiment ends in: a document, tables and figures in a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from registry import FIGURES
from zoo.errors import ConfigError, DataError
from zoo.experiments import sheets
from zoo.experiments.definition import Experiment
from zoo.experiments.published import Compared, compare
from zoo.experiments.results import ProtocolResult
from zoo.files import path_part, write_atomically
from zoo.report.figure_style import FORMATS, figure_bytes, figure_style
from zoo.report.publish import save


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        files: the document, the tables, the figures.
        not_drawn: for each kind of figure that the runs cannot give, which and why.
    """

    files: list[Path]
    not_drawn: list[str]


def report_sheets(
    experiment: Experiment, results: Sequence[ProtocolResult], *, wide: bool
) -> tuple[list[sheets.Sheet], Compared | None]:
    """All tables of a report, and the published numbers beside ours where there are any.

    Args:
        experiment: what was run, whole or cut short.
        results: by protocol.
        wide: with all intervals and units; else as much as a terminal has room for.

    Raises:
        ConfigError: the experiment's file no longer describes it.
    """
    made = [s for result in results for s in sheets.result_sheets(experiment, result, wide=wide)]
    whole = Experiment.load(experiment.name) if experiment.published else experiment
    compared = compare(whole, experiment, results)
    if compared is not None:
        units = dict.fromkeys(("points", *compared.published.units))
        made += sheets.published_sheets(compared, list(units) if wide else ["points"])
    return made, compared


def write_report(
    experiment: Experiment,
    results: Sequence[ProtocolResult],
    folder: Path,
    *,
    formats: Sequence[str] = ("svg",),
    data_root: Path | None = None,
) -> Written:
    """Write ``report.md``, ``report.csv``, ``published.csv`` and the figures of complete rows.

    A figure that a model cannot give, such as the groups of one that has none, is left out.

    Args:
        experiment: what was run.
        results: by protocol.
        folder: made if it is not there.
        formats: of the figures, of ``svg``, ``pdf`` and ``png``.
        data_root: folder of prepared datasets; None for the usual place.

    Raises:
        ConfigError: another format, or a figure that is none.
        StorageError: something cannot be written.
    """
    for kind in formats:
        if kind not in FORMATS:
            raise ConfigError(f"a figure is written as {', '.join(FORMATS)}, not {kind!r}")
    captions: dict[str, str] = {}
    files: list[Path] = []
    not_drawn: list[str] = []
    for result in results:
        for kind in experiment.report.figures if result.rows else ():
            draw = FIGURES.get(kind).load()
            try:
                with figure_style():
                    for name, caption, figure in draw(experiment, result, data_root):
                        stem = f"{path_part(result.protocol)}-{path_part(name)}"
                        captions[f"{stem}.{formats[0]}"] = f"{caption} ({result.protocol})."
                        for ending in formats:
                            files.append(folder / f"{stem}.{ending}")
                            folder.mkdir(parents=True, exist_ok=True)
                            write_atomically(files[-1], figure_bytes(figure, ending))
            except DataError as error:
                not_drawn.append(f"{kind} ({result.protocol}): {error}")
    tables, compared = report_sheets(experiment, results, wide=True)
    document = sheets.markdown(experiment, tables, captions, not_drawn)
    texts = {
        "report.md": document,
        "report.csv": sheets.results_csv(results, experiment.report.reference),
    }
    if compared is not None:
        texts["published.csv"] = sheets.published_csv(compared)
    return Written([*(save(t, folder / name) for name, t in texts.items()), *files], not_drawn)

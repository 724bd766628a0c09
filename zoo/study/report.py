"""What a study ends in: a document, a table and figures in a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ConfigError, DataError
from zoo.files import path_part, write_atomically
from zoo.report.figure_style import FORMATS, figure_bytes, figure_style
from zoo.report.publish import save
from zoo.study.definition import Study
from zoo.study.results import ProtocolResult
from zoo.study.tables import markdown, to_csv

if TYPE_CHECKING:
    from zoo.study.frame import Figures


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        files: the document, the table, the figures.
        not_drawn: for each kind of figure that the runs cannot give, which and why.
    """

    files: list[Path]
    not_drawn: list[str]


def write_report(
    study: Study,
    results: Sequence[ProtocolResult],
    folder: Path,
    *,
    formats: Sequence[str] = ("svg",),
    data_root: Path | None = None,
) -> Written:
    """Write ``report.md``, ``report.csv`` and the study's figures of all complete rows.

    A figure that a model cannot give, such as the groups of one that has none, is left out.

    Args:
        study: what was run.
        results: by protocol.
        folder: made if it is not there.
        formats: of the figures, of ``svg``, ``pdf`` and ``png``.
        data_root: folder of prepared datasets; None for the usual place.

    Raises:
        ConfigError: another format.
        StorageError: something cannot be written.
    """
    for kind in formats:
        if kind not in FORMATS:
            raise ConfigError(f"a figure is written as {', '.join(FORMATS)}, not {kind!r}")
    captions: dict[str, str] = {}
    files: list[Path] = []
    not_drawn: list[str] = []
    for result in results:
        for figure_kind in study.report.figures if result.rows else ():
            try:
                with figure_style():
                    for name, caption, figure in _figures(figure_kind, study, result, data_root):
                        stem = f"{path_part(result.protocol)}-{path_part(name)}"
                        captions[f"{stem}.{formats[0]}"] = f"{caption} ({result.protocol})."
                        for ending in formats:
                            files.append(folder / f"{stem}.{ending}")
                            folder.mkdir(parents=True, exist_ok=True)
                            write_atomically(files[-1], figure_bytes(figure, ending))
            except DataError as error:
                not_drawn.append(f"{figure_kind} ({result.protocol}): {error}")
    document = save(markdown(study, results, captions, not_drawn), folder / "report.md")
    return Written([document, save(to_csv(results), folder / "report.csv"), *files], not_drawn)


def _figures(kind: str, study: Study, result: ProtocolResult, data_root: Path | None) -> "Figures":
    from zoo.study.figures import STORED

    if kind in STORED:
        return STORED[kind](study, result)
    from zoo.study.inside import INSIDE

    return INSIDE[kind](study, result, data_root)

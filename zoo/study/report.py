"""What a study ends in: a document, a table and figures in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.figure_style import FORMATS, figure_bytes, figure_style
from zoo.results.files import path_part, write_atomically
from zoo.results.publish import save
from zoo.study.definition import Study
from zoo.study.results import ProtocolResult
from zoo.study.tables import markdown, to_csv

if TYPE_CHECKING:
    from zoo.study.frame import Figures


def write_report(
    study: Study,
    results: Sequence[ProtocolResult],
    folder: Path,
    *,
    formats: Sequence[str] = ("svg",),
    data_root: Path | None = None,
) -> list[Path]:
    """Write ``report.md``, ``report.csv`` and the study's figures of all complete rows.

    Args:
        study: what was run.
        results: by protocol.
        folder: made if it is not there.
        formats: of the figures, of ``svg``, ``pdf`` and ``png``.
        data_root: folder of prepared datasets; None for the usual place.

    Returns:
        The files, the document first.

    Raises:
        ConfigError: another format.
        StorageError: something cannot be written.
    """
    for kind in formats:
        if kind not in FORMATS:
            raise ConfigError(f"a figure is written as {', '.join(FORMATS)}, not {kind!r}")
    captions: dict[str, str] = {}
    files = []
    for result in results:
        with figure_style():
            for name, caption, figure in _figures(study, result, data_root):
                stem = f"{path_part(result.protocol)}-{path_part(name)}"
                captions[f"{stem}.{formats[0]}"] = f"{caption} ({result.protocol})."
                for kind in formats:
                    files.append(folder / f"{stem}.{kind}")
                    folder.mkdir(parents=True, exist_ok=True)
                    write_atomically(files[-1], figure_bytes(figure, kind))
    document = save(markdown(study, results, captions), folder / "report.md")
    return [document, save(to_csv(results), folder / "report.csv"), *files]


def _figures(study: Study, result: ProtocolResult, data_root: Path | None) -> "Figures":
    from zoo.study.figures import STORED

    if not result.rows:
        return
    for kind in study.report.figures:
        if kind in STORED:
            yield from STORED[kind](study, result)
        else:
            from zoo.study.inside import INSIDE

            yield from INSIDE[kind](study, result, data_root)

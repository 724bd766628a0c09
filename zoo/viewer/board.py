"""Pages beside a published board: the movements behind its models, where they may be shown."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from zoo.board.board import Board, Ranked
from zoo.data.dataset import SkeletonDataset
from zoo.errors import UserError
from zoo.files import path_part
from zoo.prediction import Predictor
from zoo.report.publish import save
from zoo.viewer.page import render
from zoo.viewer.view import views_of

_SHOWN = 3
"""Test recordings in a page: of the lowest, a middle and the highest score."""


def with_pages(
    board: Board, runs: Path, folder: Path, data_root: Path | None = None
) -> tuple[Board, list[Path]]:
    """Write a page for each ranked model whose recordings may be shown, and link to it.

    A page shows test recordings of the model's first run. Datasets that do not say that everybody
    may see their recordings, that are not prepared here, and models that are none of their own
    (ensembles) or not registered here get none.

    Args:
        board: of the runs.
        runs: folder of all runs.
        folder: where the board is published; made if it is not there.
        data_root: folder of prepared datasets.

    Returns:
        The board with its links, and the pages.

    Raises:
        StorageError: a page cannot be written.
    """
    written: list[Path] = []
    sections = []
    for number, section in enumerate(board.sections):
        ranked = []
        for entry in section.ranked:
            page = _page(entry, runs, data_root)
            if page is not None:
                name = f"movement-{number}-{path_part(entry.name)}.html"
                written.append(save(page, folder / name))
                entry = replace(entry, movement=name)
            ranked.append(entry)
        sections.append(replace(section, ranked=ranked))
    return replace(board, sections=sections), written


def _page(entry: Ranked, runs: Path, data_root: Path | None) -> str | None:
    """The page of a ranked model; None where there may or can be none."""
    try:
        predictor = Predictor.open(runs / entry.runs[0].path, data_root=data_root)
        dataset = predictor.own_dataset()
        if not dataset.showable:
            return None
        chosen = list(_chosen(dataset, predictor.run.split["test"]["recordings"]))
        return render(views_of(predictor, chosen), showable=True) if chosen else None
    except UserError:
        return None


def _chosen(dataset: SkeletonDataset, tested: Sequence[str]) -> Iterator[str]:
    """Of the tested recordings of a dataset, some from the lowest score to the highest."""
    scores = {i.id: i.scores["total"] for i in dataset.index if i.id in set(tested) and i.scored}
    order = sorted(scores, key=lambda name: (scores[name], name))
    places = [round(k * (len(order) - 1) / (_SHOWN - 1)) for k in range(_SHOWN)] if order else []
    yield from (order[place] for place in dict.fromkeys(places))

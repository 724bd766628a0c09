"""What the models of this project have reached on the published board, for lists and pages.

The figures are copied from it once, so that a list of models needs no runs and no torch:
``python benchmarks/reached.py`` writes ``configs/reached.csv`` from ``docs/leaderboard``.
"""

import csv
from dataclasses import dataclass
from typing import Any

from registry.catalogues import distribution_catalogues

FILE = "reached.csv"
"""In a catalogue's folder."""

DATASET, PROTOCOL = "kimore", "person-kfold-refit"
"""The board whose figures these are."""


@dataclass(frozen=True)
class Reached:
    """A model with its default settings.

    Attributes:
        parameters: trained numbers.
        mad: mean absolute deviation from the clinical score on people never seen in training, in
            points, mean over exercises; None where it does not stand on the board.
        train_seconds: time to train it on one fold; None as `mad`.
    """

    parameters: int | None = None
    mad: float | None = None
    train_seconds: float | None = None


def reached() -> dict[str, Reached]:
    """By model, those of all installed catalogues."""
    found: dict[str, Reached] = {}
    for catalogue in distribution_catalogues():
        file = None if catalogue.folder is None else catalogue.folder / FILE
        if file is not None and file.is_file():
            for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
                found[row["model"]] = Reached(
                    *(_number(row[name], kind) for name, kind in _COLUMNS.items())
                )
    return found


_COLUMNS: dict[str, Any] = {"parameters": int, "mad": float, "train_seconds": float}


def _number(text: str, kind: Any) -> Any:
    return kind(text) if text else None

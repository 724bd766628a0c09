"""Writes configs/reached.csv: size, error and training time of every model, for `zoo models`.

Errors and times are those of the published board (docs/leaderboard/leaderboard.csv), of entries
with default settings; where a model does not stand there, its size is counted on a Kinect v2
skeleton. Run it after the board is published anew: ``python benchmarks/reached.py``.
"""

import csv
from pathlib import Path

from registry import MODELS
from zoo.files import to_csv
from zoo.models import create_model
from zoo.nn.model import contract_of
from zoo.reached import DATASET, FILE, PROTOCOL
from zoo.training.cost import count_parameters

ROOT = Path(__file__).parents[1]
BOARD = ROOT / "docs" / "leaderboard" / "leaderboard.csv"


def board_figures(board: Path = BOARD) -> dict[str, tuple[str, str, str]]:
    """Parameters, MAD and training seconds of the board's entries with default settings."""
    with board.open(encoding="utf-8", newline="") as file:
        return {
            row["model"]: (
                row["parameters"],
                f"{float(row['mad']):.4f}",
                f"{float(row['train_seconds']):.3g}",
            )
            for row in csv.DictReader(file)
            if (row["dataset"], row["protocol"], row["exercise"]) == (DATASET, PROTOCOL, "mean")
            and row["status"] == "ranked"
            and row["name"] == row["model"]
            and row["model"] in MODELS  # no ensemble
        }


def size(name: str) -> str:
    """Trained numbers of a model; nothing for one that learns its size from the data."""
    model = create_model(name)
    return "" if contract_of(model).closed_form else str(count_parameters(model))


def rows() -> list[tuple[str, ...]]:
    """A row a model of this project, by name."""
    known = board_figures()
    names = [e.name for e in MODELS.entries() if e.source.distribution == "skeleton-zoo"]
    return [(name, *(known.get(name) or (size(name), "", ""))) for name in names]


if __name__ == "__main__":
    file = ROOT / "configs" / FILE
    text = to_csv(("model", "parameters", "mad", "train_seconds"), rows())
    file.write_text(text, encoding="utf-8", newline="\n")
    print(file)

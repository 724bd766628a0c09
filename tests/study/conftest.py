"""Studies in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry import catalogues

MINE = {
    "card": {"title": "Mine", "paper": "Table 9"},
    "bench": {
        "dataset": "kimore",
        "exercises": ["5"],
        "protocols": ["person-kfold"],
        "seeds": [0],
        "set": ["protocol.frames=16", "protocol.split.folds=2"],
        "models": [
            {"label": "the mean", "name": "mean"},
            {"label": "the groups", "name": "group-mean"},
            "median",
        ],
    },
    "report": {"reference": "the mean", "figures": ["errors", "scatter", "loss"]},
}


@pytest.fixture
def write_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes ``configs/study/mine.yaml``, `MINE` with some blocks replaced, and gives its name."""
    monkeypatch.setattr(catalogues, "_user_dirs", [tmp_path / "configs"])
    (tmp_path / "configs" / "study").mkdir(parents=True)

    def write(**blocks: Any) -> str:
        text = yaml.safe_dump({**MINE, **blocks})
        (tmp_path / "configs" / "study" / "mine.yaml").write_text(text)
        return "mine"

    return write

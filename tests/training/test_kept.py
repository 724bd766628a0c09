"""A model that is not wholly in its saved state is refused before its run is finished."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from registry import MODELS, register_model
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, TrainingError
from zoo.nn.model import contract_of
from zoo.training.report import Reporter

FEW = {"dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 8, "trainer.epochs": 1}


class Line:
    """Stands for an estimator of another library."""

    def fit(self, x: Any, y: Any) -> None:
        self.weight = np.linalg.lstsq(x, y, rcond=None)[0]

    def predict(self, x: Any) -> Any:
        return x @ self.weight


def flat(batch: Batch) -> Any:
    return batch.x["position"].mean(1).flatten(1).numpy()


class Plain(nn.Module):
    """Keeps an estimator as an attribute."""

    def __init__(self, layout: Any) -> None:
        super().__init__()
        self.regressor = Line()

    def fit(self, batch: Batch, target: torch.Tensor) -> None:
        self.regressor.fit(flat(batch), target.numpy())

    def forward(self, batch: Batch) -> Prediction:
        return Prediction(torch.as_tensor(self.regressor.predict(flat(batch))).float())


class Lazy(nn.Module):
    """Makes its layer when it is fitted."""

    def __init__(self, layout: Any) -> None:
        super().__init__()
        self.level: Any = None

    def fit(self, batch: Batch, target: torch.Tensor) -> None:
        self.level = nn.Linear(1, 1)

    def forward(self, batch: Batch) -> Prediction:
        return Prediction(self.level(torch.zeros(batch.size, 1))[:, 0])


class Counting(nn.Module):
    """A network that also computes with a number it counts."""

    def __init__(self, layout: Any) -> None:
        super().__init__()
        self.line = nn.Linear(3, 1)
        self.seen = 0

    def forward(self, batch: Batch) -> Prediction:
        self.seen += int(self.training)
        return Prediction(self.line(batch.x["position"].mean((1, 2)))[:, 0] + self.seen)


class Unsure(nn.Module):
    """Says how far off it may be, which no loss has taught it; `field` is given as it is."""

    def __init__(self, layout: Any, field: str = "log_variance", value: float = 9.0) -> None:
        super().__init__()
        self.line = nn.Linear(3, 1)
        self.field, self.value = field, value

    def forward(self, batch: Batch) -> Prediction:
        score = self.line(batch.x["position"].mean((1, 2)))[:, 0]
        return Prediction(score)._replace(**{self.field: torch.full_like(score, self.value)})


class Said(Unsure):
    """Gives a field of another type."""

    def forward(self, batch: Batch) -> Prediction:
        score = self.line(batch.x["position"].mean((1, 2)))[:, 0]
        wrong: Any = {
            "list": score.tolist(),
            "column": score[:, None],
            "whole": score.long(),
            "short": score[:1],
        }[self.field.split()[1]]
        return Prediction(score)._replace(**{self.field.split()[0]: wrong})


@pytest.fixture(autouse=True)
def models() -> Iterator[None]:
    before = list(MODELS.added)
    for cls in (Plain, Lazy, Counting, Unsure, Said):
        register_model(cls.__name__.lower())(cls)
    yield
    MODELS.added[:] = before


def train(model: str, folder: Path, notes: list[str] | None = None, **settings: Any) -> Any:
    class Notes(Reporter):
        def on_note(self, text: str) -> None:
            (notes if notes is not None else []).append(text)

    overrides = {**FEW, **settings}
    return zoo.train(
        model, overrides=overrides, runs=folder / "runs", data_root=folder, reporter=Notes()
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("plain", r"Plain cannot score.*AttributeError.*learned in regressor \(a .*Line\)"),
        ("lazy", "Lazy cannot be made again.*level.bias is not in the model"),
        ("counting", r"Counting scores otherwise.*learned in seen \(a int\)"),
    ],
)
def test_what_would_be_lost_is_named(model: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=message) as caught:
        train(model, tmp_path)
    assert "register_buffer" in str(caught.value)
    assert not list((tmp_path / "runs").rglob("run.json"))


def test_a_variance_that_nothing_has_learned_is_left_out_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    run = train("unsure", tmp_path, notes)
    assert run.scores.deviation is None
    assert sum("log_variance" in note for note in notes) == 1
    notes.clear()
    run = train("gru", tmp_path, notes, **{"model.head": "gaussian"})
    assert run.scores.deviation is not None
    assert notes == []


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("score list", "Prediction.score for .* is list, expected a tensor"),
        ("score column", r"Prediction.score for \d+ sequences is \(\d+, 1\), expected .* \(\d+,\)"),
        ("log_variance short", r"Prediction.log_variance .* is \(1,\)"),
        ("log_variance whole", "Prediction.log_variance .* is of int64"),
        ("features list", "Prediction.features .* is list"),
        ("output whole", r"Prediction.output .* is \(\d+,\), expected .* \(\d+, D\)"),
    ],
)
def test_a_field_of_another_type_is_named(field: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=message):
        train("said", tmp_path, **{"model.field": field})


@pytest.mark.parametrize(
    ("maps", "found"),
    [([1], "a list"), ({"a": [1]}, "a: a list"), ({"a": torch.zeros(3, 2)}, r"shape \(3, 2\)")],
)
def test_attention_of_another_type_is_named(maps: Any, found: str) -> None:
    model = Plain(None)
    model.attention_maps = lambda batch: maps  # type: ignore[assignment]
    model.attention_rollup = lambda batch: maps  # type: ignore[assignment]
    batch = Batch({"position": torch.zeros(2, 4, 5, 3)})
    with pytest.raises(ConfigError, match=f"attention_maps gives .*{found}"):
        contract_of(model).attention_maps(batch)
    with pytest.raises(ConfigError, match=f"attention_rollup gives .*{found}"):
        contract_of(model).attention_rollup(batch)

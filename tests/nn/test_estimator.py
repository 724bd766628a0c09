"""Regressors of other libraries as models: fitted again wherever their run is loaded."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from registry import MODELS, register_model
from zoo.data.batch import Batch
from zoo.errors import ConfigError, TrainingError
from zoo.nn.estimator import INPUTS, EstimatorModel
from zoo.skeleton import load_layout

FEW = {"dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 16}


class Noisy:
    """A regressor that draws from numpy's global generator, and takes any number of axes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, x: Any, y: Any) -> None:
        flat = x.reshape(len(x), -1)
        self.weight = np.random.randn(flat.shape[1])  # noqa: NPY002
        self.mean, self.shape = y.mean(), x.shape[1:]

    def predict(self, x: Any) -> Any:
        assert x.shape[1:] == self.shape
        return self.mean + x.reshape(len(x), -1) @ self.weight / self.weight.size


class Model(EstimatorModel):
    def estimator(self, seed: int) -> Any:
        return Noisy(seed)


@pytest.fixture
def forest() -> Iterator[str]:
    ensemble = pytest.importorskip("sklearn.ensemble", reason="needs scikit-learn")
    before = list(MODELS.added)

    @register_model("forest-of-a-stranger")
    class Forest(EstimatorModel):
        def __init__(self, layout: Any, *, trees: int = 5) -> None:
            super().__init__(layout, inputs="summary")
            self.trees = trees

        def estimator(self, seed: int) -> Any:
            return ensemble.RandomForestRegressor(self.trees, random_state=seed)

    yield "forest-of-a-stranger"
    MODELS.added[:] = before


def batch(n: int = 6, masked: bool = False) -> Batch:
    x = torch.randn(n, 12, 25, 3, generator=torch.Generator().manual_seed(0))
    mask = None
    if masked:
        mask = torch.arange(12)[None] < torch.arange(n)[:, None] + 4
        x = x * mask[:, :, None, None]
    return Batch({"position": x}, mask)


def make(**options: Any) -> Model:
    return Model(load_layout("kinect-v2"), **options)


@pytest.mark.parametrize(
    ("inputs", "shape"), [("flat", (6, 750)), ("summary", (6, 300)), ("series", (6, 75, 10))]
)
@pytest.mark.parametrize("masked", [False, True])
def test_what_it_sees(inputs: Any, shape: tuple[int, ...], masked: bool) -> None:
    model = make(inputs=inputs, frames=10)
    assert model.describe(batch(masked=masked)).shape == shape
    assert bool(torch.isfinite(model.describe(batch(masked=masked))).all())


def test_padding_is_not_seen() -> None:
    whole = batch(masked=True)
    assert whole.mask is not None
    for inputs in INPUTS:
        model = make(inputs=inputs)
        for i in range(whole.size):
            alone = Batch({"position": whole.x["position"][i : i + 1, : int(whole.mask[i].sum())]})
            seen = model.describe(whole.select(torch.tensor([i])))
            assert torch.allclose(seen, model.describe(alone), atol=1e-5)


@pytest.mark.parametrize("inputs", INPUTS)
def test_loaded_weights_are_the_whole_model(inputs: Any) -> None:
    trained, anew = make(inputs=inputs), make(inputs=inputs)
    trained.fit(batch(), torch.linspace(-1, 1, 6))
    expected = trained(batch()).score
    anew.inputs, anew.target = torch.zeros_like(trained.inputs), torch.zeros_like(trained.target)
    state = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    anew.load_state_dict(trained.state_dict())
    assert torch.equal(anew(batch()).score, expected)
    assert torch.equal(copy.deepcopy(trained)(batch()).score, expected)
    assert (np.random.get_state()[1] == state).all()  # type: ignore[index]  # noqa: NPY002


def test_what_is_not_fitted_or_impossible_is_told() -> None:
    with pytest.raises(TrainingError, match="Model has not been fitted yet"):
        make()(batch())
    with pytest.raises(ConfigError, match="inputs are 'x'"):
        make(inputs="x")


def test_a_run_a_bundle_and_an_evaluation(forest: str, tmp_path: Path) -> None:
    run = zoo.train(forest, overrides=FEW, runs=tmp_path / "runs", data_root=tmp_path)
    assert run.record.model.closed_form
    assert zoo.evaluate(run, data_root=tmp_path).largest_difference == 0
    file = zoo.export(run, tmp_path / "forest.zoo")
    recording = run.split["test"]["recordings"][0]
    scores = [
        zoo.load_model(r, data_root=tmp_path).predict(recording)[0].score for r in (run, file)
    ]
    assert scores[0] == scores[1]

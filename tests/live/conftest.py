"""A causally trained network of the simulator's people, and recordings of them."""

from collections.abc import Callable
from typing import Any

import pytest

import zoo
from zoo.data.recording import Recording
from zoo.loaded_model import LoadedModel

SETTINGS: dict[str, Any] = {
    "model.channels": [8, 8],
    "model.strides": [1, 2],
    "trainer.epochs": 1,
    "trainer.batch_size": 8,
}
CAUSAL = {"model.causal": True, "trainer.rate": 10.0}


@pytest.fixture(scope="session")
def trained_on_simulator(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LoadedModel]:
    """Trains a tiny ST-GCN with settings, once for each."""
    folder = tmp_path_factory.mktemp("runs")
    made: dict[str, LoadedModel] = {}

    def train(**settings: Any) -> LoadedModel:
        key = repr(sorted(settings.items()))
        if key not in made:
            overrides = {**SETTINGS, **{k.replace("__", "."): v for k, v in settings.items()}}
            run = zoo.train(
                "stgcn-small", "synthetic", overrides=overrides, runs=folder, resume=True
            )
            made[key] = zoo.load_model(run)
        return made[key]

    return train


@pytest.fixture(scope="session")
def causal(trained_on_simulator: Callable[..., LoadedModel]) -> LoadedModel:
    """Frame by frame, at ten frames a second."""
    return trained_on_simulator(**{k.replace(".", "__"): v for k, v in CAUSAL.items()})


@pytest.fixture(scope="session")
def whole(trained_on_simulator: Callable[..., LoadedModel]) -> LoadedModel:
    """Of whole recordings."""
    return trained_on_simulator()


@pytest.fixture(scope="session")
def recording(whole: LoadedModel) -> Recording:
    """Of a person whom neither has seen."""
    ids = whole.predictor.run.split["test"]["recordings"]
    dataset = zoo.load_dataset("synthetic")
    return dataset.recording(ids[0])

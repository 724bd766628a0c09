"""A small run on simulated people and its views; a browser where there is one."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.data.repetition import find_repetitions
from zoo.prediction import Predictor
from zoo.viewer.view import View, views_of

PEOPLE = {"dataset.people": 36, "dataset.repetitions": 3}
QUICK = {"trainer.epochs": 1, "trainer.threads": 1, "protocol.frames": 16}
TINY = {"model.channels": [8, 8], "model.strides": [1, 2]}


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the simulated people are kept."""
    return tmp_path_factory.mktemp("viewer-data")


@pytest.fixture(scope="session")
def train(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Trains a model on the simulated people: ``train("stgcn-small", **overrides)``."""
    runs = tmp_path_factory.mktemp("viewer-runs")

    def trained(model: str, *, fold: int = 0, seed: int = 0, **overrides: Any) -> Any:
        settings = {**PEOPLE, **QUICK, **overrides}
        return zoo.train(
            model, fold=fold, seed=seed, overrides=settings, runs=runs, data_root=data_root
        )

    return trained


@pytest.fixture(scope="session")
def run(train: Callable[..., Any]) -> Any:
    """A graph network, barely trained."""
    return train("stgcn-small", **TINY)


@pytest.fixture(scope="session")
def predictor(run: Any, data_root: Path) -> Predictor:
    """Its model."""
    return Predictor.open(run, data_root=data_root)


@pytest.fixture(scope="session")
def tested(run: Any) -> list[str]:
    """Ids of its test recordings."""
    return list(run.split["test"]["recordings"])


@pytest.fixture(scope="session")
def views(predictor: Predictor, tested: list[str]) -> list[View]:
    """Two recordings beside a third; in all of them repetitions are found."""
    found = [name for name in tested if find_repetitions(predictor.recordings(name)[0])]
    return views_of(predictor, found[:2], beside=found[2])


@pytest.fixture(scope="module")
def chromium() -> Any:
    """The module tests/report/chromium.py, where a browser is installed."""
    file = Path(__file__).parents[1] / "report" / "chromium.py"
    spec = importlib.util.spec_from_file_location("chromium", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.programs() is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium chromium-driver)")
    return module


@pytest.fixture(scope="module")
def browser(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser that draws 3-D in software."""
    with chromium.Chromium(tmp_path_factory.mktemp("profile"), graphics=True) as opened:
        yield opened

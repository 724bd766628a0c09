"""The example board, and a browser where there is one."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def example() -> ModuleType:
    """The module `example_board`: board, spoiled, HOSTILE, RUN."""
    return _module("example_board")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`Chromium` of chromium.py."""
    chromium = _module("chromium")
    if chromium.programs() is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium chromium-driver)")
    with chromium.Chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def show(browser: Any, example: ModuleType, tmp_path_factory: Any) -> Callable[..., Any]:
    """Opens a page and gives the browser: ``show(board=None, width=1280, dark=False)``.

    Without a board it is the page of the example without points.
    """
    from zoo.report.page import render

    folder = tmp_path_factory.mktemp("pages")
    usual = folder / "usual.html"
    usual.write_bytes(render(example.board(points=False)).encode())

    def opened(board: Any = None, width: int = 1280, dark: bool = False) -> Any:
        file = usual
        if board is not None:
            file = folder / "own.html"
            file.write_bytes(render(board).encode())
        browser.device(width, 800, dark)
        browser.open(file)
        return browser

    return opened


@pytest.fixture
def store(make_store: Callable[..., Any]) -> Any:
    """Runs of a complete model, of the mean score, and of one that is incomplete."""
    store = make_store()
    store.entry("d2sta", seeds=(0, 1))
    store.entry("mean", constant=True, closed_form=True)
    store.run("stgcn", "1", 0)
    return store
